//! The kernel as one PD sees it.

use crate::wiring::Wiring;
use crate::world::{Letter, State, Wait, Words, World};
use ipc_abi::slot;
use ipc_pd::hosted::HostKernel;
use ipc_pd::{Channel, MessageInfo, get_mr, health, set_mr};
use memory_region::Writable;
use std::sync::{Arc, MutexGuard};

/// The kernel for one start of one PD; lives on that PD's thread.
pub struct PdKernel {
    pub(crate) world: Arc<World>,
    pub(crate) wiring: Arc<Wiring>,
    pub(crate) pd: usize,
    pub(crate) start: u64,
}

/// What a PD receives.
pub enum Event {
    /// Signals, merged.
    Notified(u64),
    /// A call or a fault.
    Letter(Letter),
}

fn words(message: MessageInfo) -> Words {
    (message.label(), (0..message.count()).map(get_mr).collect())
}

/// Puts a message where the PD's runtime looks for it.
pub fn deliver(message: &Words) -> MessageInfo {
    for (i, word) in message.1.iter().enumerate() {
        set_mr(i, *word);
    }
    MessageInfo::new(message.0, message.1.len())
}

impl PdKernel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.world.lock()
    }

    /// Gives the baton back and waits for it.
    fn pause(&self, mut state: MutexGuard<'_, State>) {
        self.world.give_back(&mut state);
        drop(self.world.wait_turn(state, self.pd, self.start));
    }

    fn maybe_pause(&self, mut state: MutexGuard<'_, State>, one_in: u64) {
        if state.random.one_in(one_in) {
            self.pause(state);
        }
    }

    /// As the runtime on the board: every interrupt is acknowledged once.
    pub fn start_up(&self) {
        self.lock().wires.iter_mut().filter(|wire| wire.pd == self.pd).for_each(|wire| wire.masked = false);
        health::idle();
    }

    /// Waits for the next event.
    pub fn receive(&self) -> Event {
        let mut state = self.lock();
        loop {
            let pd = &mut state.pds[self.pd];
            pd.wait = Wait::Event;
            let (bits, letters) = (pd.pending, pd.letters.len());
            if bits != 0 || letters != 0 {
                let letter_first = letters != 0 && (bits == 0 || state.random.one_in(2));
                let pd = &mut state.pds[self.pd];
                pd.wait = Wait::Nothing;
                return match pd.letters.pop_front_if(|_| letter_first) {
                    Some(letter) => Event::Letter(letter),
                    None => Event::Notified(std::mem::take(&mut pd.pending)),
                };
            }
            self.world.give_back(&mut state);
            state = self.world.wait_turn(state, self.pd, self.start);
        }
    }

    /// Answers a call, unless the caller was restarted meanwhile.
    pub fn reply(&self, to: usize, start: u64, message: MessageInfo) {
        let message = words(message);
        let mut state = self.lock();
        if state.pds[to].start == start {
            state.pds[to].answer = Some(message);
        }
    }

    fn protected_call(&self, channel: u64, message: Words) -> Words {
        let mut state = self.lock();
        let peer = state.pds[self.pd].peers.get(channel as usize).copied().flatten();
        let Some((to, id, _, true)) = peer else {
            state.log(|| format!("PD {} calls on channel {channel}, which it may not", self.pd));
            return (1, Vec::new());
        };
        state.pds[self.pd].wait = Wait::Answer;
        state.pds[self.pd].call_again = true;
        loop {
            if let Some(answer) = state.pds[self.pd].answer.take() {
                state.pds[self.pd].wait = Wait::Nothing;
                return answer;
            }
            if std::mem::take(&mut state.pds[self.pd].call_again) {
                let message = message.clone();
                let letter = Letter::Call { from: self.pd, start: self.start, channel: id, message };
                state.pds[to].letters.push_back(letter);
            }
            self.world.give_back(&mut state);
            state = self.world.wait_turn(state, self.pd, self.start);
        }
    }
}

impl HostKernel for PdKernel {
    fn name(&self) -> &'static str {
        self.wiring.name()
    }

    fn has_notify_channel(&self, channel: Channel) -> bool {
        matches!(self.lock().pds[self.pd].peers.get(usize::from(channel.id())), Some(Some((_, _, true, _))))
    }

    fn send(&self, slot: u64, _: MessageInfo) {
        if std::thread::panicking() {
            return;
        }
        let mut state = self.lock();
        state.notify(self.pd, (slot - slot::NOTIFY_BASE) as u8);
        self.maybe_pause(state, 2);
    }

    fn call(&self, slot: u64, message: MessageInfo) -> MessageInfo {
        if std::thread::panicking() {
            return MessageInfo::default();
        }
        let message = words(message);
        let answer = match slot {
            slot::CALL_BASE..slot::IRQ_BASE => self.protected_call(slot - slot::CALL_BASE, message),
            slot::IRQ_BASE..slot::CHILD_BASE => {
                self.lock().acknowledge(self.pd, (slot - slot::IRQ_BASE) as u8);
                (0, Vec::new())
            }
            slot::CHILD_BASE.. => {
                (self.lock().control(self.pd, slot - slot::CHILD_BASE, &message), Vec::new())
            }
            _ => (1, Vec::new()),
        };
        deliver(&answer)
    }

    fn ticks(&self) -> u64 {
        if std::thread::panicking() {
            return 0;
        }
        let mut state = self.lock();
        state.now += 1;
        let now = state.now;
        self.maybe_pause(state, 3);
        now
    }

    fn wait(&self) -> u64 {
        loop {
            if let Event::Notified(bits) = self.receive() {
                return bits;
            }
        }
    }

    fn health_page(&self) -> Option<Writable<'static>> {
        self.wiring.writable("health")
    }
}
