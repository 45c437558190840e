// SPDX-License-Identifier: MIT
//! Results are the same bits for any number of workers, any batch size and any path, and after a prefix was reused.

mod common;

use common::Host;
use inference_gguf::Gguf;
use inference_model::{CacheKind, Config, CpuFeatures, Kernels, Model, ModelError, Needs};
use tests_fixtures::shared;

fn files() -> Vec<std::path::PathBuf> {
    let Some(shared) = shared("golden") else { return Vec::new() };
    let all = [
        "architectures/tiny-gemma3",
        "architectures/tiny-phi2",
        "quants/tiny-llama-Q4_K_M",
        "stories/stories3M-q8_0",
    ];
    all.iter().map(|name| shared.join("models").join(format!("{name}.gguf"))).collect()
}

#[test]
fn logits_do_not_depend_on_workers_batches_or_paths() {
    for file in files() {
        let bytes = std::fs::read(file).unwrap();
        let model = Model::bind(&Gguf::parse(&bytes).unwrap()).unwrap();
        let tokens: Vec<u32> = (0..45).map(|i| 3 + i * 7 % 400).collect();
        let run = |workers, batch, kernels| {
            let config = Config { context: 64, batch, workers, cache: CacheKind::F16 };
            Host::new(&model, config).run(kernels, |engine| {
                engine.advance(&tokens, &mut |_| true).unwrap();
                let first: Vec<u32> = engine.logits().iter().map(|x| x.to_bits()).collect();
                // Another end for the same start: 20 tokens are reused.
                engine.advance(&[&tokens[..20], &[5, 6]].concat(), &mut |_| true).unwrap();
                engine.advance(&tokens, &mut |step| step.reused == 20).unwrap();
                let again: Vec<u32> = engine.logits().iter().map(|x| x.to_bits()).collect();
                assert_eq!(first, again);
                first
            })
        };
        let reference = run(1, 1, Kernels::generic());
        let fast = Kernels::select(CpuFeatures::detect());
        for (workers, batch) in [(1, 1), (1, 7), (1, 45), (2, 1), (2, 16), (3, 5), (4, 32)] {
            assert!(run(workers, batch, fast) == reference, "{workers} workers, batch {batch}");
        }
    }
}

#[test]
fn a_cancelled_prompt_keeps_what_was_finished() {
    let Some(file) = files().pop() else { return };
    let bytes = std::fs::read(file).unwrap();
    let model = Model::bind(&Gguf::parse(&bytes).unwrap()).unwrap();
    let config = Config { context: 64, batch: 8, workers: 2, cache: CacheKind::F16 };
    Host::new(&model, config).run(Kernels::select(CpuFeatures::detect()), |engine| {
        let tokens: Vec<u32> = (0..40).collect();
        let outcome = engine.advance(&tokens, &mut |step| step.done < 20);
        assert_eq!(outcome, Err(inference_model::EvalError::Cancelled));
        assert_eq!(engine.held(), &tokens[..16]);
        engine.advance(&tokens, &mut |step| step.reused == 16).unwrap();
        assert_eq!(engine.held(), &tokens[..]);
    });
}

#[test]
fn the_largest_configuration_fits_and_the_next_does_not() {
    let Some(file) = files().pop() else { return };
    let bytes = std::fs::read(file).unwrap();
    let model = Model::bind(&Gguf::parse(&bytes).unwrap()).unwrap();
    let given = Needs { cache: 300_000, scratch: 60_000, outbox: 8_000 };
    let config = model.fit(CacheKind::F16, &[given, given]).unwrap();
    let needs = model.needs(&config, 1).unwrap();
    assert!(needs.cache <= given.cache && needs.scratch <= given.scratch && needs.outbox <= given.outbox);
    let next = Config { context: config.context + 1, ..config };
    assert!((0..2).any(|i| model.needs(&next, i).unwrap().cache > given.cache));
    let none = Needs { cache: 0, scratch: 0, outbox: 0 };
    assert!(matches!(model.fit(CacheKind::F16, &[none]), Err(ModelError::SmallBuffer { .. })));
}
