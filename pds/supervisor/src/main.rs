//! Wiring of the supervisor: its regions by the names of the system description.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use pds_supervisor::{LedgerMeans, Means, Supervisor};

ipc_pd::regions! {
    platform, platform_size: Sealed;
    guardian_health, guardian_health_size: Readable;
    timer_health, timer_health_size: Readable;
    console_health, console_health_size: Readable;
    storage_health, storage_health_size: Readable;
    session_health, session_health_size: Readable;
    loader_health, loader_health_size: Readable;
    retriever_health, retriever_health_size: Readable;
    compute_health, compute_health_size: Readable;
    compute_1_health, compute_1_health_size: Readable;
    compute_2_health, compute_2_health_size: Readable;
    compute_3_health, compute_3_health_size: Readable;
    trainer_health, trainer_health_size: Readable;
    supervisor_to_console, supervisor_to_console_size: Writable;
    console_to_supervisor, console_to_supervisor_size: Readable;
    supervisor_to_session, supervisor_to_session_size: Writable;
    session_to_supervisor, session_to_supervisor_size: Readable;
    supervisor_to_compute, supervisor_to_compute_size: Writable;
    compute_to_supervisor, compute_to_supervisor_size: Readable;
    supervisor_to_loader, supervisor_to_loader_size: Writable;
    loader_to_supervisor, loader_to_supervisor_size: Readable;
    supervisor_to_retriever, supervisor_to_retriever_size: Writable;
    retriever_to_supervisor, retriever_to_supervisor_size: Readable;
    supervisor_to_storage, supervisor_to_storage_size: Writable;
    storage_to_supervisor, storage_to_supervisor_size: Readable;
    supervisor_to_storage_data, supervisor_to_storage_data_size: Writable;
    storage_to_supervisor_data, storage_to_supervisor_data_size: Readable;
}

fn init() -> Supervisor {
    Supervisor::new(Means {
        platform: platform(),
        guardian: guardian_health(),
        health: [
            timer_health(),
            console_health(),
            storage_health(),
            session_health(),
            loader_health(),
            retriever_health(),
            compute_health(),
            compute_1_health(),
            compute_2_health(),
            compute_3_health(),
            trainer_health(),
        ],
        console: supervisor_to_console().zip(console_to_supervisor()),
        session: supervisor_to_session().zip(session_to_supervisor()),
        compute: supervisor_to_compute().zip(compute_to_supervisor()),
        loader: supervisor_to_loader().zip(loader_to_supervisor()),
        retriever: supervisor_to_retriever().zip(retriever_to_supervisor()),
        ledger: LedgerMeans {
            link: supervisor_to_storage().zip(storage_to_supervisor()),
            read: storage_to_supervisor_data(),
            write: supervisor_to_storage_data(),
        },
    })
}

ipc_pd::protection_domain!(init);
