//! `virtio-drivers`' view of memory: regions with known physical addresses, and nothing else.
//!
//! The trait has no `self`, so the regions stand in a static. Everything in it starts as zero, because a PD's program
//! has no initialised data. A PD has one thread; the atomics only make the static safe to share.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use memory_mmio::Dma;
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

const WINDOWS: usize = 8;

struct Window {
    address: AtomicUsize,
    bytes: AtomicUsize,
    physical: AtomicU64,
}

impl Window {
    const fn empty() -> Self {
        Self { address: AtomicUsize::new(0), bytes: AtomicUsize::new(0), physical: AtomicU64::new(0) }
    }

    fn set(&self, region: &Dma) {
        self.address.store(region.address().as_ptr() as usize, Relaxed);
        self.bytes.store(region.size(), Relaxed);
        self.physical.store(region.physical(), Relaxed);
    }

    fn translate(&self, address: usize, bytes: usize) -> Option<u64> {
        let offset = address.checked_sub(self.address.load(Relaxed))?;
        let size = self.bytes.load(Relaxed);
        (offset <= size && bytes <= size - offset).then(|| self.physical.load(Relaxed) + offset as u64)
    }
}

static TRANSLATE: [Window; WINDOWS] = [const { Window::empty() }; WINDOWS];
/// Registers of a PCI device.
static REGISTERS: Window = Window::empty();
/// The region that queues are allocated from.
static QUEUES: Window = Window::empty();
/// Pages of it that were handed out since it was last empty, and pages still in use.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Makes `regions` known, and `queues` the one that queues are allocated from. Called once, before the first queue.
pub(crate) fn set_regions(queues: &Dma, regions: impl Iterator<Item = Dma>) {
    QUEUES.set(queues);
    for (window, region) in TRANSLATE.iter().zip(regions) {
        window.set(&region);
    }
}

/// Says where the registers of a PCI device are mapped. The caller gives up its view of them.
pub(crate) fn set_registers(address: NonNull<u8>, bytes: usize, physical: u64) {
    REGISTERS.address.store(address.as_ptr() as usize, Relaxed);
    REGISTERS.bytes.store(bytes, Relaxed);
    REGISTERS.physical.store(physical, Relaxed);
}

pub(crate) struct RegionHal;

// SAFETY: `dma_alloc` hands out each page of a region that `Dma::new`'s caller promised to be ours, page-aligned,
// zeroed and contiguous, once until everything was given back.
unsafe impl Hal for RegionHal {
    fn dma_alloc(pages: usize, _direction: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let first = TAKEN.load(Relaxed);
        let (offset, bytes) = (first * PAGE_SIZE, pages * PAGE_SIZE);
        let start = QUEUES.address.load(Relaxed) + offset;
        let found = QUEUES.translate(start, bytes).zip(NonNull::new(start as *mut u8));
        let Some((physical, address)) = found else { return (0, NonNull::dangling()) };
        TAKEN.store(first + pages, Relaxed);
        IN_USE.fetch_add(pages, Relaxed);
        // SAFETY: the range lies inside the region, whose maker promised that it is mapped and that no Rust
        // reference to it exists; these pages are handed out to nobody else.
        unsafe { address.write_bytes(0, bytes) };
        (physical, address)
    }

    unsafe fn dma_dealloc(_physical: PhysAddr, _address: NonNull<u8>, pages: usize) -> i32 {
        if IN_USE.fetch_sub(pages, Relaxed) == pages {
            TAKEN.store(0, Relaxed);
        }
        0
    }

    unsafe fn mmio_phys_to_virt(physical: PhysAddr, size: usize) -> NonNull<u8> {
        // Asked for by the PCI transport only, for parts of the range that was put where these registers are.
        let offset = physical.checked_sub(REGISTERS.physical.load(Relaxed)).unwrap_or(u64::MAX) as usize;
        let mapped = REGISTERS.bytes.load(Relaxed);
        let inside = offset <= mapped && size <= mapped - offset;
        let address = NonNull::new(REGISTERS.address.load(Relaxed) as *mut u8).filter(|_| inside);
        match address {
            // SAFETY: the offset was compared with the size of the mapping.
            Some(start) => unsafe { start.byte_add(offset) },
            // The device names registers beyond its own range: it is not one. Nothing else could be returned safely.
            None => panic!("the device names registers at {physical:#x}, which are not mapped"),
        }
    }

    unsafe fn share(buffer: NonNull<[u8]>, _direction: BufferDirection) -> PhysAddr {
        let (address, bytes) = (buffer.cast::<u8>().as_ptr() as usize, buffer.len());
        // The driver shares parts of the regions above only; 0 is a page that no device region of ours contains.
        TRANSLATE.iter().find_map(|window| window.translate(address, bytes)).unwrap_or(0)
    }

    unsafe fn unshare(_physical: PhysAddr, _buffer: NonNull<[u8]>, _direction: BufferDirection) {}
}
