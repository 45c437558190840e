//! Wiring of the `loader` PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ipc_link::Link;
use ipc_pd::Handler;
use pds_loader::{Loader, Memory, STORAGE, SUPERVISOR};

ipc_pd::regions! {
    model_policy, model_policy_size: Sealed;
    weights, weights_size: Exclusive;
    vocabulary, vocabulary_size: Exclusive;
    storage_to_loader_data, storage_to_loader_data_size: Readable;
    loader_to_supervisor, loader_to_supervisor_size: Writable;
    supervisor_to_loader, supervisor_to_loader_size: Readable;
    loader_to_storage, loader_to_storage_size: Writable;
    storage_to_loader, storage_to_loader_size: Readable;
}

fn wired() -> Option<Loader> {
    let supervisor = Link::start(loader_to_supervisor()?, supervisor_to_loader()?, SUPERVISOR);
    let storage = Link::start(loader_to_storage()?, storage_to_loader()?, STORAGE);
    let memory = Memory { weights: weights()?, vocabulary: vocabulary()? };
    Some(Loader::new(supervisor, storage, storage_to_loader_data()?, memory, model_policy()?))
}

fn init() -> impl Handler {
    wired()
        .expect("the system description maps weights, vocabulary, the policy, the data region and both links")
}

ipc_pd::protection_domain!(init);
