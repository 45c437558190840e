//! The portable core of the kernel: threads, endpoints, notifications, reply objects and scheduling contexts.
//!
//! One design rule: every protection domain has exactly one object of each kind, made at boot, so all objects live
//! in tables of 64 entries that one small [`Id`] indexes and no operation allocates, searches or can fail half-way.
//! What an instruction set decides (registers, clocks, address spaces, other cores) is behind [`Arch`].
//!
//! The semantics are those of seL4 16.0.0 with MCS scheduling as a Microkit protection domain sees it. The caller
//! holds one lock over the whole [`Kernel`]; nothing here waits.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod arch;
mod capability;
mod configure;
pub mod device_tree;
mod fast;
mod fault;
mod id;
mod invoke;
mod ipc;
pub mod memory_test;
mod notify;
mod object;
pub mod pc;
mod port;
mod ready;
mod refill;
mod reply;
mod schedule;
mod syscall;
#[cfg(test)]
mod tests;
mod turn;

pub use arch::{Arch, Frame};
pub use capability::{Capability, LookupFailure, SLOTS};
pub use configure::ConfigureError;
pub use fault::Fault;
pub use id::{Id, OBJECTS, Table};
pub use object::{Kernel, MAX_CORES, State};
