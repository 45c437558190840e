//! Wiring of the retriever PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use pds_retriever::Retriever;

fn init() -> Retriever {
    Retriever::start()
}

ipc_pd::protection_domain!(init);
