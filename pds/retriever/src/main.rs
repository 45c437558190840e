// SPDX-License-Identifier: MIT
//! Wiring of the `retriever` PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use inference_kernels::{CpuFeatures, Kernels};
use ipc_link::Link;
use ipc_pd::Handler;
use ipc_protocol::platform::Platform;
use pds_retriever::{Means, Port, Retriever, SESSION, STORAGE, SUPERVISOR};

ipc_pd::regions! {
    platform, platform_size: Sealed;
    embedding_weights, embedding_weights_size: Exclusive;
    storage_to_retriever_data, storage_to_retriever_data_size: Readable;
    retriever_to_storage_data, retriever_to_storage_data_size: Writable;
    retriever_to_storage, retriever_to_storage_size: Writable;
    storage_to_retriever, storage_to_retriever_size: Readable;
    retriever_to_session, retriever_to_session_size: Writable;
    session_to_retriever, session_to_retriever_size: Readable;
    retriever_to_supervisor, retriever_to_supervisor_size: Writable;
    supervisor_to_retriever, supervisor_to_retriever_size: Readable;
    trainer_adapter, trainer_adapter_size: Readable;
    retriever_adapter, retriever_adapter_size: Writable;
}

fn wired() -> Option<Retriever> {
    let storage = Link::start(retriever_to_storage()?, storage_to_retriever()?, STORAGE);
    let port = Port::new(storage, storage_to_retriever_data()?, retriever_to_storage_data()?);
    let session = Link::start(retriever_to_session()?, session_to_retriever()?, SESSION);
    let supervisor = retriever_to_supervisor().zip(supervisor_to_retriever());
    let supervisor = supervisor.map(|(mine, theirs)| Link::start(mine, theirs, SUPERVISOR));
    let platform = platform().and_then(Platform::decode).unwrap_or_default();
    let kernels = Kernels::select(CpuFeatures::available(platform.cpu_features));
    // Nothing lies in it yet.
    let heap = ipc_pd::heap::free();
    let means = Means { session, supervisor, port, weights: embedding_weights(), kernels, heap };
    Some(Retriever::new(means).with_adapters(trainer_adapter().zip(retriever_adapter())))
}

fn init() -> impl Handler {
    wired().expect("the system description maps the data regions and the links to storage and session")
}

ipc_pd::protection_domain!(init);
