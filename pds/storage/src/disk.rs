//! The device with its requests, and the reading of the partition table.

use crate::Ended;
use crate::partitions::Partitions;
use drivers_block::{
    BlockDevice, DeviceError, Operation, PRIVATE, PRIVATE_BYTES, SECTOR, SubmitError, Transfer,
};
use drivers_gpt::{Scan, Step};
use ipc_protocol::storage::{MAX_IN_FLIGHT, Outcome};

const REQUESTS: usize = crate::MAX_CLIENTS * MAX_IN_FLIGHT;
/// Tag of the scan's request.
const SCAN: u16 = REQUESTS as u16;
/// Tag of a request for files.
const FILES: u16 = SCAN + 1;
/// A device that had to be reset so often without one completion in between is given up.
const MAX_RESETS_IN_A_ROW: u32 = 3;

/// Who waits for a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub client: usize,
    /// The client's life that it belongs to.
    pub epoch: u64,
    pub id: u32,
    pub sectors: u32,
}

enum Table {
    Reading(Scan),
    Known { partitions: Partitions, from_backup: bool },
    Unusable,
}

pub(crate) struct Disk<D> {
    device: Option<D>,
    table: Table,
    requests: [Option<Request>; REQUESTS],
    scanning: bool,
    /// A request for files: under way, or how it ended.
    fetching: bool,
    fetched: Option<Result<(), Outcome>>,
    /// Requests that the next call of `next_completion` fails, after a reset.
    failed: bool,
    resets_in_a_row: u32,
    completions: u64,
    sectors_moved: u64,
    errors: u64,
    resets: u64,
}

impl<D: BlockDevice> Disk<D> {
    pub fn new(device: Option<D>) -> Self {
        let scan = Scan::new(device.as_ref().map_or(0, D::sectors));
        let mut disk = Self {
            device,
            table: Table::Reading(scan),
            requests: [None; REQUESTS],
            scanning: false,
            fetching: false,
            fetched: None,
            failed: false,
            resets_in_a_row: 0,
            completions: 0,
            sectors_moved: 0,
            errors: 0,
            resets: 0,
        };
        disk.scan();
        disk
    }

    pub fn completions(&self) -> u64 {
        self.completions
    }
    pub fn sectors_moved(&self) -> u64 {
        self.sectors_moved
    }
    pub fn errors(&self) -> u64 {
        self.errors
    }
    pub fn resets(&self) -> u64 {
        self.resets
    }
    pub fn table_state(&self) -> u64 {
        match self.table {
            Table::Reading(_) => 0,
            Table::Known { from_backup: false, .. } => 1,
            Table::Known { from_backup: true, .. } => 2,
            Table::Unusable => 3,
        }
    }

    /// Requests that the device has not ended, the scan's included.
    pub fn in_flight(&self) -> usize {
        self.requests.iter().flatten().count() + usize::from(self.scanning) + usize::from(self.fetching)
    }

    pub fn has_device(&self) -> bool {
        self.device.is_some()
    }

    /// Whether clients' requests must wait for the table.
    pub fn is_reading_table(&self) -> bool {
        self.device.is_some() && matches!(self.table, Table::Reading(_))
    }

    pub fn partitions(&self) -> Partitions {
        match (&self.device, &self.table) {
            (Some(_), Table::Known { partitions, .. }) => *partitions,
            _ => Partitions::default(),
        }
    }

    pub fn acknowledge(&mut self) {
        if let Some(device) = &mut self.device {
            device.acknowledge();
        }
    }

    /// Starts a client's request.
    pub fn start(&mut self, request: Request, operation: Operation) -> Result<(), Outcome> {
        let index = self.requests.iter().position(Option::is_none).ok_or(Outcome::Busy)?;
        let device = self.device.as_mut().ok_or(Outcome::NoDevice)?;
        device.submit(index as u16, operation).map_err(outcome)?;
        self.requests[index] = Some(request);
        Ok(())
    }

    /// Starts the one request for files.
    pub fn fetch(&mut self, transfer: Transfer) -> Result<(), Outcome> {
        let device = self.device.as_mut().ok_or(Outcome::NoDevice)?;
        device.submit(FILES, Operation::Read(transfer)).map_err(outcome)?;
        self.fetching = true;
        self.fetched = None;
        Ok(())
    }

    /// How the request for files ended, once.
    pub fn take_fetched(&mut self) -> Option<Result<(), Outcome>> {
        self.fetched.take()
    }

    /// Copies from the device's private buffer.
    pub fn copy_private(&self, offset: usize, out: &mut [u8]) {
        if let Some(device) = &self.device {
            device.copy_private(offset, out);
        }
    }

    /// The next client request that has ended. Goes on with the table by the way.
    pub fn next_completion(&mut self) -> Option<Ended> {
        loop {
            if self.failed {
                match self.next_failed() {
                    Some(ended) => return Some(ended),
                    None => self.failed = false,
                }
            }
            let completed = self.device.as_mut().and_then(D::completed);
            match completed {
                Some((SCAN, result)) => self.scanned(result),
                Some((FILES, result)) => {
                    self.fetching = false;
                    self.completions += 1;
                    self.resets_in_a_row = 0;
                    self.fetched = Some(result.map_err(|_| Outcome::DeviceError));
                }
                Some((tag, result)) => {
                    if let Some(ended) = self.ended(tag, result) {
                        return Some(ended);
                    }
                }
                None if self.device.as_ref().is_some_and(D::is_broken) => self.restart(),
                None => return None,
            }
        }
    }

    fn next_failed(&mut self) -> Option<Ended> {
        let request = self.requests.iter_mut().find_map(Option::take)?;
        self.errors += 1;
        Some(finished(&request, Outcome::DeviceError))
    }

    fn ended(&mut self, tag: u16, result: Result<(), DeviceError>) -> Option<Ended> {
        let request = self.requests.get_mut(usize::from(tag)).and_then(Option::take)?;
        self.completions += 1;
        self.resets_in_a_row = 0;
        let outcome = match result {
            Ok(()) => Outcome::Ok,
            Err(_) => Outcome::DeviceError,
        };
        self.errors += u64::from(result.is_err());
        self.sectors_moved += if result.is_ok() { u64::from(request.sectors) } else { 0 };
        Some(finished(&request, outcome))
    }

    /// Resets the device; everything under way fails, and the table is read again.
    pub fn restart(&mut self) {
        self.resets += 1;
        self.resets_in_a_row += 1;
        self.failed = true;
        self.scanning = false;
        self.fetched = core::mem::take(&mut self.fetching).then_some(Err(Outcome::DeviceError));
        let tired = self.resets_in_a_row > MAX_RESETS_IN_A_ROW;
        if tired || self.device.as_mut().is_some_and(|device| device.reset().is_err()) {
            self.device = None;
        }
        self.table = Table::Reading(Scan::new(self.device.as_ref().map_or(0, D::sectors)));
        self.scan();
    }

    fn scan(&mut self) {
        let (Table::Reading(scan), Some(device)) = (&self.table, &mut self.device) else { return };
        let table = match scan.step() {
            Step::Read { sector, count } => {
                let transfer = Transfer { sector, count, area: PRIVATE, offset: 0 };
                self.scanning = device.submit(SCAN, Operation::Read(transfer)).is_ok();
                if self.scanning {
                    return;
                }
                Table::Unusable
            }
            Step::Done(table) => {
                let from_backup = table.primary.is_some();
                Table::Known { partitions: Partitions::of(table), from_backup }
            }
            Step::Failed(_) => Table::Unusable,
        };
        self.table = table;
    }

    fn scanned(&mut self, result: Result<(), DeviceError>) {
        self.scanning = false;
        self.completions += 1;
        let (Table::Reading(scan), Some(device)) = (&mut self.table, &self.device) else { return };
        let count = match scan.step() {
            Step::Read { count, .. } => count,
            _ => 0,
        };
        match (result, count) {
            (Ok(()), 1..) => {
                let mut bytes = [0; SCAN_BYTES];
                let bytes = &mut bytes[..count as usize * SECTOR];
                device.copy_private(0, bytes);
                scan.feed(bytes);
            }
            _ => scan.unreadable(),
        }
        self.scan();
    }
}

const SCAN_BYTES: usize = drivers_gpt::CHUNK as usize * SECTOR;
const _: () = assert!(SCAN_BYTES <= PRIVATE_BYTES);

fn outcome(error: SubmitError) -> Outcome {
    match error {
        SubmitError::Full => Outcome::Busy,
        SubmitError::OutOfRange | SubmitError::ReadOnly => Outcome::Refused,
        SubmitError::Broken => Outcome::DeviceError,
    }
}

fn finished(request: &Request, outcome: Outcome) -> Ended {
    Ended { client: request.client, epoch: request.epoch, id: request.id, outcome }
}
