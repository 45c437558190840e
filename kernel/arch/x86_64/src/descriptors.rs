//! Segments, the task state segment and the interrupt table (Intel SDM volume 3, chapters 3, 6, 8).

use crate::percpu::PerCore;
use core::arch::asm;
use core::cell::UnsafeCell;

pub(crate) const KERNEL_CODE: u16 = 0x08;
pub(crate) const KERNEL_DATA: u16 = 0x10;
/// `sysret` takes data 8 and code 16 behind this.
pub(crate) const USER_BASE: u16 = 0x18;
pub(crate) const USER_DATA: u16 = 0x20 | 3;
pub(crate) const USER_CODE: u16 = 0x28 | 3;
const TASK: u16 = 0x30;

const CODE: u64 = 0x00af_9a00_0000_ffff;
const DATA: u64 = 0x00cf_9200_0000_ffff;
const USER: u64 = 3 << 45;

/// Bytes of stack for what must not use the current one: double faults, machine checks, non-maskable interrupts.
pub(crate) const FATAL_STACK: usize = 4096;

/// The task state segment: only stacks are left of it.
#[repr(C, packed(4))]
pub(crate) struct Task {
    reserved: u32,
    /// Stack at an entry from a thread: the end of its context.
    pub entry_stack: u64,
    rings: [u64; 2],
    reserved_2: u64,
    /// Stack 1 is for fatal events.
    stacks: [u64; 7],
    reserved_3: u64,
    reserved_4: u16,
    /// Beyond the segment's end: no I/O port is open to threads.
    ports: u16,
}

/// Segments of one core.
#[repr(C, align(16))]
pub(crate) struct Segments([u64; 8]);

#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

impl Task {
    pub const fn new() -> Self {
        Self {
            reserved: 0,
            entry_stack: 0,
            rings: [0; 2],
            reserved_2: 0,
            stacks: [0; 7],
            reserved_3: 0,
            reserved_4: 0,
            ports: size_of::<Self>() as u16,
        }
    }
}

impl Segments {
    pub const fn new() -> Self {
        Self([0; 8])
    }
}

/// Loads the executing core's segments, task and interrupt table.
///
/// # Safety
/// Once per core, with its own record, which stays; `fatal_stack` is the end of a stack of its own.
pub(crate) unsafe fn load(core: &mut PerCore, fatal_stack: u64) {
    core.task = Task::new();
    core.task.stacks[0] = fatal_stack;
    let task = &raw const core.task as u64;
    let limit = size_of::<Task>() as u64 - 1;
    let low = limit | (task & 0xff_ffff) << 16 | 0x89 << 40 | (task >> 24 & 0xff) << 56;
    core.segments.0 = [0, CODE, DATA, 0, DATA | USER, CODE | USER, low, task >> 32];
    let segments = Pointer { limit: size_of::<Segments>() as u16 - 1, base: &raw const core.segments as u64 };
    let gates = Pointer { limit: size_of::<Gates>() as u16 - 1, base: GATES.0.get() as u64 };
    // SAFETY: the tables are complete and stay where they are; the code segment is the same flat one as before.
    unsafe {
        asm!(
            "lgdt [{segments}]",
            "push {code}", "lea {scratch}, [rip + 2f]", "push {scratch}", "retfq", "2:",
            "mov ss, {data:e}", "mov ds, {zero:e}", "mov es, {zero:e}", "mov fs, {zero:e}", "mov gs, {zero:e}",
            "ltr {task:x}", "lidt [{gates}]",
            segments = in(reg) &raw const segments, gates = in(reg) &raw const gates,
            code = const KERNEL_CODE as i64, scratch = out(reg) _, data = in(reg) u32::from(KERNEL_DATA),
            zero = in(reg) 0u32, task = in(reg) u32::from(TASK),
        );
    }
}

type Gates = [[u64; 2]; 256];
struct GateTable(UnsafeCell<Gates>);
// SAFETY: written by the first core before the others start, and by nobody afterwards.
unsafe impl Sync for GateTable {}
static GATES: GateTable = GateTable(UnsafeCell::new([[0; 2]; 256]));

const BREAKPOINT: usize = 3;
const OVERFLOW: usize = 4;

/// Fills the interrupt table: all gates mask interrupts; threads may raise breakpoint and overflow.
pub(crate) fn init() {
    let first = &raw const crate::entry::cloister_vectors as u64;
    for vector in 0..256 {
        let address = first + vector as u64 * crate::entry::VECTOR;
        let user = if matches!(vector, BREAKPOINT | OVERFLOW) { 3 << 45 } else { 0 };
        let stack = if crate::entry::FATAL >> vector.min(63) & 1 == 1 { 1 << 32 } else { 0 };
        let low = address & 0xffff | u64::from(KERNEL_CODE) << 16 | stack | 0x8e << 40 | user;
        let gate = [low | (address >> 16 & 0xffff) << 48, address >> 32];
        // SAFETY: see `Sync`.
        unsafe { (*GATES.0.get())[vector] = gate };
    }
}
