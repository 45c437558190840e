//! How fast the time stamp counter and the local APIC's timer run, against the 8254 timer's 1.193182 MHz.
//!
//! One design rule: each moment is read between two looks at the clock, and of several tries the tightest counts; so
//! a host that takes the processor away in between spoils a try and not the result.

use crate::cpu::tsc;
use crate::{apic, port};

const CHANNEL_2: u16 = 0x42;
const MODE: u16 = 0x43;
const GATE: u16 = 0x61;
const HERTZ: u64 = 1_193_182;
/// Ten milliseconds.
const SPAN: u64 = HERTZ / 100;
const TRIES: usize = 8;

/// What was measured.
pub(crate) struct Rates {
    /// Clock ticks per second.
    pub clock: u64,
    /// Timer ticks, and in which time of the clock.
    pub timer: (u64, u64),
}

/// One moment by all three.
#[derive(Clone, Copy)]
struct Moment {
    clock: u64,
    timer: u64,
    passed: u64,
    width: u64,
}

fn read(port: u16) -> u64 {
    // SAFETY: the timer and its gate belong to the kernel while it boots.
    u64::from(unsafe { port::read(port, 1) })
}

fn write(port: u16, value: u64) {
    // SAFETY: as above.
    unsafe { port::write(port, 1, value as u32) }
}

/// Starts channel 2 at its largest count; the speaker stays off.
fn start() {
    write(GATE, read(GATE) & !3 | 1);
    write(MODE, 0xb0);
    write(CHANNEL_2, 0xff);
    write(CHANNEL_2, 0xff);
}

fn moment() -> Moment {
    let before = tsc();
    write(MODE, 0x80);
    let timer = u64::from(apic::timer_count());
    let after = tsc();
    let count = read(CHANNEL_2) | read(CHANNEL_2) << 8;
    Moment { clock: before + (after - before) / 2, timer, passed: 0xffff - count, width: after - before }
}

fn tightest() -> Moment {
    let mut best = moment();
    for _ in 1..TRIES {
        let next = moment();
        if next.width < best.width {
            best = next;
        }
    }
    best
}

/// Measures; `None` where the 8254 timer stands still or is not there.
pub(crate) fn measure() -> Option<Rates> {
    apic::run_timer();
    (0..TRIES).find_map(|_| {
        start();
        let first = tightest();
        let mut last = moment();
        for _ in 0..1_000_000 {
            if last.passed >= first.passed + SPAN {
                break;
            }
            last = moment();
        }
        let last = tightest();
        // The count starts again after 55 ms: such a try says nothing, and the output tells.
        let again = read(GATE) & 0x20 != 0;
        rates(first, last).filter(|_| !again)
    })
}

fn rates(first: Moment, last: Moment) -> Option<Rates> {
    let (clock, passed) = (last.clock.checked_sub(first.clock)?, last.passed.checked_sub(first.passed)?);
    let enough = passed >= SPAN && clock > 0;
    let hertz = u128::from(clock) * u128::from(HERTZ) / u128::from(passed.max(1));
    enough.then_some(Rates { clock: hertz as u64, timer: (last.timer.saturating_sub(first.timer), clock) })
}
