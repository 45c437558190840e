//! What a board is to the image builder and the kernel: addresses, sizes and interrupt numbers, as constants.
//!
//! One design rule: a board is one `const` [`Board`]; nothing here reads hardware. `tools/sysgen` places
//! everything with it and refuses what a system may not have; the kernel boots with the same figures, so the two
//! cannot disagree.
//! Limit: one bank of RAM per board.
#![no_std]
#![forbid(unsafe_code)]

/// The instruction set of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// 64-bit ARM.
    Aarch64,
    /// 64-bit x86.
    X86_64,
}

impl Isa {
    /// `e_machine` of this board's ELF files (ELF specification).
    pub const fn elf_machine(self) -> u16 {
        match self {
            Self::Aarch64 => 183,
            Self::X86_64 => 62,
        }
    }
}

/// A range of physical addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First byte.
    pub base: u64,
    /// Bytes.
    pub size: u64,
}

impl Range {
    /// First byte past the range.
    pub const fn end(self) -> u64 {
        self.base + self.size
    }

    /// Whether `size` bytes from `base` lie inside this range.
    pub const fn holds(self, base: u64, size: u64) -> bool {
        base >= self.base && size <= self.size && base - self.base <= self.size - size
    }

    /// Whether any byte of `size` bytes from `base` lies inside this range. Empty ranges overlap nothing.
    pub const fn overlaps(self, base: u64, size: u64) -> bool {
        size > 0 && self.size > 0 && base < self.end() && (base >= self.base || self.base - base < size)
    }
}

/// Device registers that a system description may map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Name for messages, as in the board's manual.
    pub name: &'static str,
    /// Whole 4 KiB pages.
    pub range: Range,
}

/// One board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Microkit's name for it.
    pub name: &'static str,
    /// Instruction set.
    pub isa: Isa,
    /// CPU that QEMU is asked for when none is given.
    pub default_cpu: &'static str,
    /// RAM of the default machine; a smaller or larger size may be given when the image is built.
    pub ram: Range,
    /// Most RAM, in bytes from the start of `ram`, that a system may use: devices lie behind it.
    pub ram_most: u64,
    /// Bytes of a machine's RAM that are not in `ram`: below it, or kept by the firmware.
    pub reserved: u64,
    /// Physical load address of the kernel image, 2 MiB aligned.
    pub image_base: u64,
    /// RAM in which a region placed by `phys_addr` keeps what it held at boot: a boot loader can deliver a file there.
    pub kept: Range,
    /// Device registers that PDs may map.
    pub devices: &'static [Device],
    /// Largest number of cores.
    pub max_cores: u8,
    /// First interrupt number that a PD may own.
    pub irq_first: u32,
    /// Number of interrupts from there.
    pub irq_count: u32,
    /// Interrupts below `irq_first` that a PD may own all the same.
    pub irq_others: &'static [u32],
    /// Virtual address of each PD's IPC buffer: the last page of user space.
    pub ipc_buffer: u64,
}

impl Board {
    /// Whether a PD may own this interrupt.
    pub fn irq_allowed(&self, irq: u32) -> bool {
        irq >= self.irq_first && irq - self.irq_first < self.irq_count || self.irq_others.contains(&irq)
    }

    /// First byte above user space.
    pub const fn user_end(&self) -> u64 {
        self.ipc_buffer + 0x1000
    }

    /// The same board with another amount of RAM, in bytes; what is more than [`Board::ram_most`] is left alone.
    pub const fn with_ram(mut self, size: u64) -> Self {
        let usable = size.saturating_sub(self.reserved);
        self.ram.size = if usable < self.ram_most { usable } else { self.ram_most };
        self
    }

    /// RAM of the whole machine, in bytes.
    pub const fn machine_ram(&self) -> u64 {
        self.ram.size + self.reserved
    }

    /// The same board with another number of cores.
    pub const fn with_cores(mut self, cores: u8) -> Self {
        self.max_cores = cores;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn a_range_holds_its_own_bytes_and_no_more() {
        let range = Range { base: 0x1000, size: 0x2000 };
        assert!(range.holds(0x1000, 0x2000) && range.holds(0x2fff, 1) && range.holds(0x3000, 0));
        assert!(!range.holds(0xfff, 1) && !range.holds(0x1000, 0x2001) && !range.holds(0x2000, u64::MAX));
    }

    #[test]
    fn overlap_counts_bytes_and_survives_the_largest_sizes() {
        let range = Range { base: 0x1000, size: 0x1000 };
        assert!(range.overlaps(0, 0x1001) && range.overlaps(0x1fff, 1) && range.overlaps(0, u64::MAX));
        assert!(!range.overlaps(0, 0x1000) && !range.overlaps(0x2000, 1) && !range.overlaps(0x1000, 0));
    }
}
