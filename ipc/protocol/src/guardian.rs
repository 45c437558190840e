//! What the guardian leaves in its health page about the last failure of the supervisor: gauges.

/// Gauge: the fault's label, or [`HUNG`].
pub const CAUSE: usize = 1;
/// Gauge: the first word of the fault's message; for [`HUNG`] milliseconds.
pub const WORD: usize = 2;
/// Words kept of a fault's message.
pub const WORDS: usize = 5;
/// Gauge: restarts of the supervisor since boot.
pub const COUNT: usize = 7;
/// Cause: no sign of life.
pub const HUNG: u64 = u64::MAX;
