//! A request in memory that the device reaches: a header, the data, a status byte.

use core::ptr::NonNull;
use drivers_block::DeviceError;
use memory_mmio::Dma;

/// Bytes between frames; a frame is 16 bytes of header and a byte of status.
pub(crate) const FRAME: usize = 32;
const HEADER: usize = 16;

/// Request types (virtio 1.2, 5.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Read = 0,
    Write = 1,
    Flush = 4,
}

/// Status before the device wrote one.
const NOT_WRITTEN: u8 = 0xff;

/// Header and status of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    header: Dma,
    status: Dma,
}

impl Frame {
    /// Frame `index` in `frames`.
    pub fn new(frames: &Dma, index: usize) -> Option<Self> {
        let at = index * FRAME;
        Some(Self { header: frames.part(at, HEADER)?, status: frames.part(at + HEADER, 1)? })
    }

    pub fn fill(&self, kind: Kind, sector: u64) {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&(kind as u32).to_le_bytes());
        bytes[8..].copy_from_slice(&sector.to_le_bytes());
        let header: NonNull<[u8; HEADER]> = self.header.address().cast();
        // SAFETY: the frame lies in a region that `Dma::new`'s caller promised to be mapped, and it belongs to no
        // request that is under way, so the device does not look at it; volatile, as the device reads it later.
        unsafe {
            header.write_volatile(bytes);
            self.status.address().write_volatile(NOT_WRITTEN);
        }
    }

    /// What the device wrote; to be read once, after the request has ended.
    pub fn result(&self) -> Result<(), DeviceError> {
        // SAFETY: as in `fill`; any value of the byte is fine.
        match unsafe { self.status.address().read_volatile() } {
            0 => Ok(()),
            2 => Err(DeviceError::Unsupported),
            _ => Err(DeviceError::Io),
        }
    }

    pub fn header(&self) -> NonNull<[u8]> {
        self.header.bytes()
    }

    pub fn status(&self) -> NonNull<[u8]> {
        self.status.bytes()
    }
}
