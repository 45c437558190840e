//! QEMU's `virt` machine, AArch64, as Microkit's board `qemu_virt_aarch64`.
//!
//! One design rule: figures only, each from QEMU's `hw/arm/virt.c` (memory map and interrupt map, which QEMU keeps
//! stable) or from Microkit's build of the board (2 GiB of RAM, Cortex-A53, 4 cores, 40-bit user space).
//! Limit: GICv2 or GICv3 with 256 shared peripheral interrupts.
#![no_std]
#![forbid(unsafe_code)]

use board_description::{Board, Device, Isa, Range};

/// GIC distributor, owned by the kernel.
pub const GIC_DISTRIBUTOR: Range = Range { base: 0x0800_0000, size: 0x1_0000 };
/// GICv2 CPU interface, owned by the kernel.
pub const GICV2_CPU_INTERFACE: Range = Range { base: 0x0801_0000, size: 0x1_0000 };
/// GICv3 redistributors, owned by the kernel.
pub const GICV3_REDISTRIBUTORS: Range = Range { base: 0x080a_0000, size: 0x00f6_0000 };
/// PL011; a PD may map it, the kernel writes to it only before the first PD starts and when it stops for good.
pub const UART: Range = Range { base: 0x0900_0000, size: 0x1000 };
/// Interrupt of the virtual timer (a private one, the kernel's).
pub const VIRTUAL_TIMER_IRQ: u32 = 27;
/// Interrupt of the physical timer in EL1 (a private one): a PD may own it, as on Microkit's build of this board.
pub const PHYSICAL_TIMER_IRQ: u32 = 30;
/// PL011's interrupt.
pub const UART_IRQ: u32 = 33;
/// PL031's interrupt.
pub const RTC_IRQ: u32 = 34;
/// First of the 32 virtio-mmio transports' interrupts; transport n lies at [`VIRTIO`] + n * 0x200.
pub const VIRTIO_IRQ: u32 = 48;
/// The 32 virtio-mmio transports, eight to a page.
pub const VIRTIO: Range = Range { base: 0x0a00_0000, size: 0x4000 };

/// The board.
pub const BOARD: Board = Board {
    name: "qemu_virt_aarch64",
    isa: Isa::Aarch64,
    default_cpu: "cortex-a53",
    ram: Range { base: 0x4000_0000, size: 0x8000_0000 },
    ram_most: u64::MAX,
    reserved: 0,
    image_base: 0x4020_0000,
    kept: Range { base: 0x4000_0000, size: 0x2000_0000 },
    devices: &[
        Device { name: "uart (pl011)", range: UART },
        Device { name: "rtc (pl031)", range: Range { base: 0x0901_0000, size: 0x1000 } },
        Device { name: "fw-cfg", range: Range { base: 0x0902_0000, size: 0x1000 } },
        Device { name: "gpio (pl061)", range: Range { base: 0x0903_0000, size: 0x1000 } },
        Device { name: "virtio-mmio", range: VIRTIO },
        Device { name: "pcie window", range: Range { base: 0x1000_0000, size: 0x2eff_0000 } },
        Device { name: "pcie ports", range: Range { base: 0x3eff_0000, size: 0x1_0000 } },
        Device { name: "pcie configuration", range: Range { base: 0x3f00_0000, size: 0x0100_0000 } },
    ],
    max_cores: 4,
    irq_first: 32,
    irq_count: 256,
    irq_others: &[PHYSICAL_TIMER_IRQ],
    ipc_buffer: 0xff_ffff_f000,
};
