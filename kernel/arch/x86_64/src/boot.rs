//! First instructions: headers for boot loaders, 32-bit protected mode to long mode, stack, `.bss`, then Rust.
//!
//! One design rule: until paging is on, symbols are used by their physical addresses only. The boot tables are
//! constants in the image; [`crate::mmu`] replaces them at once. They map the first 4 GiB three times: where they
//! are, in the linear map, and (the first GiB) where the image runs.
//!
//! PVH (Xen `pvh` boot protocol; QEMU's `-kernel`) and Multiboot2 (GRUB) enter alike: EBX holds the start
//! information, paging is off. PVH's ELF note is written by the image builder.

use core::arch::global_asm;

/// Where further cores start: a page below 1 MiB.
pub(crate) const TRAMPOLINE: u64 = 0x8000;

global_asm!(
    ".section .head, \"ax\"",
    ".balign 8",
    "multiboot2:",
    ".long 0xe85250d6, 0, multiboot2_end - multiboot2",
    ".long -(0xe85250d6 + multiboot2_end - multiboot2)",
    ".short 0, 0",
    ".long 8",
    "multiboot2_end:",
    //
    ".code32",
    ".globl _start",
    "_start:",
    "cli",
    "cld",
    "movl %eax, %esi",
    "movl %ebx, %edi",
    "movl $(cloister_stack_0 - {image} + {stack}), %esp",
    "movl $0x80000000, %eax",
    "cpuid",
    "cmpl $0x80000001, %eax",
    "jb 1f",
    "movl $0x80000001, %eax",
    "cpuid",
    "andl $0x20100800, %edx",   // long mode, no-execute, syscall
    "cmpl $0x20100800, %edx",
    "je 2f",
    "1: movl $(no_long_mode - {image}), %esi",
    "jmp print",
    "2: movl $(primary - {image}), %ebp",
    //
    // To long mode; ebp: where to go on.
    "long_mode:",
    "movl %cr4, %eax",
    "orl $0x20, %eax",          // physical address extension
    "movl %eax, %cr4",
    "movl $(boot_level_4 - {image}), %eax",
    "movl %eax, %cr3",
    "movl $0xc0000080, %ecx",
    "rdmsr",
    "orl $0x901, %eax",         // no-execute, long mode, syscall
    "wrmsr",
    "movl %cr0, %eax",
    "orl $0x80010001, %eax",    // paging, write protection, protected mode
    "movl %eax, %cr0",
    "lgdt boot_segments_pointer - {image}",
    "pushl $8",
    "pushl %ebp",
    "lretl",
    //
    // Prints the text at esi on COM1 and stops.
    "print:",
    "movl $3, %edi",
    "3: movw $0x3fd, %dx",
    "inb %dx, %al",
    "testb $0x20, %al",
    "jz 3b",
    "movw $0x3f8, %dx",
    "lodsb",
    "testb %al, %al",
    "jz 4f",
    "outb %al, %dx",
    "jmp 3b",
    "4: cli",
    "hlt",
    "jmp 4b",
    //
    ".code64",
    "primary:",
    "movl $16, %eax",
    "movl %eax, %ss",
    "movabsq $primary_high, %rax",
    "jmpq *%rax",
    "primary_high:",
    "movl %esi, %r8d",
    "movl %edi, %r9d",
    "leaq __bss_start(%rip), %rdi",
    "leaq __bss_end(%rip), %rcx",
    "subq %rdi, %rcx",
    "xorl %eax, %eax",
    "rep stosb",
    "leaq cloister_stack_0 + {stack}(%rip), %rsp",
    "movl %r8d, %edi",
    "movl %r9d, %esi",
    "callq cloister_start",
    //
    // A further core, copied to the trampoline page.
    ".code16",
    ".globl cloister_trampoline",
    "cloister_trampoline:",
    "cli",
    "xorw %ax, %ax",
    "movw %ax, %ds",
    "lgdtl {trampoline} + trampoline_pointer - cloister_trampoline",
    "movl %cr0, %eax",
    "orl $1, %eax",
    "movl %eax, %cr0",
    "ljmpl $24, $(secondary_32 - {image})",
    ".balign 4",
    "trampoline_pointer:",
    ".short 31",
    ".long boot_segments - {image}",
    ".globl cloister_trampoline_end",
    "cloister_trampoline_end:",
    //
    ".code32",
    "secondary_32:",
    "movl $16, %eax",
    "movl %eax, %ds",
    "movl %eax, %ss",
    "movl cloister_next_core - {image}, %eax",
    "incl %eax",
    "imull ${stack}, %eax",
    "addl $(cloister_stack_0 - {image}), %eax",
    "movl %eax, %esp",
    "movl $(secondary - {image}), %ebp",
    "jmp long_mode",
    ".code64",
    "secondary:",
    "movl $16, %eax",
    "movl %eax, %ss",
    "movabsq ${image}, %rax",
    "movl %esp, %esp",
    "addq %rax, %rsp",
    "movabsq $secondary_high, %rax",
    "jmpq *%rax",
    "secondary_high:",
    "movl cloister_next_core(%rip), %edi",
    "callq cloister_start_secondary",
    //
    ".section .rodata.boot, \"a\"",
    ".balign 4096",
    "boot_level_4:",
    ".quad boot_level_3 - {image} + 3",
    ".zero 255 * 8",
    ".quad boot_level_3 - {image} + 3",
    ".zero 254 * 8",
    ".quad boot_image_3 - {image} + 3",
    "boot_level_3:",
    ".set index, 0",
    ".rept 4",
    ".quad boot_level_2 - {image} + 4096 * index + 3",
    ".set index, index + 1",
    ".endr",
    ".zero 508 * 8",
    "boot_image_3:",
    ".zero 510 * 8",
    ".quad boot_level_2 - {image} + 3",
    ".quad 0",
    "boot_level_2:",
    ".set index, 0",
    ".rept 2048",
    ".quad index * 0x200000 + 0x83",
    ".set index, index + 1",
    ".endr",
    "boot_segments:",
    ".quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff, 0x00cf9a000000ffff",
    "boot_segments_pointer:",
    ".short 31",
    ".quad boot_segments - {image}",
    "no_long_mode:",
    ".asciz \"cloister: cannot start: this processor lacks long mode, no-execute or syscall: use a 64-bit one (-cpu qemu64)\\r\\n\"",
    stack = const crate::percpu::STACK,
    image = const crate::linear::IMAGE as i64,
    trampoline = const TRAMPOLINE,
    options(att_syntax)
);

unsafe extern "C" {
    /// First byte of what a further core executes first.
    pub(crate) static cloister_trampoline: u8;
    /// First byte past it.
    pub(crate) static cloister_trampoline_end: u8;
}
