// SPDX-License-Identifier: MIT
//! The bytes of a file in large pages: every weight is read for every token, and with pages of 4 KiB the processor's own
//! prefetching ends at each of them, after which the next one's address is looked up through the tables of guest and host.

use std::fs::File;
use std::io::{Read, Result};
use std::ops::Deref;
use std::path::Path;

use memmap2::MmapMut;

/// Files from this size on get large pages.
const LARGE: u64 = 2 << 20;

/// The bytes of a file.
pub enum Bytes {
    Few(Vec<u8>),
    Large(MmapMut),
}

impl Bytes {
    /// Reads a file. What has no length of its own (a pipe) is read to its end; devices may have none.
    pub fn read(path: &Path) -> Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        refuse_devices(&metadata)?;
        let len = metadata.len();
        if len < LARGE {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            return Ok(Self::Few(bytes));
        }
        let mut memory = MmapMut::map_anon(usize::try_from(len).map_err(std::io::Error::other)?)?;
        // Where there are no large pages, small ones do.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        file.read_exact(&mut memory)?;
        Ok(Self::Large(memory))
    }

    /// The bytes in memory of their own.
    pub fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Few(bytes) => bytes,
            Self::Large(bytes) => bytes.to_vec(),
        }
    }
}

fn refuse_devices(metadata: &std::fs::Metadata) -> Result<()> {
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_char_device(&metadata.file_type()) {
        return Err(std::io::Error::other("it is a device, not a file"));
    }
    Ok(())
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Few(bytes) => bytes,
            Self::Large(bytes) => bytes,
        }
    }
}
