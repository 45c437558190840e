//! Both directions of a link, as one side holds them.

use crate::layout::{EPOCH, HEAD, SEEN_EPOCH, SLOTS, TAIL, WAKE_HEAD, WAKE_TAIL, capacity};
use crate::words::{Load, Store, fence};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The peer published an index that no correct peer could publish. The caller drops the link or restarts the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerMisbehaved;

/// What happened to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// In the queue, and the peer is awake or did not ask to be woken.
    Queued,
    /// In the queue, and the peer wants a notification now.
    Notify,
    /// The queue is full or the peer is not up; the peer will notify once there is room. Nothing was sent.
    Full,
}

/// What [`Duplex::poll_link`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// The peer has not started, or has not yet seen that we have.
    Down,
    /// Both sides are in step.
    Up,
    /// The peer (re)started since the last call: both queues are empty now, and what was pending is lost. Notify it.
    PeerStarted,
}

/// One side of a link; `SLOT` is the message size in words.
pub struct Duplex<Mine, Theirs, const SLOT: usize> {
    mine: Mine,
    theirs: Theirs,
    send_capacity: u64,
    receive_capacity: u64,
    epoch: u64,
    seen: u64,
    tail: u64,
    head: u64,
    /// Messages whose slots have been erased since the peer took them.
    swept: u64,
}

impl<Mine: Store, Theirs: Load, const SLOT: usize> Duplex<Mine, Theirs, SLOT> {
    /// Starts this side: raises the epoch in its own region and empties both directions. Notify the peer afterwards.
    pub fn start(mine: Mine, theirs: Theirs) -> Self {
        // Wrapping: a predecessor that ran wild may have left any number here; 0 would mean "never started".
        let epoch = mine.load(EPOCH, Relaxed).wrapping_add(1).max(1);
        let (send_capacity, receive_capacity) =
            (capacity(mine.words(), SLOT), capacity(theirs.words(), SLOT));
        let mut link = Self {
            mine,
            theirs,
            send_capacity,
            receive_capacity,
            epoch,
            seen: 0,
            tail: 0,
            head: 0,
            swept: 0,
        };
        // In this order: a peer that sees the new epoch sees that we are not in step with it, and a peer that
        // sees an index of zero sees the new epoch (see `in_step`, `checked`).
        link.mine.store(SEEN_EPOCH, 0, Relaxed);
        link.mine.store(EPOCH, epoch, Release);
        // The fence orders the store of EPOCH before the erasure in `reset`; pairs with the one at the end of `pop`.
        fence();
        link.reset(0);
        link
    }

    fn reset(&mut self, seen: u64) {
        self.erase(0..self.send_capacity);
        (self.tail, self.head, self.seen, self.swept) = (0, 0, seen, 0);
        for word in [TAIL, HEAD, WAKE_TAIL, WAKE_HEAD] {
            self.mine.store(word, 0, Release);
        }
        // Release: pairs with the Acquire load of SEEN_EPOCH in the peer's `in_step`.
        self.mine.store(SEEN_EPOCH, seen, Release);
    }

    fn erase(&self, messages: core::ops::Range<u64>) {
        for message in messages {
            let slot = SLOTS + (message & (self.send_capacity - 1)) as usize * SLOT;
            (slot..slot + SLOT).for_each(|word| self.mine.store(word, 0, Relaxed));
        }
    }

    /// Erases messages that the peer has taken.
    fn sweep(&mut self) {
        // Acquire: pairs with the Release store of HEAD in the peer's `pop`, which has copied them out by then.
        let taken = self.theirs.load(HEAD, Acquire);
        if self.in_step() && self.swept < taken && taken <= self.tail {
            // Slots of older messages hold newer ones already.
            self.erase(self.swept.max(self.tail.saturating_sub(self.send_capacity))..taken);
            self.swept = taken;
        }
    }

    /// How often the owner of the other region has started.
    pub fn peer_epoch(&self) -> u64 {
        self.seen
    }

    /// Looks whether the peer restarted, and follows it if so. Call before each round of receiving. Erases what the
    /// peer has taken.
    pub fn poll_link(&mut self) -> LinkState {
        self.sweep();
        // Acquire: pairs with the Release store of EPOCH in the peer's `start`.
        let epoch = self.theirs.load(EPOCH, Acquire);
        if epoch != self.seen {
            self.reset(epoch);
            return LinkState::PeerStarted;
        }
        if self.in_step() { LinkState::Up } else { LinkState::Down }
    }

    /// Whether this side's own region still holds what this side wrote. If not, the program that holds this value has
    /// written where it did not mean to, and should end.
    pub fn is_intact(&self) -> bool {
        let own = [(EPOCH, self.epoch), (SEEN_EPOCH, self.seen), (TAIL, self.tail), (HEAD, self.head)];
        own.into_iter().all(|(word, value)| self.mine.load(word, Relaxed) == value)
    }

    fn in_step(&self) -> bool {
        // Acquire: pairs with the Release stores of SEEN_EPOCH and EPOCH in the peer's `reset` and `start`.
        let acknowledged = self.theirs.load(SEEN_EPOCH, Acquire) == self.epoch;
        acknowledged && self.seen != 0 && self.theirs.load(EPOCH, Acquire) == self.seen
    }

    /// `count` if it fits `capacity`; 0 if the peer restarted just now, so that its index belongs to no epoch of ours.
    fn checked(&self, count: u64, capacity: u64) -> Result<u64, PeerMisbehaved> {
        match count <= capacity {
            true => Ok(count),
            false if self.in_step() => Err(PeerMisbehaved),
            false => Ok(0),
        }
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`PeerMisbehaved`] when the peer claims to have consumed what was never sent.
    pub fn push(&mut self, message: &[u64; SLOT]) -> Result<Sent, PeerMisbehaved> {
        if !self.in_step() || !self.has_room()? {
            return Ok(Sent::Full);
        }
        let slot = SLOTS + (self.tail & (self.send_capacity - 1)) as usize * SLOT;
        for (i, word) in message.iter().enumerate() {
            self.mine.store(slot + i, *word, Relaxed);
        }
        self.tail += 1;
        // Release: pairs with the Acquire load of TAIL in the peer's `pop`.
        self.mine.store(TAIL, self.tail, Release);
        // The fence orders the store of TAIL before the load of WAKE_TAIL; pairs with the fence in `ask_for_message`.
        fence();
        let wanted = self.theirs.load(WAKE_TAIL, Relaxed) == self.tail;
        Ok(if wanted { Sent::Notify } else { Sent::Queued })
    }

    fn has_room(&mut self) -> Result<bool, PeerMisbehaved> {
        if self.room()? > 0 {
            return Ok(true);
        }
        self.mine.store(WAKE_HEAD, self.tail - self.send_capacity + 1, Relaxed);
        // Pairs with the fence in `pop`: either the peer sees the wish, or this load sees its new head.
        fence();
        Ok(self.room()? > 0)
    }

    /// Messages that can be queued now.
    ///
    /// # Errors
    /// As for [`Duplex::push`].
    pub fn room(&self) -> Result<u64, PeerMisbehaved> {
        // Acquire: pairs with the Release store of HEAD in the peer's `pop`, so its slots are free to overwrite.
        let used = self.tail.wrapping_sub(self.theirs.load(HEAD, Acquire));
        let room = self.send_capacity.wrapping_sub(used);
        self.checked(room, self.send_capacity)
    }

    /// Takes the next message; the flag says whether the peer waits for room and must be notified.
    ///
    /// # Errors
    /// [`PeerMisbehaved`] when the peer claims more messages than fit.
    pub fn pop(&mut self) -> Result<Option<([u64; SLOT], bool)>, PeerMisbehaved> {
        if !self.in_step() || !self.has_message()? {
            return Ok(None);
        }
        let slot = SLOTS + (self.head & (self.receive_capacity - 1)) as usize * SLOT;
        let message = core::array::from_fn(|i| self.theirs.load(slot + i, Relaxed));
        // A peer that restarted meanwhile has erased its slots: pairs with the fence in its `start`.
        fence();
        if !self.in_step() {
            return Ok(None);
        }
        self.head += 1;
        // Release: pairs with the Acquire load of HEAD in the peer's `room`.
        self.mine.store(HEAD, self.head, Release);
        // Pairs with the fence in `has_room`.
        fence();
        let wanted = self.theirs.load(WAKE_HEAD, Relaxed) == self.head;
        Ok(Some((message, wanted)))
    }

    fn has_message(&mut self) -> Result<bool, PeerMisbehaved> {
        if self.waiting()? > 0 {
            return Ok(true);
        }
        self.mine.store(WAKE_TAIL, self.head + 1, Relaxed);
        // Pairs with the fence in `push`: either the peer sees the wish, or this load sees its new tail.
        fence();
        Ok(self.waiting()? > 0)
    }

    /// Messages that wait to be taken: the queue's depth.
    ///
    /// # Errors
    /// As for [`Duplex::pop`].
    pub fn waiting(&self) -> Result<u64, PeerMisbehaved> {
        // Acquire: pairs with the Release store of TAIL in the peer's `push`.
        let waiting = self.theirs.load(TAIL, Acquire).wrapping_sub(self.head);
        self.checked(waiting, self.receive_capacity)
    }
}
