//! Reading a manifest, whole, into memory of the loader's own: nothing in it can change after it was checked.

use crate::LoadError;
use crate::chain::Chain;
use crate::disk::{Disk, Poll};
use crate::scan::File;
use crate::transfer::Transfer;
use alloc::string::ToString;
use alloc::vec::Vec;
use drivers_fat::Volume;
use inference_manifest::MAX_BYTES;

/// A manifest that is being read.
pub(crate) struct ManifestFile {
    file: File,
    chain: Chain,
    transfer: Option<Transfer>,
    bytes: Vec<u8>,
}

impl ManifestFile {
    /// `name` is the model's.
    pub fn new(volume: Volume, file: File, name: &str) -> Result<Self, LoadError> {
        let size = file.size as usize;
        let mut bytes = Vec::new();
        if size > MAX_BYTES || bytes.try_reserve_exact(size).is_err() {
            return Err(LoadError::ManifestTooLarge { name: name.to_string(), bytes: file.size });
        }
        bytes.resize(size, 0);
        Ok(Self { file, chain: Chain::new(volume, file), transfer: None, bytes })
    }

    /// Goes on; the bytes once they are there.
    pub fn step(&mut self, disk: &mut Disk, name: &str) -> Result<Poll<Vec<u8>>, LoadError> {
        let Some(transfer) = &mut self.transfer else {
            let Poll::Ready(extents) = self.chain.step(disk, name)? else { return Ok(Poll::Pending) };
            self.transfer = Some(Transfer::new(extents, u64::from(self.file.size)));
            return self.step(disk, name);
        };
        while transfer.arrived() < transfer.size() {
            transfer.ask(disk, transfer.size());
            if transfer.take(disk, &mut self.bytes)?.is_none() {
                return Ok(Poll::Pending);
            }
        }
        Ok(Poll::Ready(core::mem::take(&mut self.bytes)))
    }
}
