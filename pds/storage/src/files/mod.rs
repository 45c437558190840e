//! Files for a client that may not read the whole partition: two folders, looked up here.
//!
//! One design rule: the client names files by path, and gets bytes of the file that it opened; it never learns or
//! chooses a sector. So it cannot reach what lies outside of its folders, the models above all.
//!
//! Limits: one such client, with one folder and one file open; one request at a time; each is read forwards.

mod lookup;

use crate::cache::Cache;
use crate::disk::Disk;
use drivers_block::{Area, BlockDevice, SECTOR, Transfer};
use drivers_fat::{Directory, Entry, Extent, FileMap, Stop, Volume};
use ipc_protocol::storage::{Folder, Outcome, PATH, Partition, Path, ToClient};

/// What a client wants.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    OpenFolder(Folder, Path),
    NextEntry,
    OpenFile(Folder, Path),
    /// So many sectors to this place.
    Read(u32, Area, u32),
}

/// A wish with its owner.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub client: usize,
    pub epoch: u64,
    pub id: u32,
    pub wish: Wish,
}

/// How far an order is.
enum Stage {
    /// Walks along the path; so many names of it are found.
    Walk {
        directory: Directory,
        depth: usize,
    },
    Step,
}

struct OpenFile {
    map: FileMap,
    /// What of the last extent was not read yet.
    extent: Option<Extent>,
    /// Bytes that were not read yet.
    left: u64,
}

/// What the device works on for an order.
enum Fetching {
    Line,
    /// So many bytes of the file, in a transfer of so many sectors.
    Data(u32, u32),
}

pub(crate) struct Files {
    cache: Cache,
    volume: Option<Volume>,
    folder: Option<Directory>,
    file: Option<OpenFile>,
    order: Option<(Order, Stage)>,
    fetching: Option<Fetching>,
    /// How the order's transfer ended: bytes of the file that arrived.
    ended: Option<Result<u32, Outcome>>,
    resets: u64,
}

/// Why a step gives no answer yet, or which one.
enum Pause {
    Fetch,
    End(Outcome),
}

const NOT_FOUND: Pause = Pause::End(Outcome::NotFound);

impl From<Stop> for Pause {
    fn from(_: Stop) -> Self {
        Self::End(Outcome::Damaged)
    }
}

impl Files {
    pub fn new() -> Self {
        Self {
            cache: Cache::new(),
            volume: None,
            folder: None,
            file: None,
            order: None,
            fetching: None,
            ended: None,
            resets: 0,
        }
    }

    /// Whether an order of an earlier life of this client still uses its memory.
    pub fn holds_up(&self, client: usize, epoch: u64) -> bool {
        self.order.as_ref().is_some_and(|(order, _)| order.client == client && order.epoch != epoch)
    }

    /// Takes an order, unless another is under way.
    pub fn begin(&mut self, order: Order) -> Result<(), Outcome> {
        if self.order.is_some() {
            return Err(Outcome::Busy);
        }
        self.ended = None;
        self.order = Some((order, Stage::Step));
        Ok(())
    }

    /// Goes on with the order; its answer, once there is one, with the client and the life that it is for.
    pub fn step<D: BlockDevice>(&mut self, disk: &mut Disk<D>) -> Option<(usize, u64, ToClient)> {
        self.follow(disk);
        if self.fetching.is_some() || disk.is_reading_table() {
            return None;
        }
        let (order, mut stage) = self.order.take()?;
        let id = order.id;
        let answer = match self.ended.take() {
            Some(Ok(count)) => Ok(ToClient::Bytes { id, count }),
            Some(Err(outcome)) => Err(Pause::End(outcome)),
            None => self.advance(&order, &mut stage, disk),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(Pause::End(outcome)) => ToClient::Done { id, outcome },
            Err(Pause::Fetch) => {
                self.order = Some((order, stage));
                return None;
            }
        };
        Some((order.client, order.epoch, answer))
    }

    /// Notices what the device has done, and that it was reset: then nothing that is open stays so.
    fn follow<D: BlockDevice>(&mut self, disk: &mut Disk<D>) {
        let result = disk.take_fetched();
        if self.resets != disk.resets() {
            let order = self.order.take();
            let ended = order.is_some().then_some(Err(Outcome::DeviceError));
            *self = Self { order, ended, resets: disk.resets(), ..Self::new() };
            return;
        }
        let Some(result) = result else { return };
        match self.fetching.take() {
            Some(Fetching::Line) => {
                self.cache.arrived(result.is_ok());
                self.ended = result.err().map(Err);
            }
            Some(Fetching::Data(bytes, sectors)) => {
                self.ended = Some(result.map(|()| bytes));
                self.advance_file(bytes, sectors);
            }
            None => {}
        }
    }

    /// What was read of the open file is behind it. After a device error that is not so, but then it is read anew.
    fn advance_file(&mut self, bytes: u32, sectors: u32) {
        let Some(file) = self.file.as_mut() else { return };
        file.left = file.left.saturating_sub(u64::from(bytes));
        let rest = file.extent.map(|extent| Extent {
            sector: extent.sector + u64::from(sectors),
            sectors: extent.sectors.saturating_sub(sectors),
        });
        file.extent = rest.filter(|rest| rest.sectors > 0);
    }

    fn advance<D: BlockDevice>(
        &mut self,
        order: &Order,
        stage: &mut Stage,
        disk: &mut Disk<D>,
    ) -> Result<ToClient, Pause> {
        let id = order.id;
        match &order.wish {
            Wish::Read(count, area, offset) => self.read((*count, *area, *offset), disk),
            Wish::NextEntry => self.next_entry(id, disk),
            Wish::OpenFolder(folder, path) => {
                let found = self.walk(*folder, path, stage, disk)?;
                let volume = self.open_volume(disk)?;
                self.folder = Some(Directory::of(&volume, &found).map_err(|_| NOT_FOUND)?);
                Err(Pause::End(Outcome::Ok))
            }
            Wish::OpenFile(folder, path) => {
                let found = self.walk(*folder, path, stage, disk)?;
                let volume = self.volume.filter(|_| !found.directory).ok_or(NOT_FOUND)?;
                let map = FileMap::new(&volume, found.cluster, found.size);
                self.file = Some(OpenFile { map, extent: None, left: found.size.into() });
                Ok(entry(id, &found))
            }
        }
    }

    /// Starts the next transfer of the open file.
    fn read<D: BlockDevice>(
        &mut self,
        (count, area, offset): (u32, Area, u32),
        disk: &mut Disk<D>,
    ) -> Result<ToClient, Pause> {
        let volume = self.open_volume(disk)?;
        let mut file = self.file.take().ok_or(NOT_FOUND)?;
        if file.extent.is_none() {
            let next = self.fat(disk, |source| file.map.next(&volume, source));
            if let Err(Pause::Fetch) = next {
                self.file = Some(file);
                return Err(Pause::Fetch);
            }
            file.extent = next?;
        }
        // The chain was walked to its end, or the answer would have been an error.
        let extent = file.extent.filter(|_| file.left > 0).ok_or(Pause::End(Outcome::End))?;
        let needed = file.left.div_ceil(SECTOR as u64).min(u64::from(count)) as u32;
        let count = extent.sectors.min(needed);
        let bytes = file.left.min(u64::from(count) * SECTOR as u64) as u32;
        let range = disk.partitions().get(Partition::Files).ok_or(Pause::End(Outcome::NoDevice))?;
        let sector = range.place(extent.sector, count).ok_or(Pause::End(Outcome::Damaged))?;
        disk.fetch(Transfer { sector, count, area, offset }).map_err(Pause::End)?;
        self.file = Some(file);
        self.fetching = Some(Fetching::Data(bytes, count));
        Err(Pause::Fetch)
    }
}

fn entry(id: u32, found: &Entry) -> ToClient {
    let name = if found.name.len() > PATH { "" } else { found.name.as_str() };
    ToClient::Entry { id, name: Path::new(name.as_bytes()), folder: found.directory, size: found.size }
}
