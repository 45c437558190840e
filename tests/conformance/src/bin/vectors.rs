//! Fills the FPU registers with its own pattern and looks at them while an equal does the same.
#![no_std]
#![no_main]

use ipc_pd::{NullHandler, clock, pd_name};
use tests_conformance::arch::fpu_holds;
use tests_conformance::report::report;

ipc_pd::protection_domain!(init);

fn init() -> NullHandler {
    let pattern = u64::from(pd_name().bytes().last().unwrap_or(0)) * 0x0101_0101_0101_0101;
    let end = clock::ticks() + clock::from_micros(30_000);
    let mut intact = true;
    while clock::ticks() < end {
        intact &= fpu_holds(pattern);
    }
    report("FPU registers survive other PDs", intact);
    NullHandler
}
