//! What the entry code calls: says which way into the kernel it is, and which fault.

use crate::context::Context;
use crate::machine::Machine;
use crate::{Console, apic, cpu, features, interrupts, io_apic, percpu};
use core::fmt::Write;
use kernel_arch_common as common;
use kernel_core::{Fault, Kernel};

const PAGE_FAULT: u64 = 14;
/// In a page fault's code: while fetching an instruction.
const FETCH: u64 = 1 << 4;

#[unsafe(no_mangle)]
extern "C" fn cloister_syscall() -> *const Context {
    common::syscall::<Machine>(percpu::index())
}

#[unsafe(no_mangle)]
extern "C" fn cloister_interrupt(vector: u64) -> *const Context {
    features::close_user_pages();
    common::interrupt::<Machine>(percpu::index(), vector)
}

#[unsafe(no_mangle)]
extern "C" fn cloister_exception(vector: u64, code: u64) -> *const Context {
    features::close_user_pages();
    let address = cpu::fault_address();
    common::exception::<Machine>(percpu::index(), |kernel| exception(kernel, vector, code, address))
}

fn exception(kernel: &mut Kernel<Machine>, vector: u64, code: u64, address: u64) {
    let Some(id) = kernel.current() else { return };
    let fault = match vector {
        PAGE_FAULT => Fault::Vm { address, instruction: code & FETCH != 0, status: code },
        number => Fault::UserException { number, code },
    };
    kernel.fault(id, fault);
}

pub(crate) fn interrupt(kernel: &mut Kernel<Machine>, vector: u64) {
    match vector {
        apic::TIMER => kernel.tick(),
        apic::KICK => {}
        apic::SPURIOUS => return,
        vector => {
            if let Some(irq) = interrupts::of_vector(vector) {
                io_apic::mask(irq);
                kernel.interrupt(irq);
            }
        }
    }
    apic::end();
}

#[unsafe(no_mangle)]
extern "C" fn cloister_kernel_fault(vector: u64, code: u64, pc: u64) -> ! {
    let address = cpu::fault_address();
    let _ = writeln!(
        Console,
        "cloister: kernel fault: vector {vector}, code {code:#x}, pc {pc:#x}, address {address:#x}; halted"
    );
    crate::halt()
}
