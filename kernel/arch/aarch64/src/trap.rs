//! Ways into the kernel and the one way out.

use crate::context::{CONTEXTS, Context};
use crate::lock::{self, Guard};
use crate::machine::UNMASK;
use crate::percpu::{self, CORES, IN_KERNEL};
use crate::registers::read;
use crate::{Console, gic};
use core::fmt::Write;
use core::sync::atomic::Ordering;
use kernel_core::{Fault, Kernel};

/// The kernel's own timer.
pub(crate) const VIRTUAL_TIMER: u32 = 27;

const EC_FPU: u64 = 0x07;
/// Exception class 0, a 32-bit instruction: it is undefined.
const UNDEFINED: u64 = 0x200_0000;
const EC_INSTRUCTION_ABORT: u64 = 0x20;
const EC_DATA_ABORT: u64 = 0x24;

/// Number of the executing core.
#[inline(always)]
fn this_core() -> usize {
    // SAFETY: the reference ends here, and the kernel is not yet or no longer in use.
    unsafe { percpu::this() }.index
}

/// The thread's registers are saved: takes the lock.
#[inline(always)]
fn enter(core: usize) -> Guard {
    if CORES.load(Ordering::Relaxed) > 1 {
        // Pairs with the load in `Machine::stall`.
        IN_KERNEL[core & 3].store(true, Ordering::Release);
    }
    lock::lock()
}

/// Chooses what runs next and lets the lock go; waits for an interrupt while there is nothing.
#[inline(always)]
pub(crate) fn leave(mut guard: Guard, core: usize) -> *const Context {
    guard.kernel().schedule();
    loop {
        if let Some(id) = guard.kernel().current() {
            left(core);
            return CONTEXTS.pointer(id);
        }
        guard = idle(guard, core);
    }
}

#[cold]
fn idle(guard: Guard, core: usize) -> Guard {
    drop(guard);
    crate::registers::dsb();
    // SAFETY: waits for an interrupt, masked or not.
    unsafe { core::arch::asm!("wfi", options(nostack, preserves_flags)) };
    let mut guard = lock::lock();
    guard.kernel().enter(core);
    interrupt(guard.kernel(), core);
    guard.kernel().schedule();
    guard
}

#[unsafe(no_mangle)]
extern "C" fn cloister_syscall() -> *const Context {
    let core = this_core();
    let mut guard = enter(core);
    if !guard.kernel().enter(core) {
        return leave(guard, core);
    }
    if guard.kernel().fast_syscall()
        && let Some(id) = guard.kernel().current()
    {
        left(core);
        return CONTEXTS.pointer(id);
    }
    slow_syscall(guard, core)
}

#[inline(never)]
fn slow_syscall(mut guard: Guard, core: usize) -> *const Context {
    guard.kernel().syscall();
    leave(guard, core)
}

/// Before the lock is free: whoever takes it next must not believe this core to be in the kernel.
#[inline(always)]
fn left(core: usize) {
    if CORES.load(Ordering::Relaxed) > 1 {
        IN_KERNEL[core & 3].store(false, Ordering::Release);
    }
}

#[unsafe(no_mangle)]
extern "C" fn cloister_interrupt() -> *const Context {
    let core = this_core();
    let mut guard = enter(core);
    guard.kernel().enter(core);
    interrupt(guard.kernel(), core);
    leave(guard, core)
}

#[unsafe(no_mangle)]
extern "C" fn cloister_exception(_frame: *const Context, status: u64) -> *const Context {
    let address = read!("far_el1");
    let core = this_core();
    let mut guard = enter(core);
    if guard.kernel().enter(core) {
        exception(guard.kernel(), status, address);
    }
    leave(guard, core)
}

fn exception(kernel: &mut Kernel<crate::machine::Machine>, status: u64, address: u64) {
    let Some(id) = kernel.current() else { return };
    let fault = match status >> 26 {
        EC_FPU if kernel.arch.grant_fpu(id) => return,
        EC_DATA_ABORT => Fault::Vm { address, instruction: false, status },
        EC_INSTRUCTION_ABORT => Fault::Vm { address, instruction: true, status },
        _ if status == UNDEFINED => Fault::UserException { number: status, code: 0 },
        _ => Fault::Vcpu { status },
    };
    kernel.fault(id, fault);
}

fn interrupt(kernel: &mut Kernel<crate::machine::Machine>, core: usize) {
    let taken = gic::take();
    match taken & 0x3ff {
        VIRTUAL_TIMER => kernel.tick(),
        number if number < 16 => {
            let lines = UNMASK[core & 3].swap(0, Ordering::Acquire);
            for line in (0..32).filter(|line| lines & 1 << line != 0) {
                gic::unmask(line);
            }
        }
        number if number >= gic::SPURIOUS => return,
        number => {
            gic::mask(number);
            kernel.interrupt(number);
        }
    }
    gic::end(taken);
}

#[unsafe(no_mangle)]
extern "C" fn cloister_kernel_fault(vector: u64) -> ! {
    let (status, pc, address) = (read!("esr_el1"), read!("elr_el1"), read!("far_el1"));
    let _ = writeln!(
        Console,
        "cloister: kernel fault: vector {vector}, status {status:#x}, pc {pc:#x}, address {address:#x}; halted"
    );
    crate::halt()
}
