//! The kernel on x86-64: boot, traps, address spaces, interrupts, clock, cores, I/O ports.
//!
//! One design rule: this crate decides nothing. It turns registers and memory into the calls of `kernel-core` and
//! back; every choice about threads and messages is made there.
//!
//! Limits: xAPIC, I/O APICs that ACPI names, COM1, RAM below 4 GiB, a TSC that runs alike on all cores. Empty on any
//! other target, so the workspace builds on the host.
#![no_std]
#![cfg(all(target_arch = "x86_64", target_os = "none"))]

mod apic;
mod boot;
mod calibrate;
mod console;
mod context;
mod cpu;
mod descriptors;
mod entry;
mod features;
mod fpu;
mod interrupts;
mod io_apic;
mod linear;
mod log;
mod machine;
mod memory_test;
mod mmu;
mod percpu;
mod port;
mod start;
mod trap;

pub use console::Console;
pub use cpu::halt;
pub use start::{Platform, start};
