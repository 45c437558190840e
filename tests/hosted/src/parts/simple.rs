//! Honest PDs that speak the protocols and do no work: what the supervisor is tested against.

use crate::parts::alarm::Alarm;
use crate::system::System;
use crate::wiring::Wiring;
use crate::world::Life;
use core::convert::Infallible;
use ipc_link::{Link, LinkState};
use ipc_pd::{Channel, ChannelSet, Handler, MessageInfo, clock, get_mr, health};
use ipc_protocol::supervisor_compute::Sealed;
use ipc_protocol::{
    Name, Piece, console_supervisor, session_supervisor, supervisor_compute, supervisor_loader, timer,
};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// Who reads the model, as the PDs themselves know it: the number of the reader's start plus one, or 0.
#[derive(Debug, Default)]
pub struct Truth {
    compute: AtomicU64,
    session: AtomicU64,
}

impl Truth {
    /// Whether the loader may run while somebody reads, which must never be. Ask after every step.
    pub fn is_broken(&self, system: &System) -> bool {
        let reads = |name, start: &AtomicU64| {
            start.load(SeqCst) == system.restarts(name) + 1 && system.life(name) == Life::Runs
        };
        system.life("loader") == Life::Runs
            && (reads("compute", &self.compute) || reads("session", &self.session))
    }
}

/// A timer without wall clock.
pub struct SimpleTimer {
    alarm: Arc<Alarm>,
    deadlines: [u64; 62],
}

impl SimpleTimer {
    /// Over the comparator.
    pub fn new(alarm: Arc<Alarm>) -> Self {
        alarm.set(None);
        Self { alarm, deadlines: [u64::MAX; 62] }
    }

    fn set(&mut self, channel: Channel, micros: u64) {
        self.deadlines[usize::from(channel.id())] = clock::ticks().saturating_add(micros);
        self.arm();
    }

    fn arm(&self) {
        self.alarm.set(self.deadlines.iter().copied().min().filter(|tick| *tick != u64::MAX));
    }
}

impl Handler for SimpleTimer {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        let now = clock::ticks();
        for id in 0..62 {
            if self.deadlines[usize::from(id)] <= now {
                self.deadlines[usize::from(id)] = u64::MAX;
                Channel::new(id).notify();
            }
        }
        for channel in channels.iter().filter(|channel| channel.id() != 32) {
            self.set(channel, timer::TICK_MICROS);
        }
        self.arm();
        Channel::new(32).irq_ack();
        Ok(())
    }

    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        match message.label() {
            timer::SET_TIMEOUT => self.set(channel, get_mr(0)),
            timer::CANCEL_TIMEOUT => self.set(channel, u64::MAX),
            _ => return Ok(MessageInfo::new(timer::UNKNOWN, 0)),
        }
        Ok(MessageInfo::default())
    }
}

/// A PD that only beats.
pub struct Quiet;

impl Handler for Quiet {
    type Error = Infallible;
}

/// Compute that believes every model, and reads it as long as it may.
pub struct SimpleCompute {
    link: Link<supervisor_compute::ToSupervisor, supervisor_compute::ToCompute>,
    truth: Arc<Truth>,
    start: u64,
    outbox: VecDeque<supervisor_compute::ToSupervisor>,
}

impl SimpleCompute {
    /// From its regions.
    pub fn new(wiring: &Wiring, truth: Arc<Truth>) -> Self {
        let (mine, theirs) = wiring.link("compute_to_supervisor", "supervisor_to_compute").expect("wired");
        let link = Link::start(mine, theirs, Channel::new(5));
        Self { link, truth, start: wiring.start(), outbox: VecDeque::new() }
    }
}

impl Handler for SimpleCompute {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.link.poll();
        while let Ok(Some(message)) = self.link.receive() {
            let (reads, answer) = match message {
                supervisor_compute::ToCompute::Use(Sealed { generation, .. }) => {
                    (true, supervisor_compute::ToSupervisor::Using { generation })
                }
                supervisor_compute::ToCompute::Release => (false, supervisor_compute::ToSupervisor::Released),
            };
            self.truth.compute.store(if reads { self.start + 1 } else { 0 }, SeqCst);
            self.outbox.push_back(answer);
        }
        while self.outbox.front().is_some_and(|message| self.link.send(message).is_ok()) {
            self.outbox.pop_front();
        }
        Ok(())
    }
}

/// Loader that has two models, and a third that cannot be read.
pub struct SimpleLoader {
    link: Link<supervisor_loader::ToSupervisor, supervisor_loader::ToLoader>,
    outbox: VecDeque<supervisor_loader::ToSupervisor>,
}

impl SimpleLoader {
    /// From its regions.
    pub fn new(wiring: &Wiring) -> Self {
        let (mine, theirs) = wiring.link("loader_to_supervisor", "supervisor_to_loader").expect("wired");
        Self { link: Link::start(mine, theirs, Channel::new(6)), outbox: VecDeque::new() }
    }

    fn load(&mut self, name: &Name, generation: u32, kept: bool) {
        use supervisor_loader::ToSupervisor::{Failed, Progress, Sealed as Done};
        let name = if name.as_slice().is_empty() { Name::new(b"first.gguf") } else { name.clone() };
        self.outbox.push_back(Progress { done: 1, total: 2 });
        self.outbox.push_back(match name.as_slice() {
            b"bad.gguf" => Failed { why: Piece::new(b"bad.gguf is damaged"), kept },
            _ => Done {
                sealed: Sealed { generation, offset: 0, length: 8, header: 4 },
                name,
                hash: [7; 8],
                kept,
                signed: None,
            },
        });
    }
}

impl Handler for SimpleLoader {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        use supervisor_loader::{ToLoader, ToSupervisor};
        if self.link.poll() == LinkState::PeerStarted {
            self.outbox.clear();
        }
        while let Ok(Some(message)) = self.link.receive() {
            match message {
                ToLoader::List => {
                    let names = [b"first.gguf".as_slice(), b"second.gguf", b"bad.gguf"];
                    let models = names.map(|name| ToSupervisor::Model { name: Name::new(name), bytes: 8 });
                    self.outbox.extend(models);
                    self.outbox.push_back(ToSupervisor::ListEnd { count: 3 });
                }
                ToLoader::Load { name, generation, keep } => self.load(&name, generation, keep.is_some()),
                ToLoader::Newest { .. } => unreachable!("this loader knows no manifests and never asks"),
            }
        }
        while self.outbox.front().is_some_and(|message| self.link.send(message).is_ok()) {
            self.outbox.pop_front();
        }
        Ok(())
    }
}

/// Letters between the test and a PD that does what the test says: messages to send, messages received.
#[derive(Debug)]
pub struct Desk<Tx, Rx> {
    /// To be sent.
    pub out: Mutex<VecDeque<Tx>>,
    /// Received.
    pub received: Mutex<Vec<Rx>>,
}

impl<Tx, Rx> Default for Desk<Tx, Rx> {
    fn default() -> Self {
        Self { out: Mutex::default(), received: Mutex::default() }
    }
}

impl<Tx, Rx: Clone> Desk<Tx, Rx> {
    /// Has the PD send a message; poke it afterwards.
    pub fn send(&self, message: Tx) {
        self.out.lock().expect("no test panics here").push_back(message);
    }
    /// Everything received since the last question.
    pub fn take(&self) -> Vec<Rx> {
        std::mem::take(&mut *self.received.lock().expect("no test panics here"))
    }
    /// Whether a received message satisfies `wanted`.
    pub fn has(&self, wanted: impl Fn(&Rx) -> bool) -> bool {
        self.received.lock().expect("no test panics here").iter().any(wanted)
    }
}

/// What the test reads and says as the console.
pub type ConsoleDesk = Desk<console_supervisor::ToSupervisor, console_supervisor::ToConsole>;
/// What the test reads and says as the session.
pub type SessionDesk = Desk<session_supervisor::ToSupervisor, session_supervisor::ToSession>;

/// The console's side of its link to the supervisor, as the test wants it.
pub struct DeskConsole {
    link: Link<console_supervisor::ToSupervisor, console_supervisor::ToConsole>,
    desk: Arc<ConsoleDesk>,
}

impl DeskConsole {
    /// From its regions.
    pub fn new(wiring: &Wiring, desk: Arc<ConsoleDesk>) -> Self {
        let (mine, theirs) = wiring.link("console_to_supervisor", "supervisor_to_console").expect("wired");
        Self { link: Link::start(mine, theirs, Channel::new(2)), desk }
    }
}

impl Handler for DeskConsole {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.link.poll();
        while let Ok(Some(message)) = self.link.receive() {
            self.desk.received.lock().expect("no test panics here").push(message);
        }
        let mut out = self.desk.out.lock().expect("no test panics here").pop_front();
        while let Some(message) = out {
            if self.link.send(&message).is_err() {
                self.desk.out.lock().expect("no test panics here").push_front(message);
                break;
            }
            out = self.desk.out.lock().expect("no test panics here").pop_front();
        }
        health::gauge(0, 42);
        Ok(())
    }
}

/// The session's side of its link to the supervisor: releases when asked, else as the test wants it.
pub struct DeskSession {
    link: Link<session_supervisor::ToSupervisor, session_supervisor::ToSession>,
    desk: Arc<SessionDesk>,
    truth: Arc<Truth>,
    start: u64,
}

impl DeskSession {
    /// From its regions.
    pub fn new(wiring: &Wiring, desk: Arc<SessionDesk>, truth: Arc<Truth>) -> Self {
        let (mine, theirs) = wiring.link("session_to_supervisor", "supervisor_to_session").expect("wired");
        Self { link: Link::start(mine, theirs, Channel::new(3)), desk, truth, start: wiring.start() }
    }
}

impl Handler for DeskSession {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.link.poll();
        while let Ok(Some(message)) = self.link.receive() {
            match &message {
                session_supervisor::ToSession::Ready { .. } => {
                    self.truth.session.store(self.start + 1, SeqCst)
                }
                session_supervisor::ToSession::ReleaseVocabulary => {
                    self.truth.session.store(0, SeqCst);
                    self.desk.send(session_supervisor::ToSupervisor::VocabularyReleased);
                }
                _ => (),
            }
            self.desk.received.lock().expect("no test panics here").push(message);
        }
        let mut out = self.desk.out.lock().expect("no test panics here").pop_front();
        while let Some(message) = out {
            if self.link.send(&message).is_err() {
                self.desk.out.lock().expect("no test panics here").push_front(message);
                break;
            }
            out = self.desk.out.lock().expect("no test panics here").pop_front();
        }
        Ok(())
    }
}
