//! FPU and SIMD registers, switched eagerly: saved when a thread leaves a core, loaded when one comes that may use
//! them.
//!
//! One design rule: no thread ever executes with the values of another in these registers, not even where using them
//! would trap: processors have been known to compute with them before the trap (CVE-2018-3665).

use crate::cpu::cpuid;
use crate::features::{self, XSAVE};
use core::arch::asm;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};
use kernel_core::{Id, OBJECTS};

/// x87, SSE, AVX and AVX-512 in the standard layout take 2688 bytes.
const AREA: usize = 2752;
const X87_SSE: u32 = 3;
const AVX: u32 = 1 << 2;
const AVX512: u32 = 7 << 5;

/// Saved registers of one thread, as XSAVE or FXSAVE lays them out.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Area([u8; AREA]);

struct Areas(UnsafeCell<[Area; OBJECTS + 1]>);
// SAFETY: a thread's area is touched by the core that switches to or from the thread, which holds the kernel lock;
// the last one is only read.
unsafe impl Sync for Areas {}
static AREAS: Areas = Areas(UnsafeCell::new([const { Area([0; AREA]) }; OBJECTS + 1]));

/// Components that are switched; 0 where the processor has no XSAVE.
static COMPONENTS: AtomicU32 = AtomicU32::new(0);

/// The register sets that are switched, by name.
pub(crate) fn switched() -> &'static str {
    match COMPONENTS.load(Ordering::Relaxed) {
        all if all & AVX512 == AVX512 => "x87, SSE, AVX, AVX-512",
        some if some & AVX != 0 => "x87, SSE, AVX",
        _ => "x87, SSE",
    }
}

const CONTROL_WORD: usize = 0;
const MXCSR: usize = 24;

fn area(slot: usize) -> *mut Area {
    // SAFETY: slots are below `OBJECTS`, and the last area is one more.
    unsafe { AREAS.0.get().cast::<Area>().add(slot.min(OBJECTS)) }
}

/// Of the components that the processor has, those that are switched: AVX-512 as a whole, and only what fits the areas.
fn chosen(supported: u32) -> u32 {
    let fits = |set: u32| {
        let mut members =
            (0..32).filter(|component| set >> component & 1 == 1).map(|component| cpuid(0xd, component));
        supported & set == set
            && members.all(|place| u64::from(place.ebx) + u64::from(place.eax) <= AREA as u64)
    };
    match (fits(AVX), fits(AVX512)) {
        (true, true) => X87_SSE | AVX | AVX512,
        (true, false) => X87_SSE | AVX,
        (false, _) => X87_SSE,
    }
}

/// Chooses the components and makes all areas those of a fresh FPU.
pub(crate) fn init() {
    if features::has(XSAVE) {
        COMPONENTS.store(chosen(cpuid(0xd, 0).eax), Ordering::Relaxed);
    }
    for slot in 0..=OBJECTS {
        let area = area(slot).cast::<u8>();
        // SAFETY: the first core is alone, and both places lie in the area.
        unsafe {
            area.add(CONTROL_WORD).cast::<u16>().write(0x37f);
            area.add(MXCSR).cast::<u32>().write(0x1f80);
        }
    }
}

/// Turns the chosen components on for the executing core, and the FPU off.
pub(crate) fn init_core() {
    let components = COMPONENTS.load(Ordering::Relaxed);
    if components != 0 {
        // SAFETY: CR4 has XSAVE on, and the processor named these components.
        unsafe { asm!("xsetbv", in("ecx") 0, in("eax") components, in("edx") 0, options(nomem, nostack)) }
    }
    allow(true);
    load_slot(OBJECTS);
    allow(false);
}

/// Lets threads (and this module) use the FPU, or trap.
pub(crate) fn allow(on: bool) {
    // SAFETY: the flag only decides whether uses trap; the kernel uses no FPU register outside of this module.
    unsafe {
        if on {
            asm!("clts", options(nomem, nostack, preserves_flags));
        } else {
            asm!("mov {r}, cr0", "or {r}, 8", "mov cr0, {r}", r = out(reg) _, options(nomem, nostack));
        }
    }
}

/// Saves the registers as those of `id`. The FPU is allowed.
pub(crate) fn save(id: Id) {
    let (area, components) = (area(id.slot()), COMPONENTS.load(Ordering::Relaxed));
    // SAFETY: the area is aligned, large enough for the components, and belongs to this core now.
    unsafe {
        if components != 0 {
            asm!("xsave64 [{}]", in(reg) area, in("eax") components, in("edx") 0, options(nostack, preserves_flags));
        } else {
            asm!("fxsave64 [{}]", in(reg) area, options(nostack, preserves_flags));
        }
    }
}

/// Loads the registers of `id`. The FPU is allowed.
pub(crate) fn load(id: Id) {
    load_slot(id.slot());
}

/// Makes the registers those of a fresh FPU, so that nothing is left of the thread before.
pub(crate) fn clear() {
    load_slot(OBJECTS);
}

fn load_slot(slot: usize) {
    let (area, components) = (area(slot), COMPONENTS.load(Ordering::Relaxed));
    // SAFETY: the area holds what `init` or `save` wrote.
    unsafe {
        if components != 0 {
            asm!("xrstor64 [{}]", in(reg) area, in("eax") components, in("edx") 0, options(nostack, preserves_flags));
        } else {
            asm!("fxrstor64 [{}]", in(reg) area, options(nostack, preserves_flags));
        }
    }
}
