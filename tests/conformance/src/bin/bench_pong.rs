//! Answers every signal with a signal.
#![no_std]
#![no_main]

use ipc_abi::slot;
use ipc_pd::NullHandler;
use tests_conformance::raw;

ipc_pd::protection_domain!(init);

fn init() -> NullHandler {
    loop {
        let mut bits = raw::receive(slot::INPUT, slot::REPLY).badge;
        while bits != 0 {
            raw::send(slot::NOTIFY_BASE + u64::from(bits.trailing_zeros()), 0);
            bits &= bits - 1;
        }
    }
}
