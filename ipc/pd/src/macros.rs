//! What a PD's `main.rs` is made of.

/// Declares the entry of a PD: `protection_domain!(init)` with `fn init() -> impl Handler`.
#[macro_export]
macro_rules! protection_domain {
    ($init:path) => {
        #[cfg(any(target_os = "none", cloister_pd))]
        #[unsafe(no_mangle)]
        extern "C" fn cloister_pd_main() -> ! {
            $crate::private::init_heap();
            $crate::run($init())
        }
    };
}

/// Declares a variable pair that the image builder sets, and reads it: `memory_region_symbol!(weights, weights_size)`
/// is a [`crate::RegionSymbol`].
#[macro_export]
macro_rules! memory_region_symbol {
    (@address $address:ident) => {{
        mod patched {
            #![allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            #[used]
            pub static $address: u64 = 0;
        }
        $crate::RegionSymbol::read(&patched::$address, &patched::$address).address
    }};
    ($address:ident, $size:ident) => {{
        mod patched {
            #![allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            #[used]
            pub static $address: u64 = 0;
            #[unsafe(no_mangle)]
            #[used]
            pub static $size: u64 = 0;
        }
        $crate::RegionSymbol::read(&patched::$address, &patched::$size)
    }};
}

/// Declares the regions of a PD as functions that return `Option` of a view (`None`: not mapped).
///
/// ```ignore
/// ipc_pd::regions! {
///     console_to_session, console_to_session_size: Writable;   // this PD alone writes it
///     session_to_console, session_to_console_size: Readable;   // a peer writes it
///     kv_cache, kv_cache_size: Exclusive;                       // no other PD maps it: `&'static mut [u8]`, once
///     weights, weights_size: Sealed;                            // nobody writes it while it is used: `&'static [u8]`
///     outbox, outbox_size: Words;                               // one writer, 32-bit atomics: `&'static [AtomicU32]`
///     uart, uart_size: Device;                                  // a driver's `memory_mmio::Mmio`, once
///     com1, com1_id: Ports;                                     // a driver's `PortRange`, once (setvar_addr and setvar_id)
///     queue, queue_size, queue_paddr: Dma;                      // a driver's `memory_mmio::Dma`; the third by setvar region_paddr
/// }
/// ```
/// The kinds are promises about the system description, which the image builder's rules check: one writer per
/// region, an exclusive region mapped in one PD only, a device region mapped once.
#[macro_export]
macro_rules! regions {
    ($($address:ident, $size:ident $(, $physical:ident)? : $kind:ident;)*) => {
        $($crate::regions!(@one $kind $address $size $($physical)?);)*
    };
    (@one Writable $address:ident $size:ident) => {
        fn $address() -> Option<$crate::private::Writable<'static>> {
            let region = $crate::memory_region_symbol!($address, $size);
            // SAFETY: the image builder set the two variables to a page-aligned mapping that lives as long as the PD;
            // its rules allow one writer per region, and all sides use atomic views.
            region.is_mapped().then(|| unsafe {
                $crate::private::Writable::new(region.address as *mut u8, region.size)
            })
        }
    };
    (@one Readable $address:ident $size:ident) => {
        fn $address() -> Option<$crate::private::Readable<'static>> {
            let region = $crate::memory_region_symbol!($address, $size);
            // SAFETY: as for a writable region, and this view never stores.
            region.is_mapped().then(|| unsafe {
                $crate::private::Readable::new(region.address as *const u8, region.size)
            })
        }
    };
    (@one Exclusive $address:ident $size:ident) => {
        fn $address() -> Option<&'static mut [u8]> {
            static TAKEN: core::sync::atomic::AtomicBool = core::sync::atomic::AtomicBool::new(false);
            let region = $crate::memory_region_symbol!($address, $size);
            let first = region.is_mapped() && $crate::private::take_once(&TAKEN);
            // SAFETY: the mapping lives as long as the PD, the image builder's rules let no other PD map it, and
            // `TAKEN` lets this PD make one reference only.
            first.then(|| unsafe { core::slice::from_raw_parts_mut(region.address as *mut u8, region.size) })
        }
    };
    (@one Sealed $address:ident $size:ident) => {
        fn $address() -> Option<&'static [u8]> {
            let region = $crate::memory_region_symbol!($address, $size);
            // SAFETY: the mapping lives as long as the PD. Its writer is stopped before this PD is told to look at
            // the bytes, and this PD drops what it derived from them before the writer runs again (docs/adr/0003).
            region.is_mapped().then(|| unsafe {
                core::slice::from_raw_parts(region.address as *const u8, region.size)
            })
        }
    };
    (@one Words $address:ident $size:ident) => {
        fn $address() -> Option<&'static [core::sync::atomic::AtomicU32]> {
            let region = $crate::memory_region_symbol!($address, $size);
            // SAFETY: the mapping is page-aligned and lives as long as the PD, and all sides use atomics. A PD that maps
            // it read-only only loads (a store there ends in a fault, not in a race).
            region.is_mapped().then(|| unsafe {
                core::slice::from_raw_parts(region.address as *const core::sync::atomic::AtomicU32, region.size / 4)
            })
        }
    };
    (@one Device $address:ident $size:ident) => {
        fn $address() -> Option<$crate::private::Mmio<'static>> {
            static TAKEN: core::sync::atomic::AtomicBool = core::sync::atomic::AtomicBool::new(false);
            let region = $crate::memory_region_symbol!($address, $size);
            let first = region.is_mapped() && $crate::private::take_once(&TAKEN);
            // SAFETY: the mapping is device memory that lives as long as the PD, the image builder's rules let no other
            // PD map it, and `TAKEN` lets this PD make one view only.
            first.then(|| unsafe { $crate::private::Mmio::new(region.address, region.size) }).flatten()
        }
    };
    (@one Ports $address:ident $id:ident) => {
        fn $address() -> Option<$crate::PortRange> {
            static TAKEN: core::sync::atomic::AtomicBool = core::sync::atomic::AtomicBool::new(false);
            let ports = $crate::memory_region_symbol!($address, $id);
            let first = ports.address != 0 && $crate::private::take_once(&TAKEN);
            first.then(|| $crate::PortRange::new(ports.address as u16, ports.size as u8))
        }
    };
    (@one Dma $address:ident $size:ident $physical:ident) => {
        fn $address() -> Option<$crate::private::Dma> {
            let region = $crate::memory_region_symbol!($address, $size);
            let physical = $crate::memory_region_symbol!(@address $physical);
            // SAFETY: the image builder set the variables to a mapping that lives as long as the PD and to its physical
            // address, and this PD declares the region with no other kind, so makes no reference to it.
            region.is_mapped().then(|| unsafe {
                $crate::private::Dma::new(region.address, region.size, physical as u64)
            }).flatten()
        }
    };
}

/// Declares variables that `setvar region_paddr` sets, as functions that return the physical address (0: not set).
#[macro_export]
macro_rules! addresses {
    ($($physical:ident;)*) => {
        $(fn $physical() -> u64 {
            $crate::memory_region_symbol!(@address $physical) as u64
        })*
    };
}
