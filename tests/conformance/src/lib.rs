//! Tests of the kernel's interface from a protection domain's side: `system.xml` wires the programs of `src/bin`, each
//! tests one part, and `judge` prints a line for each result and at last `conformance: N passed, M failed`.
//!
//! One design rule: whatever is not about the runtime's own calls uses [`raw`], so a test says which registers it
//! gives and which it gets. Every expected value is seL4's.
#![no_std]

#[cfg(target_os = "none")]
pub mod arch;
#[cfg(target_os = "none")]
pub mod faults;
#[cfg(target_os = "none")]
pub mod raw;
pub mod report;
pub mod uart;
