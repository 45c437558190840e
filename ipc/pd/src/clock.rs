//! The counter that every PD may read.

use crate::backend;

/// Ticks since an arbitrary start, never going back.
pub fn ticks() -> u64 {
    backend::ticks()
}

/// Ticks per second.
pub fn frequency() -> u64 {
    backend::frequency()
}

/// Tells all PDs how fast the counter runs, where no instruction tells them; elsewhere nothing happens. Only the PD that
/// may write the clock page calls this.
pub fn publish(hertz: u64) {
    backend::publish_frequency(hertz);
}

/// Whether all PDs can still read what was published; for the PD that published it.
pub fn stands() -> bool {
    backend::frequency_stands()
}

/// `ticks` in microseconds.
pub fn to_micros(ticks: u64) -> u64 {
    (u128::from(ticks) * 1_000_000 / u128::from(frequency().max(1))) as u64
}

/// `micros` in ticks.
pub fn from_micros(micros: u64) -> u64 {
    (u128::from(micros) * u128::from(frequency()) / 1_000_000) as u64
}
