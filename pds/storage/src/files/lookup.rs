//! Where files lie: steps of the file system, which are taken again once the device has brought what they lacked.

use super::{Fetching, Files, NOT_FOUND, Pause, Stage, entry};
use crate::disk::Disk;
use drivers_block::BlockDevice;
use drivers_fat::{Directory, Entry, Stop, Volume};
use ipc_protocol::storage::{Folder, Outcome, Partition, Path, ToClient};

impl Files {
    /// Does a step of the file system, fetching what it lacks.
    pub(super) fn fat<T, D: BlockDevice>(
        &mut self,
        disk: &mut Disk<D>,
        step: impl FnOnce(&mut crate::cache::View<'_, D>) -> Result<T, Stop>,
    ) -> Result<T, Pause> {
        match step(&mut self.cache.view(disk)) {
            Err(Stop::Wait(sector)) => Err(self.fetch(sector, disk)),
            other => Ok(other?),
        }
    }

    fn fetch<D: BlockDevice>(&mut self, sector: u64, disk: &mut Disk<D>) -> Pause {
        let Some(range) = disk.partitions().get(Partition::Files) else {
            return Pause::End(Outcome::NoDevice);
        };
        let started = range.place(0, 1).and_then(|start| self.cache.fetch(sector, start, range.sectors));
        let Some(transfer) = started else { return Pause::End(Outcome::Damaged) };
        match disk.fetch(transfer) {
            Ok(()) => {
                self.fetching = Some(Fetching::Line);
                Pause::Fetch
            }
            Err(outcome) => Pause::End(outcome),
        }
    }

    pub(super) fn open_volume<D: BlockDevice>(&mut self, disk: &mut Disk<D>) -> Result<Volume, Pause> {
        let sectors = disk.partitions().sectors(Partition::Files);
        if sectors == 0 {
            return Err(Pause::End(Outcome::NoDevice));
        }
        match self.volume {
            Some(volume) => Ok(volume),
            None => {
                let volume = self.fat(disk, |source| Volume::open(source, sectors))?;
                Ok(*self.volume.insert(volume))
            }
        }
    }

    /// The entry that the path leads to.
    pub(super) fn walk<D: BlockDevice>(
        &mut self,
        folder: Folder,
        path: &Path,
        stage: &mut Stage,
        disk: &mut Disk<D>,
    ) -> Result<Entry, Pause> {
        let volume = self.open_volume(disk)?;
        if let Stage::Step = stage {
            *stage = Stage::Walk { directory: volume.root(), depth: 0 };
        }
        let Stage::Walk { directory, depth } = stage else { return Err(NOT_FOUND) };
        loop {
            let name = component(folder, path, *depth).ok_or(NOT_FOUND)?;
            let next = self.fat(disk, |source| directory.next(&volume, source))?;
            let found = next.ok_or(NOT_FOUND)?;
            if !same(&found.name, name) {
                continue;
            }
            *depth += 1;
            if component(folder, path, *depth).is_none() {
                return Ok(found);
            }
            *directory = Directory::of(&volume, &found).map_err(|_| NOT_FOUND)?;
        }
    }

    pub(super) fn next_entry<D: BlockDevice>(
        &mut self,
        id: u32,
        disk: &mut Disk<D>,
    ) -> Result<ToClient, Pause> {
        let volume = self.open_volume(disk)?;
        let mut folder = self.folder.take().ok_or(NOT_FOUND)?;
        loop {
            let next = self.fat(disk, |source| folder.next(&volume, source));
            if let Err(Pause::Fetch) = next {
                self.folder = Some(folder);
                return Err(Pause::Fetch);
            }
            let found = next?.ok_or(Pause::End(Outcome::End))?;
            if found.name != "." && found.name != ".." {
                self.folder = Some(folder);
                return Ok(entry(id, &found));
            }
        }
    }
}

/// Name number `depth` of a path from the root on; `None` at its end. Names that lead upwards are not names.
fn component(folder: Folder, path: &Path, depth: usize) -> Option<&str> {
    let first = match folder {
        Folder::Documents => "docs",
        Folder::System => "system",
    };
    let rest = core::str::from_utf8(path.as_slice()).unwrap_or("?");
    let names = rest.split('/').filter(|name| !name.is_empty());
    core::iter::once(first).chain(names).nth(depth)
}

fn same(a: &str, b: &str) -> bool {
    !matches!(a, "." | "..")
        && a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}
