//! What a block device is to those who use it: requests with tags, completed later.
//!
//! One design rule: data never passes through this interface. A request names a part of an [`Area`], a region the
//! device reads or writes by itself, so a driver hands addresses on and a large read is not copied.
//!
//! Limits: sectors of 512 bytes.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "fake")]
extern crate std;

#[cfg(feature = "fake")]
pub mod fake;

use core::fmt;

/// Bytes per sector.
pub const SECTOR: usize = 512;

/// A region that the device can reach, by the number that the driver's owner gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area(pub u8);

/// The driver's own buffer of [`PRIVATE_BYTES`] bytes, read with [`BlockDevice::copy_private`].
pub const PRIVATE: Area = Area(0);
/// Its size.
pub const PRIVATE_BYTES: usize = 16 * 1024;
/// Number of areas, the private one included.
pub const AREAS: usize = 6;

/// Sectors of the device, and where in an area their bytes go or come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// First sector on the device.
    pub sector: u64,
    /// Number of sectors.
    pub count: u32,
    /// Which region.
    pub area: Area,
    /// Byte offset in it.
    pub offset: u32,
}

impl Transfer {
    /// Bytes.
    pub fn bytes(&self) -> usize {
        self.count as usize * SECTOR
    }
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// From the device into the area.
    Read(Transfer),
    /// From the area to the device.
    Write(Transfer),
    /// Makes completed writes permanent.
    Flush,
}

/// Why a request was not taken; nothing was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitError {
    /// As many requests as possible are under way: submit it again after a completion.
    Full,
    /// It names sectors or bytes that do not exist, or none at all.
    OutOfRange,
    /// The device cannot be written.
    ReadOnly,
    /// The device stopped working: reset it.
    Broken,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// The device could not read or write these sectors.
    Io,
    /// The device does not do this.
    Unsupported,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io => "the device reports an error",
            Self::Unsupported => "the device does not support the request",
        })
    }
}

/// A block device with requests under way.
pub trait BlockDevice {
    /// Its size in sectors.
    fn sectors(&self) -> u64;
    /// Starts a request; `tag` names it in [`BlockDevice::completed`].
    ///
    /// # Errors
    /// See [`SubmitError`].
    fn submit(&mut self, tag: u16, operation: Operation) -> Result<(), SubmitError>;
    /// Call on an interrupt, before looking at completions.
    fn acknowledge(&mut self);
    /// The next request that has ended, and how.
    fn completed(&mut self) -> Option<(u16, Result<(), DeviceError>)>;
    /// Whether the device has done what no device may do, so that only a reset helps.
    fn is_broken(&self) -> bool;
    /// Starts the device anew. All requests are forgotten, and none of them touches its area any more.
    ///
    /// # Errors
    /// The device does not come back.
    fn reset(&mut self) -> Result<(), DeviceError>;
    /// Copies from the private buffer.
    fn copy_private(&self, offset: usize, out: &mut [u8]);
}
