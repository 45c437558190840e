//! The kernel's own page tables: where they lie, and how the pages of its image are mapped.

use core::cell::UnsafeCell;
use kernel_spec::Mapping;
use memory_paging::{Access, Attributes, Memory};

/// A page table in the kernel's image; physical address `p` of the image lies at `BASE + p`.
#[repr(C, align(4096))]
pub struct KernelTable<const BASE: u64>(UnsafeCell<[u64; 512]>);
// SAFETY: written by the first core before the others start, and by nobody afterwards.
unsafe impl<const BASE: u64> Sync for KernelTable<BASE> {}

impl<const BASE: u64> KernelTable<BASE> {
    /// Without entries.
    pub const fn empty() -> Self {
        Self(UnsafeCell::new([0; 512]))
    }

    /// Its physical address.
    pub fn physical(&self) -> u64 {
        self.0.get() as u64 - BASE
    }

    /// Writes an entry; for the first core, before the others start.
    pub fn set(&self, index: usize, entry: u64) {
        // SAFETY: see `Sync`.
        unsafe { (*self.0.get())[index & 511] = entry }
    }
}

/// Physical borders within the kernel's image.
#[derive(Clone, Copy)]
pub struct Sections {
    /// First byte of its code.
    pub text: u64,
    /// First byte past its code, where constants begin.
    pub constants: u64,
    /// First byte past its constants, where data begin.
    pub data: u64,
    /// First byte of the first stack.
    pub stacks: u64,
    /// Bytes of each stack.
    pub stack: u64,
}

impl Sections {
    /// How a page of the image is mapped; `None`: not at all, for the lowest page of each stack is its guard.
    pub fn attributes(&self, page: u64) -> Option<Attributes> {
        let access = if (self.text..self.constants).contains(&page) {
            Access::KernelExecute
        } else if (self.constants..self.data).contains(&page) {
            Access::KernelRead
        } else {
            Access::KernelWrite
        };
        let offset = page.wrapping_sub(self.stacks);
        let guard = offset < self.stack * kernel_core::MAX_CORES as u64 && offset.is_multiple_of(self.stack);
        (!guard).then_some(Attributes { memory: Memory::Normal, access })
    }
}

/// How a PD sees a range, as the description has it.
pub fn attributes(mapping: &Mapping) -> Attributes {
    let has = |bit: u8| mapping.permissions & bit != 0;
    let memory = if has(Mapping::DEVICE) { Memory::Device } else { Memory::Normal };
    Attributes { memory, access: Access::User { write: has(Mapping::WRITE), execute: has(Mapping::EXECUTE) } }
}
