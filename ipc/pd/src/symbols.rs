//! The variables that the image builder sets in a PD's ELF.
//!
//! They are constants of the program as far as the program is concerned, so they lie in read-only memory, and a
//! restarted PD still has them. They are read volatile, because their values are not those in the source.

use core::sync::atomic::{AtomicBool, Ordering};

/// The address and size of a region, set by `setvar_vaddr` and `setvar_size`; zero where it is not mapped.
#[derive(Clone, Copy, Debug)]
pub struct RegionSymbol {
    /// Virtual address.
    pub address: usize,
    /// Bytes.
    pub size: usize,
}

impl RegionSymbol {
    /// Reads the two patched variables.
    pub fn read(address: &'static u64, size: &'static u64) -> Self {
        Self { address: read(address) as usize, size: read(size) as usize }
    }
    /// Whether the system description maps it.
    pub fn is_mapped(&self) -> bool {
        self.address != 0 && self.size != 0
    }
}

fn read(variable: &'static u64) -> u64 {
    // SAFETY: a reference is valid to read; volatile only keeps the compiler from assuming the value in the source.
    unsafe { core::ptr::read_volatile(variable) }
}

/// Whether this is the first time that `taken` is asked. An exclusive region may be handed out once.
pub fn take_once(taken: &AtomicBool) -> bool {
    !taken.swap(true, Ordering::Relaxed)
}

#[cfg(any(target_os = "none", cloister_pd))]
mod patched {
    #![allow(non_upper_case_globals)]
    #[unsafe(no_mangle)]
    #[used]
    pub static microkit_name: [u8; 64] = [0; 64];
    #[unsafe(no_mangle)]
    #[used]
    pub static microkit_passive: u8 = 0;
    #[unsafe(no_mangle)]
    #[used]
    pub static microkit_irqs: u64 = 0;
    #[unsafe(no_mangle)]
    #[used]
    pub static microkit_notifications: u64 = 0;
    #[unsafe(no_mangle)]
    #[used]
    pub static microkit_pps: u64 = 0;
    #[unsafe(no_mangle)]
    #[used]
    pub static microkit_ioports: u64 = 0;
    /// This PD's health page.
    #[unsafe(no_mangle)]
    #[used]
    pub static health: u64 = 0;
    /// The page of orders of the containment tests.
    #[cfg(feature = "fault-injection")]
    #[unsafe(no_mangle)]
    #[used]
    pub static fault_orders: u64 = 0;
}

#[cfg(any(target_os = "none", cloister_pd))]
mod real {
    use super::{patched, read};

    /// This PD's name in the system description.
    pub fn pd_name() -> &'static str {
        // SAFETY: a reference is valid to read. The array is never written at run time; the read is volatile because
        // its contents are not those in the source. The result is leaked into no static: only its length is used.
        let name = unsafe { core::ptr::read_volatile(&patched::microkit_name) };
        let length = name.iter().position(|b| *b == 0).unwrap_or(name.len());
        let bytes: &'static [u8; 64] = core::hint::black_box(&patched::microkit_name);
        core::str::from_utf8(&bytes[..length]).unwrap_or("?")
    }
    /// Whether the system description wires a notification channel with this id.
    pub fn has_notify_channel(channel: crate::Channel) -> bool {
        read(&patched::microkit_notifications) >> channel.id() & 1 == 1
    }
    pub(crate) fn irqs() -> u64 {
        read(&patched::microkit_irqs)
    }
    pub(crate) fn is_passive() -> bool {
        // SAFETY: a reference is valid to read; volatile because the image builder changes it.
        unsafe { core::ptr::read_volatile(&patched::microkit_passive) != 0 }
    }
    pub(crate) fn health_address() -> usize {
        read(&patched::health) as usize
    }
    #[cfg(feature = "fault-injection")]
    pub(crate) fn orders_address() -> usize {
        read(&patched::fault_orders) as usize
    }
}

#[cfg(any(target_os = "none", cloister_pd))]
pub use real::*;

#[cfg(not(any(target_os = "none", cloister_pd)))]
mod hosted {
    /// The name that the hosted system gave the PD of this thread.
    pub fn pd_name() -> &'static str {
        crate::hosted::with_kernel(|kernel| kernel.name())
    }
    /// Whether the hosted system wires a notification channel with this id.
    pub fn has_notify_channel(channel: crate::Channel) -> bool {
        crate::hosted::with_kernel(|kernel| kernel.has_notify_channel(channel))
    }
}

#[cfg(not(any(target_os = "none", cloister_pd)))]
pub use hosted::*;
