//! The `storage` PD: the block device, its partitions, and who may use which.
//!
//! One design rule: a client names sectors of its own partition and bytes of its own region, and both are checked
//! against what is there before the device hears of them. Data goes between device and region directly.
//!
//! The partition table is read at every start; requests wait until that is done. A client that restarts finds none of
//! its old requests under way; one that breaks the protocol is ignored until it restarts, and counted. A device that
//! answers nothing for [`PATIENCE`] is reset, and what was under way fails. A client may have a partition of its own, and
//! rights to files in two folders of the FAT partition, which this PD then finds itself (ADR 0014).
//!
//! Limits: [`MAX_CLIENTS`] clients; `MAX_IN_FLIGHT` requests of each at a time.
#![cfg_attr(any(target_os = "none", cloister_pd), no_std)]
#![forbid(unsafe_code)]

mod cache;
mod client;
mod disk;
mod files;
mod partitions;
#[cfg(test)]
mod tests;

pub use client::{ClientWiring, FileRights};

use client::Client;
use core::convert::Infallible;
use disk::Disk;
use drivers_block::BlockDevice;
use files::Files;
use ipc_pd::{Channel, ChannelSet, Handler, MessageInfo, clock, health, set_mr};
use ipc_protocol::storage::Outcome;
use ipc_protocol::timer::SET_TIMEOUT;

/// The device's interrupt.
pub const IRQ: Channel = Channel::new(31);
/// The channel to the loader.
pub const LOADER: Channel = Channel::new(7);
/// The channel to the retriever.
pub const RETRIEVER: Channel = Channel::new(8);
/// The channel to the supervisor.
pub const SUPERVISOR: Channel = Channel::new(14);
/// The channel to the timer.
pub const TIMER: Channel = Channel::new(24);
/// Most clients.
pub const MAX_CLIENTS: usize = 4;
/// Microseconds without any completion after which the device is reset.
pub const PATIENCE: u64 = 5_000_000;

/// What the PD's gauges show.
pub mod gauge {
    /// Requests under way: the queue's depth.
    pub const IN_FLIGHT: usize = 0;
    /// Requests carried out.
    pub const REQUESTS: usize = 1;
    /// Sectors read and written.
    pub const SECTORS: usize = 2;
    /// Requests that the device failed.
    pub const DEVICE_ERRORS: usize = 3;
    /// Requests that were refused.
    pub const REFUSED: usize = 4;
    /// Clients that broke the protocol, so far.
    pub const MISBEHAVED: usize = 5;
    /// Resets of the device.
    pub const RESETS: usize = 6;
    /// Partition table: 0 being read or no device, 1 good, 2 its backup serves, 3 unusable.
    pub const TABLE: usize = 7;
}

/// The PD's state.
pub struct Storage<D> {
    disk: Disk<D>,
    files: Files,
    clients: heapless::Vec<Client, MAX_CLIENTS>,
    /// Completions when the device was last looked after, and the tick at which it is looked after again.
    watched: Option<(u64, u64)>,
    misbehaved: u64,
    refused: u64,
}

impl<D: BlockDevice> Storage<D> {
    /// Serves `clients`; `device` is `None` where the machine has no disk. Begins to read the partition table.
    pub fn new(device: Option<D>, clients: impl IntoIterator<Item = ClientWiring>) -> Self {
        let clients = clients.into_iter().take(MAX_CLIENTS).map(Client::new).collect();
        let mut storage = Self {
            disk: Disk::new(device),
            files: Files::new(),
            clients,
            watched: None,
            misbehaved: 0,
            refused: 0,
        };
        storage.work();
        storage.watch();
        storage
    }

    /// Does what can be done, client by client in turns, until nothing is left.
    fn work(&mut self) {
        loop {
            let mut progress = self.collect();
            for index in 0..self.clients.len() {
                progress |= self.serve(index);
            }
            progress |= self.step_files();
            if !progress {
                return;
            }
            health::beat();
        }
    }

    fn collect(&mut self) -> bool {
        let mut progress = false;
        while let Some(ended) = self.disk.next_completion() {
            progress = true;
            if let Some(client) = self.clients.get_mut(ended.client) {
                client.ended(ended.epoch, ended.id, ended.outcome);
            }
        }
        progress
    }

    /// Goes on with what a client wants of files; whether something came of it.
    fn step_files(&mut self) -> bool {
        let Some((client, epoch, answer)) = self.files.step(&mut self.disk) else { return false };
        if let Some(client) = self.clients.get_mut(client) {
            client.answered(epoch, answer);
        }
        true
    }

    fn serve(&mut self, index: usize) -> bool {
        let served = self.clients[index].serve(index, &mut self.disk, &mut self.files);
        self.misbehaved += u64::from(served.misbehaved);
        self.refused += u64::from(served.refused);
        served.messages > 0
    }

    /// Keeps a timeout running while the device has something to do.
    fn watch(&mut self) {
        if self.disk.in_flight() > 0 && self.watched.is_none() {
            // Before the call, so that the signal comes no earlier than the alarm.
            let alarm = clock::ticks().saturating_add(clock::from_micros(PATIENCE));
            set_mr(0, PATIENCE);
            TIMER.pp_call(MessageInfo::new(SET_TIMEOUT, 1));
            self.watched = Some((self.disk.completions(), alarm));
        }
    }

    /// Looks at any event whether the time is over, so it does not matter who signals, or whether the timer
    /// restarted in between.
    fn look_after_device(&mut self) {
        let now = clock::ticks();
        let Some((completions, _)) = self.watched.take_if(|(_, alarm)| *alarm <= now) else { return };
        if completions == self.disk.completions() && self.disk.in_flight() > 0 {
            self.disk.restart();
        }
    }

    fn report(&self) {
        health::gauge(gauge::REQUESTS, self.disk.completions());
        health::gauge(gauge::SECTORS, self.disk.sectors_moved());
        health::gauge(gauge::DEVICE_ERRORS, self.disk.errors());
        health::gauge(gauge::REFUSED, self.refused);
        health::gauge(gauge::MISBEHAVED, self.misbehaved);
        health::gauge(gauge::IN_FLIGHT, self.disk.in_flight() as u64);
        health::gauge(gauge::RESETS, self.disk.resets());
        health::gauge(gauge::TABLE, self.disk.table_state());
    }
}

impl<D: BlockDevice> Handler for Storage<D> {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(IRQ) {
            self.disk.acknowledge();
        }
        self.work();
        self.look_after_device();
        self.work();
        if channels.contains(IRQ) {
            IRQ.irq_ack();
        }
        self.watch();
        self.report();
        Ok(())
    }
}

/// A request of a client, as it comes back.
struct Ended {
    client: usize,
    epoch: u64,
    id: u32,
    outcome: Outcome,
}
