//! The timer of this instruction set, where it has one.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::PhysicalTimer;

#[cfg(not(target_arch = "aarch64"))]
mod absent;
#[cfg(not(target_arch = "aarch64"))]
pub use absent::PhysicalTimer;
