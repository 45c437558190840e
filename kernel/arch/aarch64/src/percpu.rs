//! What each core has for itself: a stack, and at its top this record, found through `TPIDR_EL1`.

use kernel_core::{Id, MAX_CORES};

/// Bytes of stack per core.
pub(crate) const STACK: usize = 16 * 1024;
/// Room for the record at the top of the stack.
const RECORD: usize = 256;

#[repr(C, align(4096))]
struct Stacks([[u8; STACK]; MAX_CORES]);

#[unsafe(no_mangle)]
#[unsafe(link_section = ".noinit")]
#[allow(non_upper_case_globals)]
static mut cloister_stack_0: Stacks = Stacks([[0; STACK]; MAX_CORES]);

/// One core's record. Only that core reads and writes it.
#[repr(C)]
pub(crate) struct PerCore {
    /// Number of the core.
    pub index: usize,
    /// The thread whose registers beyond the frame are loaded.
    pub loaded: Option<Id>,
    /// The thread whose FPU registers are loaded.
    pub fpu_owner: Option<Id>,
    /// Whether EL0 may use the FPU now.
    pub fpu_on: bool,
}

const _: () = assert!(size_of::<PerCore>() <= RECORD);

/// The executing core's record.
///
/// # Safety
/// The caller keeps the reference only while the kernel runs on this core without another such reference.
#[inline(always)]
pub(crate) unsafe fn this() -> &'static mut PerCore {
    let pointer = crate::registers::read!("tpidr_el1") as *mut PerCore;
    // SAFETY: TPIDR_EL1 points to this core's record since `set_stack`; the caller promised to be its only user.
    unsafe { &mut *pointer }
}

/// Makes the executing core's record.
///
/// # Safety
/// Once per core, before [`this`].
pub(crate) unsafe fn init(index: usize) {
    let pointer = crate::registers::read!("tpidr_el1") as *mut PerCore;
    let record = PerCore { index, loaded: None, fpu_owner: None, fpu_on: true };
    // SAFETY: `set_stack` left `RECORD` bytes for it above the stack pointer; the caller promised that none is in use.
    unsafe { pointer.write(record) }
}
