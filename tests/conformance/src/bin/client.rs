//! Calls, signals, and what the kernel answers to wrong ones.
#![no_std]
#![no_main]

use core::convert::Infallible;
use ipc_pd::{Channel, Handler, MessageInfo, get_mr, set_mr};
use tests_conformance::raw;
use tests_conformance::report::report;

ipc_pd::protection_domain!(init);

const ECHO: Channel = Channel::new(1);
const PEER: u64 = 2;

struct Client;

impl Handler for Client {
    type Error = Infallible;
}

fn init() -> Client {
    report("protected calls carry 0 to 120 words and the label", echoes());
    report("a signal to a lower PD and its answer merge into one badge", ping_pong());
    report("a call on an empty slot answers invalid capability", empty_slot());
    Client
}

fn echoes() -> bool {
    (0..=120).all(|length| {
        for index in 0..length {
            set_mr(index, (index * 3 + length) as u64);
        }
        let answer = ECHO.pp_call(MessageInfo::new(length as u64 + 7, length));
        answer.label() == length as u64 + 8
            && answer.count() == length
            && (0..length).all(|index| get_mr(index) == !((index * 3 + length) as u64))
    })
}

fn ping_pong() -> bool {
    (0..100).all(|_| {
        Channel::new(PEER as u8).notify();
        raw::receive(ipc_abi::slot::INPUT, ipc_abi::slot::REPLY).badge == 1 << PEER
    })
}

fn empty_slot() -> bool {
    let answer = raw::call(ipc_abi::slot::CALL_BASE + 40, raw::tag(5, 2), [1, 2, 3, 4]);
    answer.label() == 2 && answer.length() == 1 && answer.words[0] == 0
}
