//! Fills the FPU registers with its own pattern and looks at them while an equal does the same.
#![no_std]
#![no_main]

use core::arch::asm;
use ipc_pd::{NullHandler, clock, pd_name};
use tests_conformance::report::report;

ipc_pd::protection_domain!(init);

fn init() -> NullHandler {
    let pattern = u64::from(pd_name().bytes().last().unwrap_or(0)) * 0x0101_0101_0101_0101;
    let end = clock::ticks() + clock::from_micros(30_000);
    let mut intact = true;
    while clock::ticks() < end {
        intact &= holds(pattern);
    }
    report("FPU registers survive other PDs", intact);
    NullHandler
}

/// Sets v0, v8, v16 and v31 and FPCR, spins for a while, and compares.
fn holds(pattern: u64) -> bool {
    let (a, b, c, d): (u64, u64, u64, u64);
    // SAFETY: only the named registers are used.
    unsafe {
        asm!(
            "dup v0.2d, {p}", "dup v8.2d, {p}", "dup v16.2d, {p}", "dup v31.2d, {p}",
            "mov {n}, #20000", "2: subs {n}, {n}, #1", "b.ne 2b",
            "umov {a}, v0.d[1]", "umov {b}, v8.d[0]", "umov {c}, v16.d[1]", "umov {d}, v31.d[1]",
            p = in(reg) pattern, n = out(reg) _, a = out(reg) a, b = out(reg) b, c = out(reg) c, d = out(reg) d,
            out("v0") _, out("v8") _, out("v16") _, out("v31") _,
        );
    }
    [a, b, c, d].iter().all(|value| *value == pattern)
}
