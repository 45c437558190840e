//! A server as small as libmicrokit's loop: answers every call with its own words, takes every signal.
#![no_std]
#![no_main]

use ipc_abi::{badge, slot, syscall};
use ipc_pd::NullHandler;
use tests_conformance::raw::{self, Result};

ipc_pd::protection_domain!(init);

fn init() -> NullHandler {
    let mut got = first_wait();
    loop {
        got = if got.badge & badge::CALL != 0 {
            raw::syscall(syscall::REPLY_RECV, slot::INPUT, got.tag, got.words, slot::REPLY, 0)
        } else {
            raw::receive(slot::INPUT, slot::REPLY)
        };
    }
}

/// Waits; where the PD is passive, gives the scheduling context away in the same call.
fn first_wait() -> Result {
    let passive = ipc_pd::pd_name().ends_with("passive");
    let number = if passive { syscall::NB_SEND_RECV } else { syscall::RECV };
    raw::syscall(number, slot::INPUT, 0, [0; 4], slot::REPLY, slot::MONITOR)
}
