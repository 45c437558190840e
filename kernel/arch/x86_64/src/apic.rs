//! Local APIC (Intel SDM volume 3, chapter 11): the core's timer, interrupts between cores, end of interrupt.

use crate::cpu::{msr, read_msr, tsc, write_msr};
use crate::features::{self, DEADLINE};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use kernel_core::MAX_CORES;

/// The kernel's timer.
pub(crate) const TIMER: u64 = 0xf0;
/// Run the scheduler.
pub(crate) const KICK: u64 = 0xf1;
/// Needs no end of interrupt.
pub(crate) const SPURIOUS: u64 = 0xff;

const ID: usize = 0x20;
const PRIORITY: usize = 0x80;
const END: usize = 0xb0;
const SPURIOUS_VECTOR: usize = 0xf0;
const COMMAND_LOW: usize = 0x300;
const COMMAND_HIGH: usize = 0x310;
const TIMER_VECTOR: usize = 0x320;
const LINT0: usize = 0x350;
const LINT1: usize = 0x360;
const INITIAL: usize = 0x380;
const CURRENT: usize = 0x390;
const DIVIDE: usize = 0x3e0;

const ENABLE: u32 = 1 << 8;
const MASKED: u32 = 1 << 16;
const DEADLINE_MODE: u32 = 2 << 17;
const BY_ONE: u32 = 0b1011;
const PENDING: u32 = 1 << 12;
const INIT: u32 = 0x4500;
const START_UP: u32 = 0x4600;

static BASE: AtomicUsize = AtomicUsize::new(0);
/// Timer ticks per clock tick, times 2^32.
static RATE: AtomicU64 = AtomicU64::new(0);
/// APIC id of each core.
static IDS: [AtomicU64; MAX_CORES] = [const { AtomicU64::new(0) }; MAX_CORES];

fn read(register: usize) -> u32 {
    // SAFETY: `init` was given the local APIC's address, which the linear map covers as device memory.
    unsafe { ((BASE.load(Ordering::Relaxed) + register) as *const u32).read_volatile() }
}

fn write(register: usize, value: u32) {
    // SAFETY: as above.
    unsafe { ((BASE.load(Ordering::Relaxed) + register) as *mut u32).write_volatile(value) }
}

/// Sets where the local APICs are.
pub(crate) fn init(physical: u64) {
    BASE.store(crate::linear::address(physical), Ordering::Relaxed);
}

/// The executing core's APIC: on, nothing but the timer and other cores may interrupt.
pub(crate) fn init_core(core: usize) {
    // SAFETY: the processor has an APIC; bit 11 turns it on.
    unsafe { write_msr(msr::APIC_BASE, read_msr(msr::APIC_BASE) | 1 << 11) };
    write(SPURIOUS_VECTOR, ENABLE | SPURIOUS as u32);
    write(LINT0, MASKED);
    write(LINT1, MASKED);
    write(PRIORITY, 0);
    write(DIVIDE, BY_ONE);
    let mode = if features::has(DEADLINE) { DEADLINE_MODE } else { 0 };
    write(TIMER_VECTOR, mode | TIMER as u32);
    IDS[core & (MAX_CORES - 1)].store(u64::from(read(ID) >> 24), Ordering::Relaxed);
}

/// This core's id.
pub(crate) fn id() -> u32 {
    read(ID) >> 24
}

/// The id of a core that was initialised.
pub(crate) fn id_of(core: usize) -> u32 {
    IDS[core & (MAX_CORES - 1)].load(Ordering::Relaxed) as u32
}

/// Lets the timer count down from its largest value, without interrupting, to be calibrated.
pub(crate) fn run_timer() {
    write(DIVIDE, BY_ONE);
    write(TIMER_VECTOR, MASKED | TIMER as u32);
    write(INITIAL, u32::MAX);
}

/// How far it has counted.
pub(crate) fn timer_count() -> u32 {
    u32::MAX - read(CURRENT)
}

/// Sets the timer's rate: `ticks` of it pass in `clock` ticks of the clock.
pub(crate) fn set_rate(ticks: u64, clock: u64) {
    write(INITIAL, 0);
    RATE.store((ticks << 32) / clock.max(1), Ordering::Relaxed);
}

/// Interrupts this core at `time` of the clock, or never.
#[inline]
pub(crate) fn set_deadline(time: Option<u64>) {
    if features::has(DEADLINE) {
        // SAFETY: the processor has the register; 0 disarms.
        unsafe { write_msr(msr::TSC_DEADLINE, time.unwrap_or(0)) };
        return;
    }
    let count = time.map_or(0, |time| {
        let left = time.saturating_sub(tsc()).min(1 << 40);
        ((u128::from(left) * u128::from(RATE.load(Ordering::Relaxed))) >> 32).clamp(1, u32::MAX.into()) as u32
    });
    write(INITIAL, count);
}

/// The interrupt was taken.
#[inline]
pub(crate) fn end() {
    write(END, 0);
}

fn command(apic: u32, command: u32) {
    write(COMMAND_HIGH, apic << 24);
    write(COMMAND_LOW, command);
    while read(COMMAND_LOW) & PENDING != 0 {
        crate::cpu::relax();
    }
}

/// Interrupts another core.
pub(crate) fn kick(core: usize) {
    command(id_of(core), 0x4000 | KICK as u32);
}

/// Resets a core.
pub(crate) fn reset(apic: u32) {
    command(apic, INIT);
}

/// Starts a core that was reset at a page below 1 MiB.
pub(crate) fn start(apic: u32, page: u64) {
    command(apic, START_UP | (page >> 12) as u32);
}
