//! One client: its link, what it may do, and what it waits for.

use crate::disk::{Disk, Request};
use crate::files::{Files, Order, Wish};
use drivers_block::{Area, BlockDevice, Operation, SECTOR, Transfer};
use heapless::Deque;
use ipc_link::{Link, LinkError, LinkState};
use ipc_protocol::storage::{MAX_IN_FLIGHT, Outcome, Partition, ToClient, ToStorage};

/// Messages taken from one client before the others have their turn.
const TURN: u32 = 16;

/// How a client is wired.
pub struct ClientWiring {
    /// The link to it.
    pub link: Link<ToClient, ToStorage>,
    /// The area that its reads go to, and its size in bytes.
    pub reads: (Area, usize),
    /// The area that its writes come from; `None`: it may not write.
    pub writes: Option<(Area, usize)>,
    /// The partition of its own, to read and, with an area for writes, to write.
    pub own: Option<Partition>,
    /// What it may read of the FAT partition.
    pub files: FileRights,
}

/// What a client may read of the FAT partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRights {
    /// All its sectors.
    Sectors,
    /// Files in the folders that `ipc_protocol::storage::Folder` names.
    Folders,
    /// Nothing.
    Nothing,
}

pub(crate) struct Client {
    wiring: ClientWiring,
    /// Its life that requests and answers belong to.
    epoch: u64,
    in_flight: usize,
    /// Requests of earlier lives that the device still works on.
    orphans: usize,
    outbox: Deque<ToClient, { MAX_IN_FLIGHT + 3 }>,
    ignored: bool,
}

/// What a turn came to.
#[derive(Default)]
pub(crate) struct Served {
    pub messages: u32,
    pub refused: u32,
    pub misbehaved: bool,
}

impl Client {
    pub fn new(wiring: ClientWiring) -> Self {
        Self { wiring, epoch: 0, in_flight: 0, orphans: 0, outbox: Deque::new(), ignored: false }
    }

    /// A request has ended.
    pub fn ended(&mut self, epoch: u64, id: u32, outcome: Outcome) {
        if epoch != self.epoch {
            self.orphans = self.orphans.saturating_sub(1);
            return;
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        // At most MAX_IN_FLIGHT of these, one answer to a message and one about files wait, so there is room.
        let _ = self.outbox.push_back(ToClient::Done { id, outcome });
    }

    /// An order for files has ended. A life has one at a time.
    pub fn answered(&mut self, epoch: u64, answer: ToClient) {
        if epoch == self.epoch {
            let _ = self.outbox.push_back(answer);
        }
    }

    /// Takes messages until there are none, or answers wait, or the turn is over.
    pub fn serve<D: BlockDevice>(&mut self, index: usize, disk: &mut Disk<D>, files: &mut Files) -> Served {
        let mut served = Served::default();
        if self.follow_peer() == LinkState::Down || self.ignored {
            return served;
        }
        if self.take_turn(index, disk, files, &mut served).is_err() {
            self.ignored = true;
            self.outbox.clear();
            served.misbehaved = true;
        }
        served
    }

    fn take_turn<D: BlockDevice>(
        &mut self,
        index: usize,
        disk: &mut Disk<D>,
        files: &mut Files,
        served: &mut Served,
    ) -> Result<(), LinkError> {
        while self.send_answers()? && self.may_receive(index, disk, files) && served.messages < TURN {
            let Some(message) = self.wiring.link.receive()? else { break };
            served.messages += 1;
            served.refused += u32::from(!self.handle(message, index, disk, files));
        }
        Ok(())
    }

    /// Data of an old request may still arrive in the region, so a new life waits until that is over.
    fn may_receive<D: BlockDevice>(&self, index: usize, disk: &Disk<D>, files: &Files) -> bool {
        self.orphans == 0 && !files.holds_up(index, self.epoch) && !disk.is_reading_table()
    }

    fn follow_peer(&mut self) -> LinkState {
        let state = self.wiring.link.poll();
        if state == LinkState::PeerStarted {
            self.orphans += self.in_flight;
            self.in_flight = 0;
            self.epoch += 1;
            self.outbox.clear();
            self.ignored = false;
        }
        state
    }

    /// Whether all answers are sent.
    fn send_answers(&mut self) -> Result<bool, LinkError> {
        while let Some(answer) = self.outbox.front() {
            match self.wiring.link.send(answer) {
                Ok(()) => drop(self.outbox.pop_front()),
                Err(LinkError::Full) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// False when the request was not started.
    fn handle<D: BlockDevice>(
        &mut self,
        message: ToStorage,
        index: usize,
        disk: &mut Disk<D>,
        files: &mut Files,
    ) -> bool {
        let (id, started) = match message {
            ToStorage::Describe => {
                let _ = self.outbox.push_back(self.describe(disk));
                return true;
            }
            ToStorage::Read { id, partition, sector, count, offset } => {
                let reads = self.wiring.reads;
                let transfer = self.check(disk, partition, (sector, count), (reads, offset));
                (id, transfer.map(|transfer| (Operation::Read(transfer), count)))
            }
            ToStorage::Write { id, partition, sector, count, offset } => {
                let writes = self.wiring.writes.filter(|_| self.wiring.own == Some(partition));
                let transfer = writes
                    .ok_or(Outcome::Refused)
                    .and_then(|writes| self.check(disk, partition, (sector, count), (writes, offset)));
                (id, transfer.map(|transfer| (Operation::Write(transfer), count)))
            }
            ToStorage::Flush { id } => (id, self.check_flush(disk)),
            ToStorage::OpenFolder { id, folder, path } => {
                return self.order(index, id, Wish::OpenFolder(folder, path), files);
            }
            ToStorage::NextEntry { id } => return self.order(index, id, Wish::NextEntry, files),
            ToStorage::OpenFile { id, folder, path } => {
                return self.order(index, id, Wish::OpenFile(folder, path), files);
            }
            ToStorage::ReadFile { id, count, offset } => {
                let (area, size) = self.wiring.reads;
                let end = u64::from(offset) + u64::from(count) * SECTOR as u64;
                let fits = count > 0 && end <= size as u64 && offset.is_multiple_of(SECTOR as u32);
                if fits {
                    return self.order(index, id, Wish::Read(count, area, offset), files);
                }
                (id, Err(Outcome::Refused))
            }
        };
        let started = started.and_then(|(operation, sectors)| {
            let request = Request { client: index, epoch: self.epoch, id, sectors };
            disk.start(request, operation)
        });
        match started {
            Ok(()) => self.in_flight += 1,
            Err(outcome) => drop(self.outbox.push_back(ToClient::Done { id, outcome })),
        }
        started.is_ok()
    }

    /// False when the order was not taken.
    fn order(&mut self, client: usize, id: u32, wish: Wish, files: &mut Files) -> bool {
        let order = Order { client, epoch: self.epoch, id, wish };
        let taken = match self.wiring.files {
            FileRights::Folders => files.begin(order),
            FileRights::Sectors | FileRights::Nothing => Err(Outcome::Refused),
        };
        if let Err(outcome) = taken {
            let _ = self.outbox.push_back(ToClient::Done { id, outcome });
        }
        taken.is_ok()
    }

    fn describe<D: BlockDevice>(&self, disk: &Disk<D>) -> ToClient {
        let partitions = disk.partitions();
        let own = |which| if self.wiring.own == Some(which) { partitions.sectors(which) } else { 0 };
        let (data, versions) = (own(Partition::Data), own(Partition::Versions));
        let files = partitions.sectors(Partition::Files);
        ToClient::Description { device: disk.has_device(), files, data, versions }
    }

    fn check<D: BlockDevice>(
        &self,
        disk: &Disk<D>,
        partition: Partition,
        (sector, count): (u64, u32),
        ((area, size), offset): ((Area, usize), u32),
    ) -> Result<Transfer, Outcome> {
        let allowed = match partition {
            Partition::Files => self.wiring.files == FileRights::Sectors,
            own => self.wiring.own == Some(own),
        };
        if !allowed {
            return Err(Outcome::Refused);
        }
        self.check_room()?;
        let range = disk.partitions().get(partition).ok_or(Outcome::NoDevice)?;
        let sector = range.place(sector, count).ok_or(Outcome::Refused)?;
        let end = u64::from(offset) + u64::from(count) * SECTOR as u64;
        let fits = end <= size as u64 && offset.is_multiple_of(SECTOR as u32);
        if fits { Ok(Transfer { sector, count, area, offset }) } else { Err(Outcome::Refused) }
    }

    fn check_flush<D: BlockDevice>(&self, disk: &Disk<D>) -> Result<(Operation, u32), Outcome> {
        let own = self.wiring.own.filter(|_| self.wiring.writes.is_some()).ok_or(Outcome::Refused)?;
        self.check_room()?;
        disk.partitions().get(own).ok_or(Outcome::NoDevice)?;
        Ok((Operation::Flush, 0))
    }

    fn check_room(&self) -> Result<(), Outcome> {
        if self.in_flight < MAX_IN_FLIGHT { Ok(()) } else { Err(Outcome::Busy) }
    }
}
