//! Ways in: one stub per vector, and `syscall`. The way out: `cloister_resume`.
//!
//! While a thread runs, the task's entry stack points to the end of its [`crate::context::Context`], so that the
//! processor itself writes the thread's last five words; the stubs push the rest below.

use crate::context::{BY_SYSCALL, Context, SIZE};
use crate::descriptors::{Task, USER_CODE, USER_DATA};
use crate::percpu::PerCore;
use core::arch::global_asm;
use core::mem::offset_of;

const _: () = assert!(offset_of!(Context, registers) == 32 && offset_of!(Context, vector) == 152);
const _: () = assert!(offset_of!(Context, error) == 160 && offset_of!(Context, pc) == 168);

/// Bytes of a stub.
pub(crate) const VECTOR: u64 = 16;
/// Exceptions that push a code.
const WITH_CODE: u64 = 0x6022_7d00;
/// Non-maskable interrupt, double fault, machine check: the end.
pub(crate) const FATAL: u64 = 1 << 2 | 1 << 8 | 1 << 18;

global_asm!(
    // The order of `Context::registers`, from its end.
    ".macro push_registers",
    "push rax",
    "push rbx",
    "push rcx",
    "push rdx",
    "push rsi",
    "push rdi",
    "push rbp",
    "push r8",
    "push r9",
    "push r10",
    "push r11",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    ".endm",
    //
    ".section .vectors, \"ax\"",
    ".balign 16",
    ".globl cloister_vectors",
    "cloister_vectors:",
    ".set vector, 0",
    ".rept 256",
    ".balign 16",
    ".if vector < 32",
    ".if (({with_code} >> vector) & 1) == 0",
    "push 0",
    ".endif",
    "push vector",
    ".if ({fatal} >> vector) & 1",
    "jmp fatal",
    ".else",
    "jmp common",
    ".endif",
    ".else",
    "push 0",
    "push vector",
    "jmp common",
    ".endif",
    ".set vector, vector + 1",
    ".endr",
    //
    // Stack: vector, code, pc, cs, flags, sp, ss.
    ".balign 64",
    "common:",
    "test byte ptr [rsp + 24], 3",
    "jz kernel",
    "swapgs",
    "push_registers",
    "mov rdi, [rsp + 120]",
    "mov rsi, [rsp + 128]",
    "mov rax, [rsp + 136]",
    "mov [rsp - 32], rax",
    "mov rsp, gs:[{stack}]",
    "cld",
    "cmp edi, 32",
    "jb 1f",
    "call cloister_interrupt",
    "mov rdi, rax",
    "jmp cloister_resume",
    "1: call cloister_exception",
    "mov rdi, rax",
    "jmp cloister_resume",
    //
    // In the kernel only a wait lets interrupts through: notes which it was and goes on with interrupts masked.
    "kernel:",
    "cmp dword ptr [rsp], 32",
    "jb fatal",
    "push rax",
    "mov rax, [rsp + 8]",
    "mov gs:[{pending}], rax",
    "pop rax",
    "and dword ptr [rsp + 32], ~0x200",
    "add rsp, 16",
    "iretq",
    //
    "fatal:",
    "mov rdi, [rsp]",
    "mov rsi, [rsp + 8]",
    "mov rdx, [rsp + 16]",
    "cld",
    "and rsp, -16",
    "call cloister_kernel_fault",
    //
    ".balign 64",
    ".globl cloister_syscall_entry",
    "cloister_syscall_entry:",
    "swapgs",
    "mov gs:[{scratch}], rsp",
    "mov rsp, gs:[{context_end}]",
    "push {user_data}",
    "push gs:[{scratch}]",
    "push r11",
    "push {user_code}",
    "push rcx",
    "push {by_syscall}",
    "push 0",
    "push_registers",
    "sub rcx, 2",
    "mov [rsp - 32], rcx",
    "mov rsp, gs:[{stack}]",
    "call cloister_syscall",
    "mov rdi, rax",
    //
    // rdi: context to continue.
    ".globl cloister_resume",
    "cloister_resume:",
    "lea rcx, [rdi + {size}]",
    "mov gs:[{context_end}], rcx",
    "mov gs:[{entry_stack}], rcx",
    "lea rsp, [rdi + 32]",
    "cmp qword ptr [rsp + 128], -1",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop r11",
    "pop r10",
    "pop r9",
    "pop r8",
    "pop rbp",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "jne 1f",
    "mov rbx, [rsp + 8]",
    "mov rax, [rsp + 16]",
    "mov rcx, [rsp + 40]",
    "mov r11, [rsp + 56]",
    "mov rsp, [rsp + 64]",
    "swapgs",
    "sysretq",
    "1: pop rcx",
    "pop rbx",
    "pop rax",
    "add rsp, 16",
    "swapgs",
    "iretq",
    with_code = const WITH_CODE,
    fatal = const FATAL,
    stack = const offset_of!(PerCore, stack),
    pending = const offset_of!(PerCore, pending),
    scratch = const offset_of!(PerCore, scratch),
    context_end = const offset_of!(PerCore, context_end),
    entry_stack = const offset_of!(PerCore, task) + offset_of!(Task, entry_stack),
    user_data = const USER_DATA,
    user_code = const USER_CODE,
    by_syscall = const BY_SYSCALL as i64,
    size = const SIZE,
);

unsafe extern "C" {
    /// The stubs, [`VECTOR`] bytes each.
    pub(crate) static cloister_vectors: u8;
    /// Where `syscall` enters.
    pub(crate) fn cloister_syscall_entry();
    /// Leaves the kernel for a thread.
    pub(crate) fn cloister_resume(context: *const Context) -> !;
}
