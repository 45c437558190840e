//! The driver.

use crate::hal::{RegionHal, set_regions};
use crate::request::{FRAME, Frame, Kind};
use crate::vectors::Vectors;
use bitflags::bitflags;
use core::fmt;
use core::ptr::NonNull;
use drivers_block::{
    AREAS, BlockDevice, DeviceError, Operation, PRIVATE_BYTES, SECTOR, SubmitError, Transfer,
};
use memory_mmio::Dma;
use memory_region::Readable;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::{DeviceStatus, Transport};
use virtio_drivers::{Error, PAGE_SIZE};

const QUEUE: u16 = 0;
const QUEUE_SIZE: usize = 64;
/// Most requests under way: each takes up to three of the queue's descriptors.
pub const DEPTH: usize = QUEUE_SIZE / 3;
/// Pages for the queue, in the layout of legacy devices, which is the larger one.
const QUEUE_PAGES: usize = 4;
const CAPACITY_LOW: usize = 0;
const CAPACITY_HIGH: usize = 4;

bitflags! {
    /// Features that this driver uses; event indices are not among them (see the crate's description).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Features: u64 {
        const READ_ONLY = 1 << 5;
        const FLUSH = 1 << 9;
        const VERSION_1 = 1 << 32;
        /// The addresses that the device uses go through the platform's translation, where there is one.
        const ACCESS_PLATFORM = 1 << 33;
    }
}

/// Why the device cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitError {
    /// The queue region is smaller than 40 KiB: enlarge `virtio_queue`.
    RegionTooSmall,
    /// The device refused the queue, or its configuration cannot be read.
    Device,
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RegionTooSmall => "the region virtio_queue is too small",
            Self::Device => "the virtio block device does not start",
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    tag: u16,
    token: u16,
    kind: Kind,
    data: Option<Dma>,
}

/// A virtio block device.
pub struct VirtioBlk<T: Transport> {
    transport: T,
    queue: Option<VirtQueue<RegionHal, QUEUE_SIZE>>,
    features: Features,
    sectors: u64,
    frames: Dma,
    areas: [Option<Dma>; AREAS],
    pending: [Option<Pending>; DEPTH],
    broken: bool,
    vectors: Option<Vectors>,
}

impl<T: Transport> VirtioBlk<T> {
    /// Starts the device, whatever it did before. `region` (at least 40 KiB) is for the queue and the private buffer;
    /// `areas` 1 to 5 are what requests may name; `vectors` make the device interrupt by messages.
    ///
    /// # Errors
    /// See [`InitError`].
    pub fn new(
        transport: T,
        region: Dma,
        areas: [Option<Dma>; AREAS - 1],
        vectors: Option<Vectors>,
    ) -> Result<Self, InitError> {
        let part = |at, bytes| region.part(at, bytes).ok_or(InitError::RegionTooSmall);
        let queues = part(0, QUEUE_PAGES * PAGE_SIZE)?;
        let frames = part(QUEUE_PAGES * PAGE_SIZE, DEPTH * FRAME)?;
        let private = part((QUEUE_PAGES + 1) * PAGE_SIZE, PRIVATE_BYTES)?;
        let [a, b, c, d, e] = areas;
        let areas = [Some(private), a, b, c, d, e];
        set_regions(&queues, [frames].into_iter().chain(areas.into_iter().flatten()));
        let mut device = Self {
            transport,
            queue: None,
            features: Features::empty(),
            sectors: 0,
            frames,
            areas,
            pending: [None; DEPTH],
            broken: false,
            vectors,
        };
        device.start().map(|()| device).map_err(|_| InitError::Device)
    }

    /// Resets the device (it then touches no memory any more) and negotiates anew.
    fn start(&mut self) -> Result<(), Error> {
        self.transport.set_status(DeviceStatus::empty());
        self.queue = None;
        self.pending = [None; DEPTH];
        self.broken = false;
        self.features = self.transport.begin_init(Features::all());
        self.sectors = self.capacity()?;
        self.queue = Some(VirtQueue::new(&mut self.transport, QUEUE, false, false)?);
        if self.vectors.as_mut().is_some_and(|vectors| !vectors.attach(QUEUE)) {
            return Err(Error::Unsupported);
        }
        self.transport.finish_init();
        Ok(())
    }

    fn capacity(&self) -> Result<u64, Error> {
        let low: u32 = self.transport.read_config_space(CAPACITY_LOW)?;
        let high: u32 = self.transport.read_config_space(CAPACITY_HIGH)?;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    /// The data of a transfer, if sectors and bytes exist.
    fn data(&self, transfer: &Transfer) -> Result<Dma, SubmitError> {
        let end = transfer.sector.checked_add(u64::from(transfer.count));
        let inside = transfer.count > 0 && end.is_some_and(|end| end <= self.sectors);
        let area = self.areas.get(usize::from(transfer.area.0)).copied().flatten().filter(|_| inside);
        area.and_then(|area| area.part(transfer.offset as usize, transfer.bytes()))
            .ok_or(SubmitError::OutOfRange)
    }

    fn start_request(
        &mut self,
        tag: u16,
        kind: Kind,
        sector: u64,
        data: Option<Dma>,
    ) -> Result<(), SubmitError> {
        let index = self.pending.iter().position(Option::is_none).ok_or(SubmitError::Full)?;
        let frame = Frame::new(&self.frames, index).ok_or(SubmitError::OutOfRange)?;
        let queue = self.queue.as_mut().filter(|_| !self.broken).ok_or(SubmitError::Broken)?;
        frame.fill(kind, sector);
        let token = add(queue, kind, &frame, data.as_ref()).map_err(|_| SubmitError::Full)?;
        self.pending[index] = Some(Pending { tag, token, kind, data });
        if queue.should_notify() {
            self.transport.notify(QUEUE);
        }
        Ok(())
    }

    /// Takes the request that the device says has ended.
    fn take_used(&mut self) -> Option<(u16, Result<(), DeviceError>)> {
        let features = self.features;
        let queue = self.queue.as_mut()?;
        let token = queue.peek_used()?;
        let index = self.pending.iter().position(|entry| entry.is_some_and(|p| p.token == token));
        let found = index.and_then(|index| {
            let request = self.pending[index].take()?;
            let frame = Frame::new(&self.frames, index)?;
            pop(queue, &request, &frame).ok()?;
            Some((request.tag, result(features, request.kind, &frame)))
        });
        self.broken |= found.is_none();
        found
    }
}

/// A device that does not offer flushing writes through, so there is nothing to flush.
fn result(features: Features, kind: Kind, frame: &Frame) -> Result<(), DeviceError> {
    let through = kind == Kind::Flush && !features.contains(Features::FLUSH);
    if through { Ok(()) } else { frame.result() }
}

/// The bytes as the queue wants them.
///
/// # Safety
/// The bytes must belong to a request that is under way or about to be, and lie in a region whose maker made the
/// promises of `Dma::new`. The reference must be used for its address only, and not outlive the call it is made for.
unsafe fn borrow<'a>(bytes: NonNull<[u8]>) -> &'a mut [u8] {
    // SAFETY: mapped for as long as the program runs, and no other reference exists, as our caller promised.
    unsafe { &mut *bytes.as_ptr() }
}

type Queue = VirtQueue<RegionHal, QUEUE_SIZE>;

fn add(queue: &mut Queue, kind: Kind, frame: &Frame, data: Option<&Dma>) -> Result<u16, Error> {
    // SAFETY: header, data and status lie in regions that nobody references; the queue takes their addresses. They stay
    // untouched until `pop`, or until the device was reset.
    unsafe {
        let (header, status) = (borrow(frame.header()), borrow(frame.status()));
        match (kind, data) {
            (Kind::Read, Some(data)) => queue.add(&[header], &mut [borrow(data.bytes()), status]),
            (Kind::Write, Some(data)) => queue.add(&[header, borrow(data.bytes())], &mut [status]),
            _ => queue.add(&[header], &mut [status]),
        }
    }
}

fn pop(queue: &mut Queue, request: &Pending, frame: &Frame) -> Result<u32, Error> {
    // SAFETY: the same buffers as in `add`, rebuilt from what was kept of the request with this token.
    unsafe {
        let (header, status) = (borrow(frame.header()), borrow(frame.status()));
        let token = request.token;
        match (request.kind, &request.data) {
            (Kind::Read, Some(data)) => queue.pop_used(token, &[header], &mut [borrow(data.bytes()), status]),
            (Kind::Write, Some(data)) => {
                queue.pop_used(token, &[header, borrow(data.bytes())], &mut [status])
            }
            _ => queue.pop_used(token, &[header], &mut [status]),
        }
    }
}

impl<T: Transport> BlockDevice for VirtioBlk<T> {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn submit(&mut self, tag: u16, operation: Operation) -> Result<(), SubmitError> {
        match operation {
            Operation::Read(transfer) => {
                let data = self.data(&transfer)?;
                self.start_request(tag, Kind::Read, transfer.sector, Some(data))
            }
            Operation::Write(_) if self.features.contains(Features::READ_ONLY) => Err(SubmitError::ReadOnly),
            Operation::Write(transfer) => {
                let data = self.data(&transfer)?;
                self.start_request(tag, Kind::Write, transfer.sector, Some(data))
            }
            Operation::Flush => self.start_request(tag, Kind::Flush, 0, None),
        }
    }

    fn acknowledge(&mut self) {
        self.transport.ack_interrupt();
    }

    fn completed(&mut self) -> Option<(u16, Result<(), DeviceError>)> {
        if self.broken { None } else { self.take_used() }
    }

    fn is_broken(&self) -> bool {
        self.broken
    }

    fn reset(&mut self) -> Result<(), DeviceError> {
        self.start().map_err(|_| {
            self.broken = true;
            DeviceError::Io
        })
    }

    fn copy_private(&self, offset: usize, out: &mut [u8]) {
        let Some(private) = &self.areas[0] else { return };
        debug_assert!(offset.is_multiple_of(SECTOR));
        // SAFETY: the region is mapped and aligned to pages; only the device writes it, and this view copies by
        // relaxed loads.
        let view = unsafe { Readable::new(private.address().as_ptr(), private.size()) };
        view.copy_out(offset, out);
    }
}
