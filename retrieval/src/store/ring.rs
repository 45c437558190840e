// SPDX-License-Identifier: MIT
//! The log as a ring: positions that only grow, laid over a fixed range of sectors.
use super::device::{BlockDevice, DeviceError, SECTOR};
use super::layout::LOG_START;

/// A device and the size of the log on it.
pub(super) struct Ring<D> {
    pub(super) device: D,
    pub(super) log_sectors: u64,
}

impl<D: BlockDevice> Ring<D> {
    /// The device sector of a position.
    pub(super) fn sector(&self, position: u64) -> u64 {
        LOG_START + position % self.log_sectors
    }

    /// Bytes from `position` to where the ring wraps.
    fn until_wrap(&self, position: u64) -> usize {
        let sectors = self.log_sectors - position % self.log_sectors;
        usize::try_from(sectors.saturating_mul(SECTOR as u64)).unwrap_or(usize::MAX)
    }

    pub(super) fn read(&mut self, position: u64, buffer: &mut [u8]) -> Result<(), DeviceError> {
        let split = self.until_wrap(position).min(buffer.len());
        let (first, second) = buffer.split_at_mut(split);
        self.device.read(self.sector(position), first)?;
        if second.is_empty() { Ok(()) } else { self.device.read(LOG_START, second) }
    }

    pub(super) fn write(&mut self, position: u64, data: &[u8]) -> Result<(), DeviceError> {
        let split = self.until_wrap(position).min(data.len());
        let (first, second) = data.split_at(split);
        self.device.write(self.sector(position), first)?;
        if second.is_empty() { Ok(()) } else { self.device.write(LOG_START, second) }
    }
}
