//! The lowest PD: measures which share of the time the PDs above leave, and how equals share.
#![no_std]
#![no_main]

use ipc_pd::{NullHandler, clock};
use tests_conformance::report::report;

ipc_pd::protection_domain!(init);

/// Longest time between two looks at the clock of a PD that is not held up.
const GAP_US: u64 = 50;
const WINDOW_US: u64 = 200_000;

fn init() -> NullHandler {
    let percent = held_up_percent();
    report("2 of 20 ms of budget are 10 percent of the time", (8..=13).contains(&percent));
    NullHandler
}

fn held_up_percent() -> u64 {
    let start = clock::ticks();
    let (mut last, mut held_up) = (start, 0);
    while clock::to_micros(last - start) < WINDOW_US {
        let now = clock::ticks();
        if clock::to_micros(now - last) > GAP_US {
            held_up += now - last;
        }
        last = now;
    }
    held_up * 100 / (last - start)
}
