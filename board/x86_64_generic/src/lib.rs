//! A PC, as Microkit's board `x86_64_generic`: QEMU's `q35` and `pc` machines, and what is like them.
//!
//! One design rule: figures only. What differs between PCs (cores, RAM, I/O APICs) the kernel reads from the firmware;
//! here stands what all have in common, and the ranges in which their devices lie.
//! Limit: RAM below 4 GiB is used, up to 2 GiB of it where the machine has a PCI window from there on.
#![no_std]
#![forbid(unsafe_code)]

use board_description::{Board, Device, Isa, Range};

/// Physical address of the image: above what firmware (OVMF: 8 to 9 MiB) keeps for itself near the start of RAM.
pub const IMAGE: u64 = 0x100_0000;
/// Registers of the high precision event timer.
pub const HPET: Range = Range { base: 0xfed0_0000, size: 0x1000 };
/// Addresses that QEMU's machines and most PCs leave to PCI devices. The local APIC (0xfee0_0000) and the I/O APIC
/// (0xfec0_0000) lie above: they are the kernel's.
pub const PCI_WINDOW: Range = Range { base: 0xe000_0000, size: 0x1ec0_0000 };

/// The board.
pub const BOARD: Board = Board {
    name: "x86_64_generic",
    isa: Isa::X86_64,
    default_cpu: "max",
    ram: Range { base: 0x10_0000, size: 0x7fe0_0000 },
    ram_most: 0x7fe0_0000,
    reserved: 0x20_0000,
    image_base: IMAGE,
    kept: Range { base: 0, size: 0 },
    devices: &[Device { name: "pci window", range: PCI_WINDOW }, Device { name: "hpet", range: HPET }],
    max_cores: 4,
    irq_first: 0,
    irq_count: 192,
    irq_others: &[],
    ipc_buffer: 0x7fff_ffff_e000,
};
