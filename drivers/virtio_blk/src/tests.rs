//! The driver over a device that works on the real queue in memory: addresses are physical ones of the test's own
//! memory, which is mapped one to one.

use super::*;
use drivers_block::{Area, BlockDevice, DeviceError, Operation, PRIVATE, SECTOR, SubmitError, Transfer};
use memory_mmio::Dma;
use std::alloc::{Layout, alloc_zeroed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::vec;
use std::vec::Vec;
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{Error, PhysAddr};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The driver's regions stand in a static, so tests take turns.
static TURN: Mutex<()> = Mutex::new(());
const SECTORS: u64 = 64;
const FLUSH: u64 = 1 << 9;
const READ_ONLY: u64 = 1 << 5;

#[derive(Clone, Copy, Default)]
struct Queue {
    descriptors: u64,
    driver: u64,
    device: u64,
    size: u32,
}

struct Model {
    disk: Vec<u8>,
    queue: Queue,
    status: DeviceStatus,
    features: u64,
    seen: u16,
    used: u16,
    notified: u32,
    status_byte: u8,
    refuses: bool,
}

#[derive(Clone)]
struct Device(Arc<Mutex<Model>>);

/// A descriptor: address, length, flags, next.
#[derive(Clone, Copy, Debug)]
struct Descriptor {
    address: u64,
    length: u32,
    flags: u16,
    next: u16,
}

fn load<T: Copy>(address: u64) -> T {
    // SAFETY: the driver gave the address of memory of this test, and nothing refers to it at the moment.
    unsafe { (address as *const T).read_unaligned() }
}

fn store<T>(address: u64, value: T) {
    // SAFETY: as in `load`.
    unsafe { (address as *mut T).write_unaligned(value) }
}

impl Model {
    fn descriptor(&self, index: u16) -> Descriptor {
        assert!(u32::from(index) < self.queue.size);
        let at = self.queue.descriptors + u64::from(index) * 16;
        Descriptor { address: load(at), length: load(at + 8), flags: load(at + 12), next: load(at + 14) }
    }

    fn chain(&self, head: u16) -> Vec<Descriptor> {
        let mut chain = vec![self.descriptor(head)];
        while let Some(last) = chain.last().filter(|last| last.flags & 1 != 0) {
            chain.push(self.descriptor(last.next));
        }
        chain
    }

    /// Carries out the next request, if there is one, and says which descriptor it began with.
    fn work(&mut self) -> Option<u16> {
        let available: u16 = load(self.queue.driver + 2);
        if self.seen == available {
            return None;
        }
        let head: u16 = load(self.queue.driver + 4 + u64::from(self.seen % self.queue.size as u16) * 2);
        self.seen = self.seen.wrapping_add(1);
        let chain = self.chain(head);
        self.carry_out(&chain);
        Some(head)
    }

    fn carry_out(&mut self, chain: &[Descriptor]) {
        let (header, status) = (chain[0], chain[chain.len() - 1]);
        assert_eq!((header.length, header.flags & 2, status.length, status.flags & 2), (16, 0, 1, 2));
        let (kind, sector): (u32, u64) = (load(header.address), load(header.address + 8));
        let disk = self.disk.as_mut_ptr() as u64 + sector * SECTOR as u64;
        for data in &chain[1..chain.len() - 1] {
            let (from, to) = match kind {
                0 => (disk, data.address),
                1 => (data.address, disk),
                _ => panic!("request of type {kind} with data"),
            };
            assert_eq!(data.flags & 2 != 0, kind == 0, "the device writes what is read");
            // SAFETY: the test's requests lie inside the disk and the area, which do not overlap.
            unsafe { core::ptr::copy(from as *const u8, to as *mut u8, data.length as usize) };
        }
        store(status.address, self.status_byte);
    }

    fn complete(&mut self, head: u16) {
        let at = self.queue.device + 4 + u64::from(self.used % self.queue.size as u16) * 8;
        store(at, u32::from(head));
        store(at + 4, 1u32);
        self.used = self.used.wrapping_add(1);
        store(self.queue.device + 2, self.used);
    }
}

impl Device {
    fn new(features: u64) -> Self {
        let mut disk = vec![0; SECTORS as usize * SECTOR];
        disk.chunks_mut(SECTOR).zip(1u8..).for_each(|(sector, n)| sector.fill(n));
        Self(Arc::new(Mutex::new(Model {
            disk,
            queue: Queue::default(),
            status: DeviceStatus::empty(),
            features,
            seen: 0,
            used: 0,
            notified: 0,
            status_byte: 0,
            refuses: false,
        })))
    }
    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap()
    }
    /// Carries out everything, the last request first.
    fn work_backwards(&self) {
        let mut model = self.model();
        let heads: Vec<u16> = core::iter::from_fn(|| model.work()).collect();
        heads.into_iter().rev().for_each(|head| model.complete(head));
    }
}

impl Transport for Device {
    fn device_type(&self) -> DeviceType {
        DeviceType::Block
    }
    fn read_device_features(&mut self) -> u64 {
        // Event indices are on offer; the driver must not take them.
        self.model().features | 1 << 32 | 1 << 29
    }
    fn write_driver_features(&mut self, features: u64) {
        assert_eq!(features & 1 << 29, 0, "event indices are not negotiated");
    }
    fn max_queue_size(&mut self, _: u16) -> u32 {
        if self.model().refuses { 0 } else { 1024 }
    }
    fn notify(&mut self, queue: u16) {
        assert_eq!(queue, 0);
        self.model().notified += 1;
    }
    fn get_status(&self) -> DeviceStatus {
        self.model().status
    }
    fn set_status(&mut self, status: DeviceStatus) {
        let mut model = self.model();
        if status.is_empty() {
            (model.queue, model.seen, model.used) = (Queue::default(), 0, 0);
        }
        model.status = status;
    }
    fn set_guest_page_size(&mut self, _: u32) {}
    fn requires_legacy_layout(&self) -> bool {
        false
    }
    fn queue_set(&mut self, _: u16, size: u32, descriptors: PhysAddr, driver: PhysAddr, device: PhysAddr) {
        self.model().queue = Queue { descriptors, driver, device, size };
    }
    fn queue_unset(&mut self, _: u16) {
        self.model().queue = Queue::default();
    }
    fn queue_used(&mut self, _: u16) -> bool {
        self.model().queue.size != 0
    }
    fn ack_interrupt(&mut self) -> InterruptStatus {
        InterruptStatus::QUEUE_INTERRUPT
    }
    fn read_config_generation(&self) -> u32 {
        0
    }
    fn read_config_space<T: FromBytes + IntoBytes>(&self, offset: usize) -> Result<T, Error> {
        let config = SECTORS.to_le_bytes();
        T::read_from_bytes(&config[offset..offset + size_of::<T>()]).map_err(|_| Error::ConfigSpaceTooSmall)
    }
    fn write_config_space<T: IntoBytes + Immutable>(&mut self, _: usize, _: T) -> Result<(), Error> {
        Err(Error::ConfigSpaceMissing)
    }
}

/// Memory of the test that lives as long as the process, at its own address.
fn region(bytes: usize) -> Dma {
    let layout = Layout::from_size_align(bytes, 4096).unwrap();
    // SAFETY: the layout is not empty; the memory is never freed, and only addresses of it are handed out.
    unsafe {
        let address = alloc_zeroed(layout) as usize;
        Dma::new(address, bytes, address as u64).unwrap()
    }
}

fn start(device: &Device) -> (VirtioBlk<Device>, Dma) {
    let area = region(64 * 1024);
    let areas = [Some(area), None, None, None, None];
    (VirtioBlk::new(device.clone(), region(64 * 1024), areas, None).unwrap(), area)
}

fn at(sector: u64, count: u32, offset: u32) -> Transfer {
    Transfer { sector, count, area: Area(1), offset }
}

fn byte(area: &Dma, offset: usize) -> u8 {
    load(area.physical() + offset as u64)
}

#[test]
fn requests_go_to_memory_and_come_back_in_any_order() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(FLUSH);
    let (mut disk, area) = start(&device);
    assert_eq!(disk.sectors(), SECTORS);
    for tag in 0..8 {
        disk.submit(tag, Operation::Read(at(u64::from(tag), 2, u32::from(tag) * 1024))).unwrap();
    }
    assert_eq!(disk.completed(), None);
    assert!(device.model().notified > 0);
    device.work_backwards();
    let tags: Vec<_> = core::iter::from_fn(|| disk.completed()).collect();
    assert_eq!(tags, (0..8).rev().map(|tag| (tag, Ok(()))).collect::<Vec<_>>());
    assert!((0..8).all(|tag| byte(&area, tag * 1024 + 600) == tag as u8 + 2));
}

#[test]
fn writes_and_flushes_reach_the_device() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(FLUSH);
    let (mut disk, area) = start(&device);
    store(area.physical() + 512, [0xab_u8; 512]);
    disk.submit(1, Operation::Write(at(9, 1, 512))).unwrap();
    disk.submit(2, Operation::Flush).unwrap();
    device.work_backwards();
    assert_eq!(disk.completed(), Some((2, Ok(()))));
    assert_eq!(disk.completed(), Some((1, Ok(()))));
    assert_eq!(device.model().disk[9 * SECTOR..10 * SECTOR], [0xab; SECTOR]);
}

#[test]
fn the_private_buffer_is_read_by_copy() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(0);
    let (mut disk, _) = start(&device);
    disk.submit(5, Operation::Read(Transfer { sector: 3, count: 2, area: PRIVATE, offset: 512 })).unwrap();
    device.work_backwards();
    assert_eq!(disk.completed(), Some((5, Ok(()))));
    let mut bytes = [0; 1024];
    disk.copy_private(512, &mut bytes);
    assert_eq!((bytes[0], bytes[1023]), (4, 5));
}

#[test]
fn what_does_not_exist_is_refused_before_the_device_hears_of_it() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(READ_ONLY);
    let (mut disk, _) = start(&device);
    let outside = [
        at(SECTORS, 1, 0),
        at(SECTORS - 1, 2, 0),
        at(u64::MAX, 1, 0),
        at(0, 0, 0),
        at(0, u32::MAX, 0),
        at(0, 1, 64 * 1024),
        at(0, 1, u32::MAX),
        Transfer { sector: 0, count: 1, area: Area(2), offset: 0 },
        Transfer { sector: 0, count: 1, area: Area(200), offset: 0 },
    ];
    for transfer in outside {
        assert_eq!(disk.submit(1, Operation::Read(transfer)), Err(SubmitError::OutOfRange), "{transfer:?}");
    }
    assert_eq!(disk.submit(1, Operation::Write(at(0, 1, 0))), Err(SubmitError::ReadOnly));
    assert_eq!(device.model().notified, 0);
}

#[test]
fn the_queue_fills_and_empties_again() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(FLUSH);
    let (mut disk, _) = start(&device);
    for _ in 0..5_000 {
        let taken = (0..).take_while(|tag| disk.submit(*tag, Operation::Read(at(0, 1, 0))).is_ok()).count();
        assert_eq!(taken, DEPTH);
        assert_eq!(disk.submit(99, Operation::Read(at(0, 1, 0))), Err(SubmitError::Full));
        device.work_backwards();
        assert_eq!(core::iter::from_fn(|| disk.completed()).count(), DEPTH);
    }
}

#[test]
fn the_devices_errors_are_told() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(0);
    let (mut disk, _) = start(&device);
    for (status, result) in [
        (1, Err(DeviceError::Io)),
        (2, Err(DeviceError::Unsupported)),
        (77, Err(DeviceError::Io)),
        (0xff, Err(DeviceError::Io)),
    ] {
        device.model().status_byte = status;
        disk.submit(1, Operation::Read(at(0, 1, 0))).unwrap();
        device.work_backwards();
        assert_eq!(disk.completed(), Some((1, result)));
    }
    disk.submit(2, Operation::Flush).unwrap();
    device.work_backwards();
    assert_eq!(disk.completed(), Some((2, Ok(()))), "a device without FLUSH writes through");
}

#[test]
fn a_completion_that_nobody_asked_for_breaks_the_device_until_a_reset() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(0);
    let (mut disk, area) = start(&device);
    for head in [63, 0xffff] {
        disk.submit(1, Operation::Read(at(7, 1, 0))).unwrap();
        device.model().complete(head);
        assert_eq!((disk.completed(), disk.is_broken()), (None, true));
        assert_eq!(disk.submit(2, Operation::Read(at(0, 1, 0))), Err(SubmitError::Broken));
        disk.reset().unwrap();
        disk.submit(3, Operation::Read(at(7, 1, 0))).unwrap();
        device.work_backwards();
        assert_eq!((disk.completed(), byte(&area, 0)), (Some((3, Ok(()))), 8));
    }
}

#[test]
fn a_completion_twice_is_noticed() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(0);
    let (mut disk, _) = start(&device);
    disk.submit(1, Operation::Read(at(7, 1, 0))).unwrap();
    let head = device.model().work().unwrap();
    device.model().complete(head);
    device.model().complete(head);
    assert_eq!(disk.completed(), Some((1, Ok(()))));
    assert_eq!((disk.completed(), disk.is_broken()), (None, true));
}

#[test]
fn a_device_that_refuses_the_queue_or_a_small_region_is_an_error() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let device = Device::new(0);
    let small = VirtioBlk::new(device.clone(), region(32 * 1024), [None; 5], None);
    assert_eq!(small.err(), Some(InitError::RegionTooSmall));
    let (mut disk, _) = start(&device);
    device.model().refuses = true;
    assert_eq!(disk.reset(), Err(DeviceError::Io));
    assert!(disk.is_broken());
    device.model().refuses = false;
    assert_eq!(disk.reset(), Ok(()));
    assert!(!disk.is_broken());
}
