// SPDX-License-Identifier: MIT
//! What the store needs of a disk.

/// Bytes of a sector, the unit of every transfer.
pub const SECTOR: usize = 512;

/// Why a transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// The device reported an error: try again after opening the store anew, else replace the disk.
    Io,
    /// The device, or the server before it, is gone: wait for it to come back and open the store anew.
    Gone,
    /// The sectors lie beyond the device's end: a caller's mistake.
    OutOfRange,
}

/// A disk, or one partition of it, in sectors of 512 bytes.
///
/// Writes may reach the medium in any order until [`flush`](BlockDevice::flush) returns `Ok`.
pub trait BlockDevice {
    /// Size in sectors.
    fn sectors(&self) -> u64;

    /// Reads `buffer.len() / 512` sectors from `sector` on.
    ///
    /// # Errors
    /// [`DeviceError`]; the buffer's contents are then unspecified.
    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), DeviceError>;

    /// Writes `data.len() / 512` sectors from `sector` on.
    ///
    /// # Errors
    /// [`DeviceError`]; any part of the data may then have been written.
    fn write(&mut self, sector: u64, data: &[u8]) -> Result<(), DeviceError>;

    /// Returns when all earlier writes are on the medium.
    ///
    /// # Errors
    /// [`DeviceError`]; any part of the earlier writes may then be lost.
    fn flush(&mut self) -> Result<(), DeviceError>;
}

impl<D: BlockDevice + ?Sized> BlockDevice for &mut D {
    fn sectors(&self) -> u64 {
        (**self).sectors()
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), DeviceError> {
        (**self).read(sector, buffer)
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<(), DeviceError> {
        (**self).write(sector, data)
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        (**self).flush()
    }
}
