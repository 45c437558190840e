//! Makes the fault whose number `judge` wrote.
#![no_std]
#![no_main]

use core::convert::Infallible;
use ipc_pd::Handler;
use tests_conformance::arch::{self, KERNEL_HALF};
use tests_conformance::faults::{CONSTANTS, DEBUG_PUT_CHAR, NOWHERE};
use tests_conformance::raw;

ipc_pd::regions! {
    judge_to_faulty, judge_to_faulty_size: Readable;
}
ipc_pd::protection_domain!(init);

struct Faulty;

impl Handler for Faulty {
    type Error = Infallible;
}

fn init() -> Faulty {
    let mode = judge_to_faulty().map_or(0, |region| region.load(0, core::sync::atomic::Ordering::Relaxed));
    fault(mode);
    Faulty
}

fn fault(mode: u64) {
    match mode {
        0 => touch(NOWHERE, false),
        1 => touch(CONSTANTS, true),
        2 => arch::jump(CONSTANTS),
        3 => touch(KERNEL_HALF, false),
        4 | 5 => {
            let answer = raw::syscall(DEBUG_PUT_CHAR, 65, 1, [2, 3, 4, 5], 6, 8);
            raw::syscall(DEBUG_PUT_CHAR, answer.badge, 0, [0; 4], 0, 0);
        }
        6 => arch::undefined(),
        7 => arch::use_fpu(),
        8 => arch::breakpoint(),
        9 => {
            arch::privileged();
            touch(NOWHERE, false);
        }
        10 => drop(raw::receive(40, ipc_abi::slot::REPLY)),
        11 => raw::send(600, 0),
        12 => overflow(0),
        _ => {}
    }
}

fn touch(address: u64, write: bool) {
    // SAFETY: the access faults, and `judge` starts this program anew.
    unsafe {
        if write {
            (address as *mut u64).write_volatile(1);
        } else {
            (address as *const u64).read_volatile();
        }
    }
}

#[allow(unconditional_recursion)]
fn overflow(depth: u64) {
    core::hint::black_box([depth; 32]);
    overflow(depth + 1);
    core::hint::black_box(depth);
}
