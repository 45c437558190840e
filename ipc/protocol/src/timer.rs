//! Timer: protected calls. A client asks to be signalled later on the channel it calls on.
//!
//! A client that must not call (the supervisor: the timer could fault inside the call, and nobody could restart it)
//! signals the timer on that channel instead, which sets a timeout of [`TICK_MICROS`].

/// Label: set this client's timeout; word 0 is microseconds from now. Replaces an earlier one. Answer: label 0.
pub const SET_TIMEOUT: u64 = 1;
/// Label: forget this client's timeout. Answer: label 0.
pub const CANCEL_TIMEOUT: u64 = 2;
/// Label: wall clock. Answer: label 0, word 0 is seconds since 1970 (UTC), 0 when the board has no clock.
pub const WALL_CLOCK: u64 = 3;
/// Answer label to a request that the timer does not know.
pub const UNKNOWN: u64 = 1;
/// What a signal on a client's channel asks for: as [`SET_TIMEOUT`] with this many microseconds.
pub const TICK_MICROS: u64 = 50_000;
