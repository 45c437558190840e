//! What each core has for itself: a stack, segments, and this record, found through the GS base.

use crate::cpu::{msr, write_msr};
use crate::descriptors::{self, FATAL_STACK, Segments, Task};
use core::cell::UnsafeCell;
use kernel_core::{Id, MAX_CORES};

/// Bytes of stack per core. The lowest page is not mapped.
pub(crate) const STACK: usize = 16 * 1024;

#[repr(C, align(4096))]
struct Stacks([[u8; STACK]; MAX_CORES]);

#[unsafe(no_mangle)]
#[unsafe(link_section = ".noinit")]
#[allow(non_upper_case_globals)]
static mut cloister_stack_0: Stacks = Stacks([[0; STACK]; MAX_CORES]);

#[repr(C, align(4096))]
struct FatalStacks([[u8; FATAL_STACK]; MAX_CORES]);
#[unsafe(link_section = ".noinit")]
static mut FATAL_STACKS: FatalStacks = FatalStacks([[0; FATAL_STACK]; MAX_CORES]);

/// One core's record. Only that core reads and writes it; `entry` knows the first fields.
#[repr(C, align(64))]
pub(crate) struct PerCore {
    /// Room for a register while there is no stack.
    pub scratch: u64,
    /// End of the current thread's context.
    pub context_end: u64,
    /// Top of the core's stack.
    pub stack: u64,
    /// Vector of the interrupt that ended a wait.
    pub pending: u64,
    pub task: Task,
    pub segments: Segments,
    /// Number of the core.
    pub index: usize,
    /// The thread whose registers beyond the frame are loaded.
    pub loaded: Option<Id>,
    /// Whether threads may use the FPU now.
    pub fpu_on: bool,
    /// Page tables in use.
    pub space: u64,
    pub fs_base: u64,
    pub gs_base: u64,
}

#[repr(transparent)]
struct Records(UnsafeCell<[PerCore; MAX_CORES]>);
// SAFETY: each core touches its own record only.
unsafe impl Sync for Records {}

const RECORD: PerCore = PerCore {
    scratch: 0,
    context_end: 0,
    stack: 0,
    pending: 0,
    task: Task::new(),
    segments: Segments::new(),
    index: 0,
    loaded: None,
    fpu_on: false,
    space: 0,
    fs_base: 0,
    gs_base: 0,
};
static RECORDS: Records = Records(UnsafeCell::new([RECORD; MAX_CORES]));

fn record(index: usize) -> *mut PerCore {
    // SAFETY: the index stays below `MAX_CORES`.
    unsafe { RECORDS.0.get().cast::<PerCore>().add(index & (MAX_CORES - 1)) }
}

/// The executing core's record.
///
/// # Safety
/// The caller keeps the reference only while the kernel runs on this core without another such reference.
#[inline(always)]
pub(crate) unsafe fn this() -> &'static mut PerCore {
    // SAFETY: `init` set the index; the caller promised to be the only user of this core's record.
    unsafe { &mut *record(index()) }
}

/// Number of the executing core.
#[inline(always)]
pub(crate) fn index() -> usize {
    let index: usize;
    // SAFETY: in the kernel GS points to this core's record, since `init`.
    unsafe {
        core::arch::asm!("mov {}, gs:[{at}]", out(reg) index, at = const core::mem::offset_of!(PerCore, index),
        options(nostack, preserves_flags, readonly))
    };
    index
}

/// Makes the executing core's record and loads its tables.
///
/// # Safety
/// Once per core, before [`this`], on that core's stack.
pub(crate) unsafe fn init(index: usize) {
    let pointer = record(index);
    let stacks = (&raw const cloister_stack_0) as u64;
    let fatal = (&raw const FATAL_STACKS) as u64 + ((index + 1) * FATAL_STACK) as u64;
    // SAFETY: the caller promised that nobody uses this core's record yet; the MSR points GS to it.
    unsafe {
        (*pointer).index = index;
        (*pointer).stack = stacks + ((index + 1) * STACK) as u64;
        descriptors::load(&mut *pointer, fatal);
        write_msr(msr::GS_BASE, pointer as u64);
        write_msr(msr::KERNEL_GS_BASE, 0);
        write_msr(msr::FS_BASE, 0);
    }
}
