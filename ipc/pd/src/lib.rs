//! The runtime of a protection domain (PD), after rust-sel4's `sel4-microkit`, on stable Rust.
//!
//! One design rule: a PD that uses this crate is a standard Microkit PD. It speaks the ABI in `ipc/abi` and
//! nothing else, so the same ELF runs on Cloister's kernel and on the official one.
//!
//! A PD's `main.rs` names its regions ([`regions!`]), builds its handler and hands it to
//! [`protection_domain!`]. On the host (tests) the same calls go to a [`hosted::HostKernel`] of the thread.
//!
//! This is the only crate whose macros expand to `unsafe`, so every other crate of a PD can forbid it.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]

mod backend;
mod channel;
pub mod clock;
mod handler;
pub mod health;
#[cfg(all(feature = "fault-injection", any(target_os = "none", cloister_pd)))]
mod injection;
mod macros;
mod message;
mod ports;
mod symbols;

#[cfg(not(any(target_os = "none", cloister_pd)))]
pub use backend::hosted;
pub use channel::{Channel, ChannelSet, Child, ControlError};
pub use handler::{Handler, NullHandler, dispatch_fault, dispatch_notified, dispatch_protected, wait};
pub use message::{MessageInfo, get_mr, set_mr};
pub use ports::PortRange;
pub use symbols::{RegionSymbol, has_notify_channel, pd_name};

#[cfg(any(target_os = "none", cloister_pd))]
pub use handler::{poll, rest, run};

/// Overwrites what earlier calls left on the stack, [`SCRUBBED`] bytes below its caller's frame.
#[inline(never)]
pub fn scrub_stack() {
    core::hint::black_box(&mut [0u8; SCRUBBED]);
}

/// See [`scrub_stack`]; no PD that calls it has a stack of less than 128 KiB.
pub const SCRUBBED: usize = 64 * 1024;

#[doc(hidden)]
pub mod private {
    pub use crate::symbols::take_once;
    pub use memory_mmio::{Dma, Mmio, Ports};
    pub use memory_region::{Readable, Writable};

    /// Gives the heap, where the PD has one, its region.
    #[cfg(any(target_os = "none", cloister_pd))]
    pub fn init_heap() {
        #[cfg(feature = "heap")]
        crate::heap::init();
    }
}

#[cfg(all(feature = "heap", any(target_os = "none", cloister_pd)))]
pub mod heap;
