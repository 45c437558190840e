//! FPU and SIMD registers, switched lazily: they stay with their last user on a core until another thread needs them.
//!
//! One design rule: with several cores a thread may go on on another one, so its registers are saved when it leaves a
//! core; they are loaded again only where another thread used the FPU meanwhile, or the thread itself elsewhere.

use crate::registers::{isb, read, write};
use core::cell::UnsafeCell;
use kernel_core::{Id, OBJECTS};

/// Saved registers of one thread.
#[repr(C, align(16))]
struct State {
    v: [u128; 32],
    fpcr: u64,
    fpsr: u64,
}

struct States([UnsafeCell<State>; OBJECTS]);
// SAFETY: a thread's state is touched by the core that switches to or from the thread, which holds the kernel lock or
// is the only one that has the thread loaded.
unsafe impl Sync for States {}

static STATES: States = States([const { UnsafeCell::new(State { v: [0; 32], fpcr: 0, fpsr: 0 }) }; OBJECTS]);

/// Lets EL0 use the FPU, or trap.
pub(crate) fn allow(on: bool) {
    let value = if on { 3u64 << 20 } else { 1 << 20 };
    // SAFETY: CPACR_EL1.FPEN only decides whether EL0's uses trap; EL1 code uses no FPU register outside this module.
    unsafe { write!("cpacr_el1", value) };
    isb();
}

/// Saves the FPU registers as those of `id`.
pub(crate) fn save(id: Id) {
    let state = STATES.0[id.slot()].get();
    let (fpcr, fpsr) = (read!("s3_3_c4_c4_0"), read!("s3_3_c4_c4_1"));
    // SAFETY: `state` is valid for 528 bytes and belongs to this core now (rule of `STATES`).
    unsafe {
        core::arch::asm!(
            ".arch_extension fp", ".arch_extension simd",
            "stp q0, q1, [{s}, #0]", "stp q2, q3, [{s}, #32]", "stp q4, q5, [{s}, #64]", "stp q6, q7, [{s}, #96]",
            "stp q8, q9, [{s}, #128]", "stp q10, q11, [{s}, #160]", "stp q12, q13, [{s}, #192]",
            "stp q14, q15, [{s}, #224]", "stp q16, q17, [{s}, #256]", "stp q18, q19, [{s}, #288]",
            "stp q20, q21, [{s}, #320]", "stp q22, q23, [{s}, #352]", "stp q24, q25, [{s}, #384]",
            "stp q26, q27, [{s}, #416]", "stp q28, q29, [{s}, #448]", "stp q30, q31, [{s}, #480]",
            s = in(reg) state, options(nostack, preserves_flags)
        );
        (*state).fpcr = fpcr;
        (*state).fpsr = fpsr;
    }
}

/// Loads the FPU registers of `id`.
pub(crate) fn load(id: Id) {
    let state = STATES.0[id.slot()].get();
    // SAFETY: as in `save`; the kernel keeps nothing in these registers.
    unsafe {
        core::arch::asm!(
            ".arch_extension fp", ".arch_extension simd",
            "ldp q0, q1, [{s}, #0]", "ldp q2, q3, [{s}, #32]", "ldp q4, q5, [{s}, #64]", "ldp q6, q7, [{s}, #96]",
            "ldp q8, q9, [{s}, #128]", "ldp q10, q11, [{s}, #160]", "ldp q12, q13, [{s}, #192]",
            "ldp q14, q15, [{s}, #224]", "ldp q16, q17, [{s}, #256]", "ldp q18, q19, [{s}, #288]",
            "ldp q20, q21, [{s}, #320]", "ldp q22, q23, [{s}, #352]", "ldp q24, q25, [{s}, #384]",
            "ldp q26, q27, [{s}, #416]", "ldp q28, q29, [{s}, #448]", "ldp q30, q31, [{s}, #480]",
            s = in(reg) state, options(nostack, preserves_flags)
        );
        write!("s3_3_c4_c4_0", (*state).fpcr);
        write!("s3_3_c4_c4_1", (*state).fpsr);
    }
}
