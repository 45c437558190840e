//! The lowest PD: measures which share of the time the PDs above leave, and how equals share.
#![no_std]
#![no_main]

use ipc_pd::{NullHandler, clock};
use tests_conformance::report::report;

ipc_pd::protection_domain!(init);

/// Longest time between two looks at the clock of a PD that is not held up.
const GAP_US: u64 = 50;
const WINDOW_US: u64 = 200_000;

/// A PD that is preempted while it uses its budget has the rest in a second refill. There are two; where the first is
/// nearly used up and both are taken, the kernel puts the second off (seL4 `schedule_used`), so down to half is left.
const PERCENT: core::ops::RangeInclusive<u64> = 4..=13;

fn init() -> NullHandler {
    let percent = held_up_percent();
    report("2 of 20 ms of budget are 5 to 10 percent of the time", PERCENT.contains(&percent));
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
