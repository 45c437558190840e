//! A heap over the region that the system description names `heap` (`setvar_vaddr="heap"`, `setvar_size="heap_size"`).

use core::sync::atomic::AtomicBool;
use embedded_alloc::TlsfHeap;

#[global_allocator]
static HEAP: TlsfHeap = TlsfHeap::empty();

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
        // SAFETY: the mapping is this PD's alone, lives as long as it, and `TAKEN` lets us hand it out once.
        unsafe { HEAP.init(region.address, region.size) }
    }
}

/// Bytes free. (What is in use cannot be asked: `used` of embedded-alloc 0.7 borrows the heap twice, and panics.)
pub fn free() -> usize {
    HEAP.free()
}
