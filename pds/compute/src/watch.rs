//! Waiting for other workers without waiting for ever.
//!
//! A barrier is a spin on a peer's counter. The peer may have faulted, been restarted, or given up; all of that shows in
//! its link region, which is watched while spinning.

use alloc::vec::Vec;
use core::cell::Cell;
use core::sync::atomic::Ordering::Relaxed;
use inference_model::Pace;
use ipc_pd::clock;
use ipc_ring::layout::{EPOCH, TAIL};
use memory_region::Readable;

/// Looks between two checks of the peers.
const LOOKS: u32 = 512;

/// A peer's link region and what it held when the team was set up.
struct Peer {
    region: Readable<'static>,
    known: Cell<(u64, u64)>,
}

/// Gives up a wait when a peer restarts, sends a message, or stays away too long.
pub struct Watch {
    peers: Vec<Peer>,
    active: Cell<usize>,
    limit_micros: Option<u64>,
    since: Cell<u64>,
}

impl Watch {
    /// Watches `regions`; `limit_micros` bounds one wait.
    pub fn new(regions: &[Readable<'static>], limit_micros: Option<u64>) -> Self {
        let peers = regions.iter().map(|region| Peer { region: *region, known: Cell::new((0, 0)) });
        Self { peers: peers.collect(), active: Cell::new(0), limit_micros, since: Cell::new(0) }
    }

    /// Takes what the first `active` peers' regions hold now as normal.
    pub fn settle(&self, active: usize) {
        self.active.set(active);
        for peer in &self.peers {
            peer.known.set(seen(&peer.region));
        }
    }

    fn disturbed(&self) -> bool {
        self.peers.iter().take(self.active.get()).any(|peer| peer.known.get() != seen(&peer.region))
    }

    fn too_long(&self, spins: u32) -> bool {
        // Read even where there is no limit: it is where a hosted system lets the others run.
        let now = clock::ticks();
        let Some(limit) = self.limit_micros else { return false };
        if spins <= LOOKS {
            self.since.set(now);
        }
        clock::to_micros(now.saturating_sub(self.since.get())) > limit
    }
}

fn seen(region: &Readable<'static>) -> (u64, u64) {
    (region.load(EPOCH, Relaxed), region.load(TAIL, Relaxed))
}

impl Pace for Watch {
    fn pause(&self, spins: u32) -> bool {
        core::hint::spin_loop();
        !spins.is_multiple_of(LOOKS) || !(self.disturbed() || self.too_long(spins))
    }
}
