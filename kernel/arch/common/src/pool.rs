//! Page tables taken one after the other from the pool of the system description.

use kernel_spec::Spec;
use memory_paging::TableMemory;

const PAGE: u64 = 1 << 12;

/// The pool; `BASE` is where the kernel sees physical address 0.
pub struct Pool<const BASE: u64> {
    next: u64,
    end: u64,
}

impl<const BASE: u64> Pool<BASE> {
    /// The pool of a description. It is RAM that the linear map covers and nobody else uses: the image builder keeps
    /// it, and the kernel checked that the machine has it.
    pub fn new(spec: &Spec<'_>) -> Self {
        let next = spec.header.table_pool.get();
        Self { next, end: next.saturating_add(spec.header.table_pool_size.get()) }
    }
}

impl<const BASE: u64> TableMemory for Pool<BASE> {
    fn read(&self, table: u64, index: usize) -> u64 {
        // SAFETY: `table` came from `allocate`, whose pool is RAM of this image that nobody else uses.
        unsafe { ((BASE + table) as *const u64).add(index & 511).read() }
    }
    fn write(&mut self, table: u64, index: usize, entry: u64) {
        // SAFETY: as above.
        unsafe { ((BASE + table) as *mut u64).add(index & 511).write(entry) }
    }
    fn allocate(&mut self) -> Option<u64> {
        let table = self.next;
        let next = table.checked_add(PAGE).filter(|next| *next <= self.end)?;
        self.next = next;
        // SAFETY: as in `read`; the table is whole, and nothing refers to it yet.
        unsafe { ((BASE + table) as *mut u64).write_bytes(0, 512) }
        Some(table)
    }
}
