//! Where the runtime's calls go: to the kernel, or on the host to the thread's [`hosted::HostKernel`].

#[cfg(all(any(target_os = "none", cloister_pd), target_arch = "aarch64"))]
#[path = "aarch64.rs"]
mod isa;
#[cfg(all(any(target_os = "none", cloister_pd), target_arch = "x86_64"))]
#[path = "x86_64.rs"]
mod isa;

#[cfg(all(cloister_pd, target_arch = "x86_64"))]
mod memory;

#[cfg(any(target_os = "none", cloister_pd))]
mod sel4;
#[cfg(any(target_os = "none", cloister_pd))]
pub(crate) use sel4::*;

#[cfg(not(any(target_os = "none", cloister_pd)))]
pub mod hosted;
#[cfg(not(any(target_os = "none", cloister_pd)))]
pub(crate) use hosted::{
    call, defer, frequency, frequency_stands, get_mr, health_page, interrupt_message, publish_frequency,
    send, set_mr, ticks, wait,
};
