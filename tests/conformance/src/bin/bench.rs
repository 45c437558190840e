//! Costs of the kernel's operations, both sides' user code included, as `bench ipc` prints them.
//!
//! With QEMU's `-icount shift=0` the clock counts instructions: a tick of 16 ns is 16 of them.
#![no_std]
#![no_main]

use core::fmt::Write;
use ipc_abi::slot;
use ipc_pd::{NullHandler, clock};
use tests_conformance::raw;
use tests_conformance::uart::Uart;

ipc_pd::regions! {
    uart, uart_size: Device;
    com1, com1_id: Ports;
}
ipc_pd::protection_domain!(init);

const PASSIVE: u64 = 1;
const ACTIVE: u64 = 2;
const LOWER: u64 = 3;
const HIGHER: u64 = 4;
const PONG: u64 = 5;
/// On another core; not wired in the system description for one core.
const FAR_ACTIVE: u64 = 6;
const FAR_PONG: u64 = 7;

const ROUNDS: u64 = 20_000;

fn init() -> NullHandler {
    let mut uart = Uart::new(uart(), com1());
    if wired(FAR_PONG) {
        row(&mut uart, "call of an active server on another core", ROUNDS / 10, || call(FAR_ACTIVE, 4));
        row(&mut uart, "notification ping-pong with another core", ROUNDS / 10, || ping_pong(FAR_PONG));
    } else {
        row(&mut uart, "call of a passive server, 4 words", ROUNDS, || call(PASSIVE, 4));
        row(&mut uart, "call of a passive server, 8 words", ROUNDS, || call(PASSIVE, 8));
        row(&mut uart, "call of an active server, 4 words", ROUNDS, || call(ACTIVE, 4));
        row(&mut uart, "notify a lower PD", ROUNDS, || notify(LOWER));
        row(&mut uart, "notify a higher PD, there and back", ROUNDS, || notify(HIGHER));
        row(&mut uart, "notification ping-pong", ROUNDS, || ping_pong(PONG));
    }
    let _ = writeln!(uart, "bench: end");
    NullHandler
}

fn wired(channel: u64) -> bool {
    ipc_pd::has_notify_channel(ipc_pd::Channel::new(channel as u8))
}

fn row(uart: &mut Uart, name: &str, rounds: u64, mut operation: impl FnMut()) {
    for _ in 0..16 {
        operation();
    }
    let start = clock::ticks();
    for _ in 0..rounds {
        operation();
    }
    let ticks = clock::ticks() - start;
    let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(clock::frequency());
    let _ = writeln!(uart, "bench: {} ns  {name}", nanoseconds / u128::from(rounds));
}

#[inline(always)]
fn call(channel: u64, words: u64) {
    core::hint::black_box(raw::call(slot::CALL_BASE + channel, raw::tag(0, words), [1, 2, 3, 4]));
}

#[inline(always)]
fn notify(channel: u64) {
    raw::send(slot::NOTIFY_BASE + channel, 0);
}

#[inline(always)]
fn ping_pong(channel: u64) {
    notify(channel);
    core::hint::black_box(raw::receive(slot::INPUT, slot::REPLY));
}
