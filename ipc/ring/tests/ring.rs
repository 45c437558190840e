//! A ring between two sides, with restarts and a hostile peer.
#![cfg(not(loom))]
use ipc_ring::layout::{EPOCH, HEAD, SEEN_EPOCH, SLOTS, TAIL, capacity};
use ipc_ring::{Duplex, LinkState, Load, PeerMisbehaved, Sent, Store};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone)]
struct Memory(Arc<Vec<AtomicU64>>);

impl Memory {
    fn new(words: usize) -> Self {
        Self(Arc::new((0..words).map(|_| AtomicU64::new(0)).collect()))
    }
}
impl Load for Memory {
    fn words(&self) -> usize {
        self.0.len()
    }
    fn load(&self, index: usize, order: Ordering) -> u64 {
        self.0.get(index).map_or(0, |w| w.load(order))
    }
}
impl Store for Memory {
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self.0[index].store(value, order)
    }
}
type Side = Duplex<Memory, Memory, 2>;

fn memories() -> (Memory, Memory) {
    (Memory::new(SLOTS + 9), Memory::new(SLOTS + 9))
}
fn sides(m: &(Memory, Memory)) -> (Side, Side) {
    let (mut a, mut b) = (Side::start(m.0.clone(), m.1.clone()), Side::start(m.1.clone(), m.0.clone()));
    assert_eq!(a.poll_link(), LinkState::PeerStarted);
    assert_eq!(b.poll_link(), LinkState::PeerStarted);
    (a, b)
}

#[test]
fn capacity_is_the_largest_power_of_two_that_fits() {
    assert_eq!(capacity(SLOTS + 9, 2), 4);
    assert_eq!(capacity(SLOTS + 1, 2), 0);
    assert_eq!(capacity(10, 2), 0);
}

#[test]
fn messages_arrive_in_order_and_a_full_queue_says_so() {
    let m = memories();
    let (mut a, mut b) = sides(&m);
    for i in 0..4 {
        assert_ne!(a.push(&[i, i * 10]), Ok(Sent::Full));
    }
    assert_eq!(a.push(&[9, 9]), Ok(Sent::Full));
    assert_eq!(b.pop(), Ok(Some(([0, 0], true))), "the sender waits for room");
    assert_ne!(a.push(&[4, 40]), Ok(Sent::Full));
    for i in 1..5 {
        assert_eq!(b.pop().unwrap().unwrap().0, [i, i * 10]);
    }
    assert_eq!(b.pop(), Ok(None));
    assert_eq!(a.push(&[5, 50]), Ok(Sent::Notify), "the receiver found it empty and asked to be woken");
    assert_eq!(a.push(&[6, 60]), Ok(Sent::Queued), "once is enough");
}

#[test]
fn nothing_is_sent_before_the_peer_is_up() {
    let m = memories();
    let mut a = Side::start(m.0.clone(), m.1.clone());
    assert_eq!(a.poll_link(), LinkState::Down);
    assert_eq!(a.push(&[1, 1]), Ok(Sent::Full));
    let mut b = Side::start(m.1.clone(), m.0.clone());
    assert_eq!(b.poll_link(), LinkState::PeerStarted);
    assert_eq!(a.poll_link(), LinkState::PeerStarted);
    assert_eq!(a.poll_link(), LinkState::Up);
}

#[test]
fn a_restarted_peer_empties_both_queues() {
    let m = memories();
    let (mut a, mut b) = sides(&m);
    a.push(&[1, 1]).unwrap();
    b.push(&[2, 2]).unwrap();
    let mut b2 = Side::start(m.1.clone(), m.0.clone());
    assert_eq!(b2.pop(), Ok(None), "a has not yet noticed");
    assert_eq!(a.poll_link(), LinkState::PeerStarted);
    assert_eq!(a.pop(), Ok(None));
    assert_eq!(b2.poll_link(), LinkState::PeerStarted);
    a.push(&[3, 3]).unwrap();
    assert_eq!(b2.pop().unwrap().unwrap().0, [3, 3]);
    assert_eq!(b2.peer_epoch(), 1);
    assert_eq!(a.peer_epoch(), 2);
    let _ = b.pop();
}

#[test]
fn a_hostile_tail_or_head_is_an_error() {
    let m = memories();
    let (mut a, _b) = sides(&m);
    m.1.store(TAIL, 5, Ordering::Relaxed);
    assert_eq!(a.pop(), Err(PeerMisbehaved));
    m.1.store(HEAD, 1, Ordering::Relaxed);
    assert_eq!(a.push(&[0, 0]), Err(PeerMisbehaved));
}

#[test]
fn what_was_taken_is_erased_and_what_waits_in_the_same_slot_is_not() {
    let m = memories();
    let (mut a, mut b) = sides(&m);
    for i in 1..5 {
        assert_ne!(a.push(&[i, i]), Ok(Sent::Full));
    }
    assert_eq!((b.pop().unwrap().unwrap().0, b.pop().unwrap().unwrap().0), ([1, 1], [2, 2]));
    assert_ne!(a.push(&[5, 5]), Ok(Sent::Full));
    a.poll_link();
    let slots: Vec<u64> = (0..8).map(|word| m.0.load(SLOTS + word, Ordering::Relaxed)).collect();
    assert_eq!(slots, [5, 5, 0, 0, 3, 3, 4, 4]);
    for i in 3..6 {
        assert_eq!(b.pop().unwrap().unwrap().0, [i, i]);
    }
}

proptest! {
    #[test]
    fn random_words_from_a_peer_never_panic(words in proptest::collection::vec((0usize..80, any::<u64>()), 0..40)) {
        let m = memories();
        let (mut a, _b) = sides(&m);
        for (index, value) in words {
            if index < m.1.words() { m.1.store(index, value, Ordering::Relaxed); }
            let _ = (a.poll_link(), a.push(&[1, 2]), a.pop(), a.room(), a.waiting());
        }
    }

    #[test]
    fn restarts_in_any_order_converge(steps in proptest::collection::vec(0u8..6, 0..60)) {
        let m = memories();
        let (mut a, mut b) = sides(&m);
        for step in steps {
            match step {
                0 => { let _ = a.push(&[7, 7]); }
                1 => { let _ = b.push(&[8, 8]); }
                2 => { prop_assert!(a.pop().unwrap().is_none_or(|(v, _)| v == [8, 8])); }
                3 => { prop_assert!(b.pop().unwrap().is_none_or(|(v, _)| v == [7, 7])); }
                4 => a = Side::start(m.0.clone(), m.1.clone()),
                _ => b = Side::start(m.1.clone(), m.0.clone()),
            }
            if step % 2 == 0 { a.poll_link(); } else { b.poll_link(); }
        }
        for _ in 0..3 { a.poll_link(); b.poll_link(); }
        prop_assert_eq!(a.poll_link(), LinkState::Up);
        prop_assert_eq!(b.poll_link(), LinkState::Up);
        while a.pop().unwrap().is_some() {}
        while b.pop().unwrap().is_some() {}
        prop_assert_ne!(a.push(&[1, 2]), Ok(Sent::Full));
        prop_assert_eq!(b.pop().unwrap().unwrap().0, [1, 2]);
        let _ = (EPOCH, SEEN_EPOCH);
    }
}
