//! Wiring of the guardian PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ipc_pd::{NullHandler, health};
use pds_guardian::Guardian;

ipc_pd::regions! {
    supervisor_health, supervisor_health_size: Readable;
}

/// Never returns: a turn, and then nothing until the kernel gives the next period's budget.
fn init() -> NullHandler {
    let mut guardian =
        Guardian::new(supervisor_health().expect("system.xml maps the supervisor's health page"));
    loop {
        health::busy();
        guardian.turn();
        health::idle();
        ipc_pd::poll(&mut guardian);
        ipc_pd::rest();
    }
}

ipc_pd::protection_domain!(init);
