//! Finding the block device on the first PCI bus, by the configuration ports that every PC has (PCI 3.0, 3.2.2.3.2).
//!
//! One design rule: the device's registers are put where the system description says, not where the firmware left
//! them, because that is what this program has mapped.

use crate::hal::{RegionHal, set_registers};
use crate::probe::ProbeError;
use core::cell::RefCell;
use memory_mmio::{Mmio, Ports};
use virtio_drivers::transport::pci::bus::{
    BarInfo, Command, ConfigurationAccess, DeviceFunction, MemoryBarType, PciRoot,
};
use virtio_drivers::transport::pci::{PciTransport, VIRTIO_VENDOR_ID};

const ADDRESS: u16 = 0;
const DATA: u16 = 4;
const ENABLE: u32 = 1 << 31;
/// Device numbers of a virtio block device, without and with the older interface.
const BLOCK: [u16; 2] = [0x1042, 0x1001];
const DEVICES: u8 = 32;

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

/// The first block device's transport. Its registers are moved to `registers`, which lie at physical address
/// `physical`.
///
/// # Errors
/// See [`ProbeError`].
pub fn probe_pci<P: Ports>(
    ports: P,
    mut registers: Mmio<'static>,
    physical: u64,
) -> Result<PciTransport, ProbeError> {
    let ports = RefCell::new(ports);
    let mut root = PciRoot::new(Configuration(&ports));
    let function = find(&Configuration(&ports)).ok_or(ProbeError::NotFound)?;
    let size = registers.size();
    let address = registers.window(0, size).ok_or(ProbeError::UnknownTransport)?;
    place(&mut root, function, physical, size as u64).ok_or(ProbeError::UnknownTransport)?;
    // `registers` is the only view of the mapping and ends here; the transport has it from now on.
    set_registers(address, size, physical);
    PciTransport::new::<RegionHal, _>(&mut root, function).map_err(|_| ProbeError::UnknownTransport)
}

fn find(configuration: &impl ConfigurationAccess) -> Option<DeviceFunction> {
    let functions = (0..DEVICES).map(|device| DeviceFunction { bus: 0, device, function: 0 });
    let is_block = |function: &DeviceFunction| {
        let word = configuration.read_word(*function, 0);
        word as u16 == VIRTIO_VENDOR_ID && BLOCK.contains(&((word >> 16) as u16))
    };
    { functions }.find(is_block)
}

/// Puts the device's 64-bit memory range, which holds all of its registers, at `physical`, and lets it be used.
fn place(
    root: &mut PciRoot<impl ConfigurationAccess>,
    function: DeviceFunction,
    physical: u64,
    room: u64,
) -> Option<()> {
    let mut placed = None;
    for index in 0..5 {
        let Ok(Some(BarInfo::Memory { address_type: MemoryBarType::Width64, size, .. })) =
            root.bar_info(function, index)
        else {
            continue;
        };
        if placed.is_none() && size <= room {
            root.set_bar_64(function, index, physical);
            placed = Some(());
        }
    }
    root.set_command(function, Command::MEMORY_SPACE | Command::BUS_MASTER);
    placed
}
