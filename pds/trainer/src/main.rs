// SPDX-License-Identifier: MIT
//! Wiring of the `trainer` PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use inference_kernels::{CpuFeatures, Kernels};
use ipc_link::Link;
use ipc_pd::Handler;
use ipc_protocol::platform::Platform;
use pds_trainer::{Means, SESSION, Trainer};

ipc_pd::regions! {
    weights, weights_size: Sealed;
    platform, platform_size: Sealed;
    trainer_adapter, trainer_adapter_size: Writable;
    trainer_to_session, trainer_to_session_size: Writable;
    session_to_trainer, session_to_trainer_size: Readable;
}

fn wired() -> Option<Trainer> {
    let session = Link::start(trainer_to_session()?, session_to_trainer()?, SESSION);
    let platform = platform().and_then(Platform::decode).unwrap_or_default();
    let kernels = Kernels::select(CpuFeatures::from_word(platform.cpu_features));
    let heap = ipc_pd::heap::free();
    Some(Trainer::new(Means { session, weights: weights()?, adapter: trainer_adapter()?, kernels, heap }))
}

fn init() -> impl Handler {
    wired().expect("the system description maps the weights, the adapter and the link to session")
}

ipc_pd::protection_domain!(init);
