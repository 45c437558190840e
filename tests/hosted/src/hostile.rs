//! A PD that does everything its capabilities allow, at random.

use crate::random::Random;
use crate::wiring::Wiring;
use core::convert::Infallible;
use core::sync::atomic::Ordering::Relaxed;
use ipc_pd::{Channel, ChannelSet, Handler, MessageInfo, clock, has_notify_channel};
use ipc_ring::layout::{EPOCH, HEAD, SEEN_EPOCH, SLOTS, TAIL, WAKE_HEAD, WAKE_TAIL};
use memory_region::Writable;

/// Words written at one event.
const WORDS: u64 = 40;

/// Writes random words into every region that it may write, and signals at random.
pub struct Hostile {
    regions: Vec<Writable<'static>>,
    channels: Vec<Channel>,
    random: Random,
}

impl Hostile {
    /// In place of the PD with this wiring.
    pub fn new(wiring: &Wiring, seed: u64) -> Self {
        let regions = wiring.maps().iter().filter_map(|map| map.mapping.as_writable()).collect();
        let channels = (0..62).map(Channel::new).filter(|channel| has_notify_channel(*channel)).collect();
        let mut hostile = Self { regions, channels, random: Random::new(seed ^ clock::ticks()) };
        hostile.rage();
        hostile
    }

    /// Mostly words that mean something to a ring, mostly with numbers that are nearly right.
    fn rage(&mut self) {
        for _ in 0..WORDS {
            let region = &self.regions[self.random.below(self.regions.len() as u64) as usize];
            let index = match self.random.below(4) {
                0 => self.random.below(region.words() as u64) as usize,
                1 => SLOTS + self.random.below(256) as usize,
                _ => self.random.pick(&[EPOCH, SEEN_EPOCH, TAIL, HEAD, WAKE_TAIL, WAKE_HEAD]),
            };
            let value = match self.random.below(4) {
                0 => self.random.word(),
                1 => u64::MAX - self.random.below(3),
                2 => self.random.below(70),
                _ => region.load(index, Relaxed).wrapping_add(self.random.below(3)),
            };
            region.store(index, value, Relaxed);
        }
        for channel in &self.channels {
            if self.random.one_in(2) {
                channel.notify();
            }
        }
    }
}

impl Handler for Hostile {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.rage();
        Ok(())
    }

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        self.rage();
        ipc_pd::set_mr(0, self.random.word());
        Ok(MessageInfo::new(self.random.below(9), self.random.below(120) as usize))
    }
}
