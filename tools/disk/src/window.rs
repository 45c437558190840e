//! A partition of an image as a stream of its own.
//!
//! One design rule: no byte outside the partition can be reached through it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// `len` bytes of a file from `start`, as a stream.
pub struct Window<'a> {
    file: &'a File,
    start: u64,
    len: u64,
    position: u64,
}

impl<'a> Window<'a> {
    /// A stream at its first byte.
    pub fn new(file: &'a File, start: u64, len: u64) -> Self {
        Self { file, start, len, position: 0 }
    }

    /// The part of a request that lies inside, with the file positioned there.
    fn within(&mut self, wanted: usize) -> io::Result<usize> {
        let left = self.len.saturating_sub(self.position).min(wanted as u64);
        self.file.seek(SeekFrom::Start(self.start + self.position))?;
        Ok(left as usize)
    }
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.within(buffer.len())?;
        let read = self.file.read(&mut buffer[..len])?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Write for Window<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let len = self.within(buffer.len())?;
        let written = self.file.write(&buffer[..len])?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
        };
        self.position = position
            .filter(|position| *position <= self.len)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "outside the partition"))?;
        Ok(self.position)
    }
}
