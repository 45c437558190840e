//! The health page: what a PD tells the supervisor about itself, in a region that it alone writes.
//!
//! One design rule: the supervisor believes nothing here but uses it for display, for the watchdog, and as the
//! address to restart at, all of which concern only the PD that wrote it.
//! A PD whose system description maps no `health` page runs all the same.

use crate::{backend, clock};
use core::sync::atomic::Ordering::Relaxed;

/// Word: the address to restart at.
pub const ENTRY: usize = 0;
/// Word: starts so far.
pub const STARTS: usize = 1;
/// Word: events handled, and steps within a long one.
pub const HEARTBEAT: usize = 2;
/// Word: tick at which the event in work began; 0 when the PD waits.
pub const BUSY_SINCE: usize = 3;
/// Word: ticks spent in events so far.
pub const BUSY_TICKS: usize = 4;
/// First of eight words that each PD defines for itself (queue depths, counters).
pub const GAUGES: usize = 8;
/// The gauge that means the same in every PD: requests that wait or are under way.
pub const QUEUE: usize = 0;
/// Number of gauges.
pub const GAUGE_COUNT: usize = 8;
/// First word of the last panic's text; empty again once the PD has restarted.
pub const TEXT: usize = 16;
/// Its size in bytes, padded with zeros.
pub const TEXT_BYTES: usize = 256;

/// Called by the runtime when the PD starts.
pub fn started(entry: u64) {
    let Some(page) = backend::health_page() else { return };
    page.store(ENTRY, entry, Relaxed);
    page.store(STARTS, page.load(STARTS, Relaxed).wrapping_add(1), Relaxed);
    page.store(BUSY_SINCE, clock::ticks(), Relaxed);
    page.store(TEXT, 0, Relaxed);
}

/// How often this PD has started, this time included.
pub fn starts() -> u64 {
    backend::health_page().map_or(1, |page| page.load(STARTS, Relaxed))
}

/// This PD's own page, as the supervisor sees it.
pub fn own_page() -> Option<memory_region::Readable<'static>> {
    backend::health_page().map(|page| page.as_readable())
}

/// An event begins.
pub fn busy() {
    let Some(page) = backend::health_page() else { return };
    page.store(BUSY_SINCE, clock::ticks().max(1), Relaxed);
    look_for_orders();
}

/// An event ends.
pub fn idle() {
    let Some(page) = backend::health_page() else { return };
    let since = page.load(BUSY_SINCE, Relaxed);
    let spent = clock::ticks().saturating_sub(since);
    page.store(BUSY_TICKS, page.load(BUSY_TICKS, Relaxed).wrapping_add(spent), Relaxed);
    page.store(BUSY_SINCE, 0, Relaxed);
    alive();
}

/// A step of a long event is done: tells the watchdog that the PD is alive.
pub fn beat() {
    alive();
    look_for_orders();
}

/// The place in a PD's life at which the containment tests may strike; nothing in a release program.
fn look_for_orders() {
    #[cfg(all(feature = "fault-injection", any(target_os = "none", cloister_pd)))]
    crate::injection::look();
}

pub(crate) fn alive() {
    let Some(page) = backend::health_page() else { return };
    page.store(HEARTBEAT, page.load(HEARTBEAT, Relaxed).wrapping_add(1), Relaxed);
}

/// Sets one of the PD's own gauges.
pub fn gauge(index: usize, value: u64) {
    if let Some(page) = backend::health_page().filter(|_| index < GAUGE_COUNT) {
        page.store(GAUGES + index, value, Relaxed);
    }
}

/// Leaves the text of a panic.
pub fn last_words(text: &str) {
    if let Some(page) = backend::health_page() {
        let mut padded = [0; TEXT_BYTES];
        let length = text.len().min(TEXT_BYTES);
        padded[..length].copy_from_slice(&text.as_bytes()[..length]);
        page.copy_in(TEXT * 8, &padded);
    }
}
