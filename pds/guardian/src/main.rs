//! Wiring of the guardian PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ipc_pd::{NullHandler, clock};
use pds_guardian::{Guardian, PERIOD_MICROS};

ipc_pd::regions! {
    supervisor_health, supervisor_health_size: Readable;
}

/// Never returns. A turn, then the rest of the budget: the clock jumps when the kernel gives the next.
fn init() -> NullHandler {
    let mut guardian =
        Guardian::new(supervisor_health().expect("system.xml maps the supervisor's health page"));
    loop {
        guardian.turn();
        ipc_pd::poll(&mut guardian);
        let (begun, most) = (clock::ticks(), clock::from_micros(PERIOD_MICROS / 2));
        while clock::ticks() - begun < most {
            core::hint::spin_loop();
        }
    }
}

ipc_pd::protection_domain!(init);
