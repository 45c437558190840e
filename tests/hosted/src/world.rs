//! The state of a hosted system, and the baton that lets one PD run at a time.
//!
//! One design rule: every PD has a thread of its own, so that it can be stopped, and later resumed or dropped, in
//! the middle of an event; but only the holder of the baton runs, and chance with a seed decides who that is. So
//! runs repeat exactly. A PD may lose the baton wherever it calls the kernel or reads the counter.

use crate::random::Random;
use ipc_abi::{fault, label};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tools_sysgen::System;

/// Payload with which the thread of a dropped PD unwinds.
pub struct Killed;

/// Lines that are kept for the report of a failure.
const LOG: usize = 60;

/// A message: label and words.
pub type Words = (u64, Vec<u64>);

/// What waits for a PD beside notifications.
#[derive(Debug)]
pub enum Letter {
    /// A protected call.
    Call { from: usize, start: u64, channel: u8, message: Words },
    /// A child's fault.
    Fault { child: u8, message: Words },
}

/// Whether a PD may run at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// As far as it has something to do.
    Runs,
    /// Its parent stopped it.
    Stopped,
    /// It faulted; its thread has ended.
    Faulted,
}

/// What a PD waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing.
    Nothing,
    /// The next event.
    Event,
    /// The answer to a call.
    Answer,
}

/// One PD.
#[derive(Debug)]
pub struct Pd {
    /// Its name.
    pub name: String,
    /// Starts so far: the threads of earlier ones end when they notice.
    pub start: u64,
    /// See [`Life`].
    pub life: Life,
    /// See [`Wait`].
    pub wait: Wait,
    /// Signalled channels and interrupts.
    pub pending: u64,
    /// Those that have not arrived yet.
    pub late: u64,
    /// Calls and faults.
    pub letters: VecDeque<Letter>,
    /// The answer to its call.
    pub answer: Option<Words>,
    /// Its call was cancelled.
    pub call_again: bool,
    /// It hangs: never runs until it is restarted.
    pub hangs: bool,
    /// Parent and id there.
    pub parent: Option<(usize, u8)>,
    /// The other end by channel id: PD, its id, whether we may notify, whether we may call.
    pub peers: Vec<Option<(usize, u8, bool, bool)>>,
    /// Children by id.
    pub children: Vec<Option<usize>>,
}

/// An interrupt line of a device.
pub trait Device: Send + Sync {
    /// Whether the line is up.
    fn line(&self, now: u64) -> bool;
    /// When it will go up by itself.
    fn next(&self) -> Option<u64> {
        None
    }
}

/// A device wired to a PD.
pub struct Wire {
    /// The PD.
    pub pd: usize,
    /// The interrupt's id there.
    pub id: u8,
    /// The device.
    pub device: Arc<dyn Device>,
    /// Waits for an acknowledgement.
    pub masked: bool,
}

/// Everything behind the lock.
pub struct State {
    /// Chance.
    pub random: Random,
    /// Microseconds.
    pub now: u64,
    /// Who runs; `None`: the test itself.
    pub baton: Option<usize>,
    /// The PDs, as in the system.
    pub pds: Vec<Pd>,
    /// Devices.
    pub wires: Vec<Wire>,
    /// Panics of honest PDs.
    pub panics: Vec<String>,
    /// PDs whose threads the test must start: restarted by their parent.
    pub to_start: Vec<usize>,
    /// The system is being dropped.
    pub closing: bool,
    log: VecDeque<String>,
}

/// The state, and who waits for it.
pub struct World {
    state: Mutex<State>,
    turns: Vec<Condvar>,
    director: Condvar,
}

fn pds(system: &System) -> Vec<Pd> {
    let none = || (0..64).map(|_| None).collect::<Vec<_>>();
    let mut pds: Vec<_> = system
        .pds
        .iter()
        .map(|pd| Pd {
            name: pd.name.clone(),
            start: 0,
            life: Life::Runs,
            wait: Wait::Nothing,
            pending: 0,
            late: 0,
            letters: VecDeque::new(),
            answer: None,
            call_again: false,
            hangs: false,
            parent: pd.parent.map(|parent| (parent, pd.child_id)),
            peers: none(),
            children: (0..64).map(|_| None).collect(),
        })
        .collect();
    for channel in &system.channels {
        let [a, b] = &channel.ends;
        pds[a.pd].peers[usize::from(a.id)] = Some((b.pd, b.id, a.notify, a.pp));
        pds[b.pd].peers[usize::from(b.id)] = Some((a.pd, a.id, b.notify, b.pp));
    }
    for index in 0..pds.len() {
        if let Some((parent, id)) = pds[index].parent {
            pds[parent].children[usize::from(id)] = Some(index);
        }
    }
    pds
}

impl World {
    /// All PDs of `system`, none of them started.
    pub fn new(system: &System, seed: u64) -> Self {
        let state = State {
            random: Random::new(seed),
            now: 1_000,
            baton: None,
            pds: pds(system),
            wires: Vec::new(),
            panics: Vec::new(),
            to_start: Vec::new(),
            closing: false,
            log: VecDeque::new(),
        };
        let turns = system.pds.iter().map(|_| Condvar::new()).collect();
        Self { state: Mutex::new(state), turns, director: Condvar::new() }
    }

    /// The state. A test that failed while it held the lock does not make the others fail.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes every thread, so that those of dropped PDs end.
    pub fn wake_all(&self) {
        self.turns.iter().for_each(Condvar::notify_all);
    }

    /// From the test: lets `pd` run until it gives the baton back.
    pub fn let_run(&self, mut state: MutexGuard<'_, State>, pd: usize) {
        state.baton = Some(pd);
        self.turns[pd].notify_all();
        while state.baton.is_some() {
            state = self.director.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// From a PD: gives the baton back.
    pub fn give_back(&self, state: &mut State) {
        state.baton = None;
        self.director.notify_all();
    }

    /// From a PD: waits for the baton. Unwinds when the PD has been restarted, faulted or dropped meanwhile.
    pub fn wait_turn<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        pd: usize,
        start: u64,
    ) -> MutexGuard<'a, State> {
        loop {
            if state.closing || state.pds[pd].start != start {
                drop(state);
                std::panic::resume_unwind(Box::new(Killed));
            }
            if state.baton == Some(pd) {
                return state;
            }
            state = self.turns[pd].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    /// Notes what happened, for the report of a failure.
    pub fn log(&mut self, line: impl FnOnce() -> String) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        let line = format!("{:>9} {}", self.now, line());
        self.log.push_back(line);
    }

    /// The last things that happened.
    pub fn recent(&self) -> String {
        self.log.iter().map(|line| format!("{line}\n")).collect()
    }

    /// PDs that could run now.
    pub fn runnable(&self) -> Vec<usize> {
        let ready = |pd: &Pd| {
            pd.life == Life::Runs
                && !pd.hangs
                && match pd.wait {
                    Wait::Nothing => true,
                    Wait::Event => pd.pending != 0 || !pd.letters.is_empty(),
                    Wait::Answer => pd.answer.is_some() || pd.call_again,
                }
        };
        (0..self.pds.len()).filter(|index| ready(&self.pds[*index])).collect()
    }

    /// Signals the other end of a channel, now or a little later.
    pub fn notify(&mut self, from: usize, channel: u8) {
        let peer = self.pds[from].peers.get(usize::from(channel)).copied().flatten();
        let Some((to, id, true, _)) = peer else {
            return self.log(|| format!("PD {from} notifies on channel {channel}, which it may not"));
        };
        match self.random.one_in(4) {
            true => self.pds[to].late |= 1 << id,
            false => self.pds[to].pending |= 1 << id,
        }
    }

    /// Lets some or all late notifications arrive.
    pub fn deliver_late(&mut self, all: bool) {
        for index in 0..self.pds.len() {
            if self.pds[index].late != 0 && (all || self.random.one_in(3)) {
                let late = std::mem::take(&mut self.pds[index].late);
                self.pds[index].pending |= late;
            }
        }
    }

    /// Raises interrupts whose lines are up.
    pub fn raise_interrupts(&mut self) {
        for wire in &mut self.wires {
            if !wire.masked && wire.device.line(self.now) {
                wire.masked = true;
                self.pds[wire.pd].pending |= 1 << wire.id;
            }
        }
    }

    /// When a device will want attention next.
    pub fn next_alarm(&self) -> Option<u64> {
        self.wires.iter().filter(|wire| !wire.masked).filter_map(|wire| wire.device.next()).min()
    }

    /// An interrupt was acknowledged: it may happen again.
    pub fn acknowledge(&mut self, pd: usize, id: u8) {
        self.wires
            .iter_mut()
            .filter(|wire| (wire.pd, wire.id) == (pd, id))
            .for_each(|wire| wire.masked = false);
    }

    /// The thread of a PD is to end: what it has asked others for is withdrawn.
    fn end(&mut self, pd: usize) {
        let gone = &mut self.pds[pd];
        (gone.start, gone.answer, gone.wait, gone.hangs) = (gone.start + 1, None, Wait::Nothing, false);
        gone.call_again = false;
        self.withdraw_calls(pd);
        if let Some((parent, id)) = self.pds[pd].parent {
            let fault = |letter: &Letter| matches!(letter, Letter::Fault { child, .. } if *child == id);
            self.pds[parent].letters.retain(|letter| !fault(letter));
        }
    }

    /// A PD faults: its thread ends, its parent gets the message.
    pub fn fault(&mut self, pd: usize, message: Words) {
        self.log(|| format!("PD {pd} faults"));
        self.end(pd);
        self.pds[pd].life = Life::Faulted;
        if let Some((parent, child)) = self.pds[pd].parent {
            self.pds[parent].letters.push_back(Letter::Fault { child, message });
        }
    }

    /// A memory fault at some address.
    pub fn memory_fault(&mut self, pd: usize) {
        let (pc, address) = (0x20_0000 + self.random.below(0x1000) * 4, self.random.word());
        self.fault(pd, (fault::VM, vec![pc, address, 0, 0x9200_0046]));
    }

    /// Starts a PD with fresh data; what is in its regions stays, and so do pending notifications.
    pub fn restart(&mut self, pd: usize) {
        self.log(|| format!("PD {pd} is restarted"));
        self.end(pd);
        self.pds[pd].life = Life::Runs;
        self.to_start.push(pd);
    }

    /// A call that is not answered yet is cancelled; the PD makes it again when it is resumed.
    fn suspend(&mut self, pd: usize) {
        self.pds[pd].life = Life::Stopped;
        if self.pds[pd].wait == Wait::Answer && self.pds[pd].answer.is_none() {
            self.pds[pd].call_again = true;
            self.withdraw_calls(pd);
        }
    }

    fn withdraw_calls(&mut self, pd: usize) {
        for other in &mut self.pds {
            other.letters.retain(|letter| !matches!(letter, Letter::Call { from, .. } if *from == pd));
        }
    }

    /// What a parent asks about a child; the answer is seL4's error label.
    pub fn control(&mut self, parent: usize, child: u64, message: &Words) -> u64 {
        let pd = self.pds[parent].children.get(child as usize).copied().flatten();
        let Some(pd) = pd else { return 1 };
        match message.0 {
            label::TCB_SUSPEND if self.pds[pd].life == Life::Runs => self.suspend(pd),
            label::TCB_SUSPEND => (),
            label::TCB_RESUME if self.pds[pd].life == Life::Stopped => self.pds[pd].life = Life::Runs,
            label::TCB_RESUME => (),
            label::TCB_WRITE_REGISTERS if message.1.len() == 3 => self.restart(pd),
            _ => return 3,
        }
        self.log(|| format!("control of PD {pd}: {}", message.0));
        0
    }
}
