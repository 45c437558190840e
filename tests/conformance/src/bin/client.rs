//! Calls, signals, and what the kernel answers to wrong ones.
#![no_std]
#![no_main]

use core::convert::Infallible;
use ipc_pd::{Channel, Handler, MessageInfo, get_mr, set_mr};
use tests_conformance::raw;
use tests_conformance::report::report;

ipc_pd::protection_domain!(init);

/// A passive server.
const PASSIVE: Channel = Channel::new(1);
/// Answers signals.
const PEER: Channel = Channel::new(2);
/// A server with time of its own.
const ACTIVE: Channel = Channel::new(3);

/// A passive server that passes its calls on to [`PASSIVE`].
const RELAY: Channel = Channel::new(4);

struct Client;

impl Handler for Client {
    type Error = Infallible;
}

fn init() -> Client {
    report("calls of a passive server carry 0 to 120 words and the label", echoes(PASSIVE));
    report("calls of an active server do so too", echoes(ACTIVE));
    report("a passive server may call another one", echoes(RELAY));
    report("a message is cut at 120 words and carries no capabilities", long_message());
    report("a signal to another PD and its answer arrive", ping_pong());
    report("a call on an empty slot answers invalid capability", empty_slot());
    report("a call of a notification answers and signals", call_of_notification());
    report("a thread is not controlled in the send half of a combined call", first_phase());
    Client
}

fn echoes(server: Channel) -> bool {
    (0..2).all(|_| (0..=120).all(|length| echo(server, length)))
}

fn echo(server: Channel, length: usize) -> bool {
    for index in 0..length {
        set_mr(index, (index * 3 + length) as u64);
    }
    let answer = server.pp_call(MessageInfo::new(length as u64 + 7, length));
    answer.label() == length as u64 + 8
        && answer.count() == length
        && (0..length).all(|index| get_mr(index) == !((index * 3 + length) as u64))
}

fn wait() -> u64 {
    raw::receive(ipc_abi::slot::INPUT, ipc_abi::slot::REPLY).badge
}

fn ping_pong() -> bool {
    (0..100).all(|_| {
        PEER.notify();
        wait() == 1 << PEER.id()
    })
}

fn empty_slot() -> bool {
    [ipc_abi::slot::CALL_BASE + 40, 0, 511, 1 << 63].into_iter().all(|slot| {
        let answer = raw::call(slot, raw::tag(5, 2), [1, 2, 3, 4]);
        answer.label() == 2 && answer.length() == 1 && answer.words[0] == 0
    })
}

fn long_message() -> bool {
    let capabilities = 0x1f << 7;
    let to = ipc_abi::slot::CALL_BASE + u64::from(PASSIVE.id());
    let long = raw::call(to, raw::tag(3, 127) | capabilities, [0; 4]);
    let short = raw::call(to, raw::tag(3, 1) | capabilities, [0; 4]);
    long.tag == raw::tag(4, 120) && short.tag == raw::tag(4, 1) && short.words[0] == u64::MAX
}

fn call_of_notification() -> bool {
    let answer = raw::call(ipc_abi::slot::NOTIFY_BASE + u64::from(PEER.id()), raw::tag(9, 2), [1; 4]);
    answer.tag == 0 && answer.badge == 0 && wait() == 1 << PEER.id()
}

/// The own thread in the first phase: nothing happens, and the wait that follows works.
fn first_phase() -> bool {
    PEER.notify();
    let suspend = raw::tag(ipc_abi::label::TCB_SUSPEND, 0);
    let (number, input) = (ipc_abi::syscall::NB_SEND_RECV, ipc_abi::slot::INPUT);
    let got = raw::syscall(number, input, suspend, [0; 4], ipc_abi::slot::REPLY, ipc_abi::slot::TCB);
    got.badge == 1 << PEER.id()
}
