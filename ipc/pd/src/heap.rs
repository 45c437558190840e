//! A heap over the region that the system description names `heap` (`setvar_vaddr="heap"`, `setvar_size="heap_size"`).
//!
//! One design rule: what is given back is erased: freed memory holds zeros, and so does all of it after a restart.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::AtomicBool;
use embedded_alloc::TlsfHeap;

#[global_allocator]
static HEAP: Erasing = Erasing(TlsfHeap::empty());

struct Erasing(TlsfHeap);

// SAFETY: the inner allocator keeps the promises; a block is overwritten after its owner gave it back.
unsafe impl GlobalAlloc for Erasing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: our caller's promises are those of the inner allocator.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: our caller promised that the block has this layout and is used no more.
        unsafe { block.write_bytes(0, layout.size()) };
        // Keeps the compiler from leaving out stores that nobody reads.
        core::hint::black_box(block);
        // SAFETY: as above; the bytes of a block that is used no more may have any value.
        unsafe { self.0.dealloc(block, layout) }
    }
}

struct SingleThread;
critical_section::set_impl!(SingleThread);

// SAFETY: a PD has one thread and no signal handlers, so nothing can run inside a critical section but its owner.
unsafe impl critical_section::Impl for SingleThread {
    unsafe fn acquire() {}
    unsafe fn release(_: ()) {}
}

/// Gives the allocator its region. Called once, before anything allocates.
pub fn init() {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let region = crate::memory_region_symbol!(heap, heap_size);
    if region.is_mapped() && crate::private::take_once(&TAKEN) {
        if crate::health::starts() > 1 {
            // SAFETY: the mapping is this PD's alone and as large as this; nothing was allocated yet in this life.
            unsafe { core::ptr::write_bytes(region.address as *mut u8, 0, region.size) }
        }
        // SAFETY: the mapping is this PD's alone, lives as long as it, and `TAKEN` lets us hand it out once.
        unsafe { HEAP.0.init(region.address, region.size) }
    }
}

/// Bytes free. (What is in use cannot be asked: `used` of embedded-alloc 0.7 borrows the heap twice, and panics.)
pub fn free() -> usize {
    HEAP.0.free()
}
