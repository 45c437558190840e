//! Faults on order, for the containment tests. Compiled only with the feature `fault-injection`, which no release
//! program has (a test looks).
//!
//! One design rule: a PD does here what it would do after it was taken over: it uses its own rights to the full, and
//! nobody else's. Orders lie in a page that this PD alone maps, `fault_orders`.

use crate::{backend, health, symbols};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use ipc_injection::{AREA_WORDS, AREAS, FIRST_AREA, GROWTH, KIND, Kind, MAX_AREAS, TAKEN, TARGET, WATCH};
use ipc_ring::SLOT_WORDS;
use ipc_ring::layout::{HEAD, SLOTS, TAIL, capacity};
use memory_region::Writable;

/// What the watched word was when the order was first seen, plus one; 0: not yet seen.
static BASE: AtomicU64 = AtomicU64::new(0);

/// Memory as 64-bit words at an address that an order names.
fn words(address: u64, bytes: u64) -> Writable<'static> {
    // SAFETY: an order names regions of this PD, from the description the image was built of, or memory that it does
    // not have, in which case the access ends in the fault that was asked for.
    unsafe { Writable::new(address as *mut u8, bytes as usize) }
}

fn orders() -> Option<Writable<'static>> {
    let address = symbols::orders_address() as u64;
    (address != 0).then(|| words(address, ipc_injection::PAGE as u64))
}

/// Obeys an order whose time has come. Called whenever an event or a step of one begins.
pub(crate) fn look() {
    let Some(page) = orders() else { return };
    let Some(kind) = Kind::from_word(page.load(KIND, Relaxed)) else { return };
    if is_due(&page) {
        BASE.store(0, Relaxed);
        page.store(KIND, 0, Relaxed);
        page.store(TAKEN, page.load(TAKEN, Relaxed) + 1, Relaxed);
        obey(kind, &page);
    }
}

fn is_due(page: &Writable<'static>) -> bool {
    let watch = page.load(WATCH, Relaxed);
    if watch == 0 {
        return true;
    }
    let now = words(watch, 8).load(0, Relaxed);
    if BASE.load(Relaxed) == 0 {
        BASE.store(now.wrapping_add(1), Relaxed);
    }
    now.wrapping_sub(BASE.load(Relaxed).wrapping_sub(1)) >= page.load(GROWTH, Relaxed)
}

fn obey(kind: Kind, page: &Writable<'static>) {
    let target = page.load(TARGET, Relaxed);
    match kind {
        Kind::Read => read(target),
        Kind::Write => write(target),
        Kind::Jump => jump(target),
        Kind::Overflow => overflow(1),
        Kind::Illegal => backend::abort(),
        Kind::Loop => loop {
            core::hint::spin_loop();
        },
        Kind::Flood => loop {
            each_area(page, flood);
            signal_everybody();
        },
        Kind::Garbage => {
            each_area(page, fill);
            signal_everybody();
        }
        Kind::Silence => {
            health::idle();
            loop {
                backend::receive();
            }
        }
    }
}

fn read(target: u64) {
    // SAFETY: a volatile access of memory that this PD does not have ends in a fault; of memory that it has, it reads.
    core::hint::black_box(unsafe { (target as usize as *const u64).read_volatile() });
}

fn write(target: u64) {
    // SAFETY: as in `read`; no order names memory of this PD that Rust knows of.
    unsafe { (target as usize as *mut u64).write_volatile(0xdead) }
}

fn jump(target: u64) {
    // SAFETY: none is possible: control goes to memory that holds no code, which the order asks for. The page is not
    // executable, so the processor faults before it executes anything.
    let code: extern "C" fn() = unsafe { core::mem::transmute(target as usize as *const ()) };
    code();
}

#[inline(never)]
fn overflow(depth: u64) {
    let frame = core::hint::black_box([depth; 64]);
    if frame[(depth % 64) as usize] != 0 {
        overflow(depth + 1);
    }
    core::hint::black_box(&frame);
}

fn each_area(page: &Writable<'static>, act: fn(Writable<'static>, u64)) {
    let count = (page.load(AREAS, Relaxed) as usize).min(MAX_AREAS);
    for first in (0..count).map(|index| FIRST_AREA + index * AREA_WORDS) {
        let [address, bytes, peer] = core::array::from_fn(|i| page.load(first + i, Relaxed));
        act(words(address, bytes), peer);
    }
}

/// Claims a full queue of copies of the last message; a region that is no link is left alone.
fn flood(region: Writable<'static>, peer: u64) {
    if peer == 0 {
        return;
    }
    let slots = capacity(region.words(), SLOT_WORDS);
    let last = SLOTS + (region.load(TAIL, Relaxed).wrapping_sub(1) & (slots - 1)) as usize * SLOT_WORDS;
    for slot in (0..slots as usize).map(|index| SLOTS + index * SLOT_WORDS).filter(|slot| *slot != last) {
        for word in 0..SLOT_WORDS {
            region.store(slot + word, region.load(last + word, Relaxed), Relaxed);
        }
    }
    let taken = words(peer, (SLOTS * 8) as u64).load(HEAD, Relaxed);
    region.store(TAIL, taken + slots, Relaxed);
}

/// SplitMix64 (Steele, Lea, Flood 2014), seeded with the counter.
fn fill(region: Writable<'static>, _: u64) {
    let mut state = backend::ticks();
    for index in 0..region.words() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        region.store(index, mixed ^ (mixed >> 31), Relaxed);
        if index % 0x10000 == 0 {
            health::alive();
        }
    }
}

fn signal_everybody() {
    let wired = (0..62).map(crate::Channel::new).filter(|channel| symbols::has_notify_channel(*channel));
    wired.for_each(|channel| channel.notify());
}
