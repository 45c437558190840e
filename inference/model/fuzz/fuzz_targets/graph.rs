// SPDX-License-Identifier: MIT
//! Any bytes as a model: what binds, and needs little memory, computes two tokens.
#![no_main]

use inference_gguf::Gguf;
use inference_model::{CacheKind, Config, CpuFeatures, Kernels, Model, Team, Worker};
use libfuzzer_sys::fuzz_target;

const MOST: usize = 1 << 22;

fuzz_target!(|bytes: &[u8]| {
    let Ok(gguf) = Gguf::parse(bytes) else { return };
    let Ok(model) = Model::bind(&gguf) else { return };
    let config = Config { context: model.hyper.context.min(4), batch: 2, workers: 1, cache: CacheKind::F16 };
    let Ok(needs) = model.needs(&config, 0) else { return };
    if needs.cache > MOST || needs.scratch > MOST {
        return;
    }
    let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
    let kernels = Kernels::select(CpuFeatures::empty());
    let Ok(mut worker) = Worker::new(&model, config, kernels, Team::alone(), &mut cache, &mut scratch) else { return };
    let last = model.hyper.vocab as u32 - 1;
    let _ = worker.eval(&[0, last], 0, true, &mut |_| true);
    let _ = worker.eval(&[last], 2, true, &mut |_| true);
});
