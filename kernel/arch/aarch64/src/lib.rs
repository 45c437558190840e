//! The kernel on AArch64: boot, traps, address spaces, interrupts, clock, cores.
//!
//! One design rule: this crate decides nothing. It turns registers and memory into the calls of `kernel-core` and
//! back; every choice about threads and messages is made there.
//!
//! Limits: GICv2, PSCI, one PL011, 4 KiB granule, RAM below 512 GiB. Empty on any other target, so the workspace
//! builds on the host.
#![no_std]
#![cfg(all(target_arch = "aarch64", target_os = "none"))]

mod boot;
mod console;
mod context;
mod fpu;
mod gic;
mod linear;
mod machine;
mod mmu;
mod percpu;
mod psci;
mod registers;
mod start;
mod trap;
mod vectors;

pub use console::Console;
pub use start::{Platform, halt, start};
