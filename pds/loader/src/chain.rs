//! Finding out where a file lies: its chain of clusters, walked to the end.

use crate::LoadError;
use crate::disk::{Disk, Poll};
use crate::scan::{File, file_error};
use alloc::string::ToString;
use alloc::vec::Vec;
use drivers_fat::{Extent, FileMap, Volume};

/// Most extents of a file: half a megabyte of memory.
const MAX_EXTENTS: usize = 32_768;

/// A walk under way.
pub(crate) struct Chain {
    volume: Volume,
    map: FileMap,
    extents: Vec<Extent>,
}

impl Chain {
    /// Begins with the file's first cluster.
    pub fn new(volume: Volume, file: File) -> Self {
        Self { volume, map: FileMap::new(&volume, file.cluster, file.size), extents: Vec::new() }
    }

    /// Goes on; the extents in file order once they are known. `name` is for messages.
    pub fn step(&mut self, disk: &mut Disk, name: &str) -> Result<Poll<Vec<Extent>>, LoadError> {
        loop {
            let next = disk.step(|source| self.map.next(&self.volume, source));
            match next.map_err(|error| file_error(name, error))? {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(None) => return Ok(Poll::Ready(core::mem::take(&mut self.extents))),
                Poll::Ready(Some(extent)) => {
                    let room = self.extents.len() < MAX_EXTENTS && self.extents.try_reserve(1).is_ok();
                    if !room {
                        return Err(LoadError::TooFragmented { name: name.to_string() });
                    }
                    self.extents.push(extent);
                }
            }
        }
    }
}
