//! What the vectors call: says which way into the kernel it is, and which fault.

use crate::context::Context;
use crate::machine::{Machine, UNMASK};
use crate::registers::read;
use crate::{Console, gic, percpu};
use core::fmt::Write;
use core::sync::atomic::Ordering;
use kernel_arch_common as common;
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

#[unsafe(no_mangle)]
extern "C" fn cloister_syscall() -> *const Context {
    common::syscall::<Machine>(this_core())
}

#[unsafe(no_mangle)]
extern "C" fn cloister_interrupt() -> *const Context {
    common::interrupt::<Machine>(this_core(), ())
}

#[unsafe(no_mangle)]
extern "C" fn cloister_exception(_frame: *const Context, status: u64) -> *const Context {
    let address = read!("far_el1");
    common::exception::<Machine>(this_core(), |kernel| exception(kernel, status, address))
}

fn exception(kernel: &mut Kernel<Machine>, status: u64, address: u64) {
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

pub(crate) fn interrupt(kernel: &mut Kernel<Machine>, core: usize) {
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
