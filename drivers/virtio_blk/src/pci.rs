//! Finding the block device on the first PCI bus, by the configuration ports that every PC has (PCI 3.0, 3.2.2.3.2).
//!
//! One design rule: the device's registers are put where the system description says, not where the firmware left
//! them, because that is what this program has mapped.

use crate::hal::{RegionHal, set_registers};
use crate::probe::ProbeError;
use crate::vectors::{COMMON, ENTRY, Message, Vectors};
use core::cell::RefCell;
use memory_mmio::{Mmio, Ports};
use virtio_drivers::transport::pci::bus::{BarInfo, Command, ConfigurationAccess, DeviceFunction, PciRoot};
use virtio_drivers::transport::pci::{PciTransport, VIRTIO_VENDOR_ID};

const ADDRESS: u16 = 0;
const DATA: u16 = 4;
const ENABLE: u32 = 1 << 31;
/// Device numbers of a virtio block device, without and with the older interface.
const BLOCK: [u16; 2] = [0x1042, 0x1001];
const DEVICES: u8 = 32;
/// Memory ranges of a function.
const RANGES: usize = 6;
/// Capabilities: the vendor's own, with virtio's number of the common registers, and MSI-X with its switch.
const VENDOR: u8 = 0x09;
const COMMON_TYPE: u16 = 1;
const MSI_X: u8 = 0x11;
const MESSAGES_ON: u32 = 1 << 31;

/// Configuration space behind two ports.
struct Configuration<'a, P>(&'a RefCell<P>);

impl<P: Ports> Configuration<'_, P> {
    fn select(ports: &mut P, function: DeviceFunction, offset: u8) {
        let DeviceFunction { bus, device, function } = function;
        let place = u32::from(bus) << 16 | u32::from(device) << 11 | u32::from(function) << 8;
        ports.write(ADDRESS, 4, ENABLE | place | u32::from(offset & !3));
    }
}

impl<P: Ports> ConfigurationAccess for Configuration<'_, P> {
    fn read_word(&self, function: DeviceFunction, offset: u8) -> u32 {
        let ports = &mut *self.0.borrow_mut();
        Self::select(ports, function, offset);
        ports.read(DATA, 4)
    }

    fn write_word(&mut self, function: DeviceFunction, offset: u8, data: u32) {
        let ports = &mut *self.0.borrow_mut();
        Self::select(ports, function, offset);
        ports.write(DATA, 4, data);
    }

    unsafe fn unsafe_clone(&self) -> Self {
        Self(self.0)
    }
}

/// The first block device's transport, and what makes it interrupt by `message`. Its registers are moved to
/// `registers`, which lie at physical address `physical`.
///
/// # Errors
/// See [`ProbeError`].
pub fn probe_pci<P: Ports>(
    ports: P,
    mut registers: Mmio<'static>,
    physical: u64,
    message: Message,
) -> Result<(PciTransport, Vectors), ProbeError> {
    let ports = RefCell::new(ports);
    let mut configuration = Configuration(&ports);
    let mut root = PciRoot::new(Configuration(&ports));
    let function = find(&configuration).ok_or(ProbeError::NotFound)?;
    let size = registers.size();
    let placed = place(&mut root, function, physical, size as u64).ok_or(ProbeError::NoRoom)?;
    let at = |place: Place| Some(placed.get(place.range)?.as_ref()? + place.offset);
    let common = common(&configuration, &root, function).and_then(at);
    let table = table(&configuration, &root, function);
    let (common, table) = common.zip(table).ok_or(ProbeError::NoMessages)?;
    let entry = at(table.first).ok_or(ProbeError::NoMessages)?;
    let windows = registers.window(common, COMMON).zip(registers.window(entry, ENTRY));
    let address = registers.window(0, size).ok_or(ProbeError::NoRoom)?;
    let (common, entry) = windows.ok_or(ProbeError::NoRoom)?;
    // SAFETY: both lie in the mapping, which lives for ever and which this program alone accesses, by one thread;
    // ranges of devices and the structures in them are aligned (PCI 3.0, 6.2.5.1; virtio 1.2, 4.1.4.3.1).
    let vectors = unsafe { Vectors::new(common, entry, message) };
    configuration.write_word(
        function,
        table.control,
        configuration.read_word(function, table.control) | MESSAGES_ON,
    );
    // `registers` is the only view of the mapping and ends here; the transport has it from now on.
    set_registers(address, size, physical);
    let transport = PciTransport::new::<RegionHal, _>(&mut root, function);
    Ok((transport.map_err(|_| ProbeError::UnknownTransport)?, vectors))
}

/// A place in one of a device's memory ranges.
#[derive(Clone, Copy)]
struct Place {
    range: usize,
    offset: usize,
}

/// A device's table of messages.
struct Table {
    /// Configuration word that turns messages on.
    control: u8,
    first: Place,
}

/// Where the registers are that all virtio devices have (virtio 1.2, 4.1.4).
fn common(
    configuration: &impl ConfigurationAccess,
    root: &PciRoot<impl ConfigurationAccess>,
    function: DeviceFunction,
) -> Option<Place> {
    let is_common = |private: u16| private >> 8 == COMMON_TYPE;
    let capability =
        { root.capabilities(function) }.find(|c| c.id == VENDOR && is_common(c.private_header))?;
    let range = configuration.read_word(function, capability.offset.checked_add(4)?) as u8;
    let offset = configuration.read_word(function, capability.offset.checked_add(8)?);
    (offset % 4 == 0).then_some(Place { range: range.into(), offset: offset as usize })
}

/// Where the table of messages is (PCI 3.0, 6.8.2).
fn table(
    configuration: &impl ConfigurationAccess,
    root: &PciRoot<impl ConfigurationAccess>,
    function: DeviceFunction,
) -> Option<Table> {
    let capability = { root.capabilities(function) }.find(|c| c.id == MSI_X)?;
    let word = configuration.read_word(function, capability.offset.checked_add(4)?);
    let first = Place { range: (word & 7) as usize, offset: (word & !7) as usize };
    Some(Table { control: capability.offset, first })
}

fn find(configuration: &impl ConfigurationAccess) -> Option<DeviceFunction> {
    let functions = (0..DEVICES).map(|device| DeviceFunction { bus: 0, device, function: 0 });
    let is_block = |function: &DeviceFunction| {
        let word = configuration.read_word(*function, 0);
        word as u16 == VIRTIO_VENDOR_ID && BLOCK.contains(&((word >> 16) as u16))
    };
    { functions }.find(is_block)
}

/// Puts the device's memory ranges into `room` bytes from `physical` on, one after the other, and lets them be used.
/// Where each begins there; `None` if they do not fit.
fn place(
    root: &mut PciRoot<impl ConfigurationAccess>,
    function: DeviceFunction,
    physical: u64,
    room: u64,
) -> Option<[Option<usize>; RANGES]> {
    let (mut placed, mut next, mut index) = ([None; RANGES], 0u64, 0);
    while index < RANGES {
        let info = root.bar_info(function, index as u8).ok().flatten();
        let wide = info.as_ref().is_some_and(BarInfo::takes_two_entries);
        if let Some((_, size)) =
            info.and_then(|info| info.memory_address_size()).filter(|(_, size)| *size > 0)
        {
            let start = next.next_multiple_of(size);
            next = start.checked_add(size).filter(|end| *end <= room)?;
            match wide {
                true => root.set_bar_64(function, index as u8, physical + start),
                false => root.set_bar_32(function, index as u8, u32::try_from(physical + start).ok()?),
            }
            placed[index] = Some(start as usize);
        }
        index += 1 + usize::from(wide);
    }
    root.set_command(function, Command::MEMORY_SPACE | Command::BUS_MASTER);
    Some(placed)
}
