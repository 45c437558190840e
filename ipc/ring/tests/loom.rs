//! Every interleaving of a producer and a consumer: run with `RUSTFLAGS="--cfg loom" cargo test -p ipc-ring --release`.
#![cfg(loom)]
use ipc_ring::layout::SLOTS;
use ipc_ring::{Duplex, Load, Sent, Store};
use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

const USED: [usize; 8] = [0, 1, 8, 16, 24, 32, SLOTS, SLOTS + 1];

#[derive(Clone)]
struct Memory(Arc<Vec<AtomicU64>>);
impl Memory {
    fn new() -> Self {
        Self(Arc::new(USED.iter().map(|_| AtomicU64::new(0)).collect()))
    }
    fn at(&self, index: usize) -> &AtomicU64 {
        &self.0[USED.iter().position(|w| *w == index).unwrap()]
    }
}
impl Load for Memory {
    fn words(&self) -> usize {
        SLOTS + 2
    }
    fn load(&self, index: usize, order: Ordering) -> u64 {
        self.at(index).load(order)
    }
}
impl Store for Memory {
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self.at(index).store(value, order)
    }
}

fn sides() -> (Duplex<Memory, Memory, 1>, Duplex<Memory, Memory, 1>) {
    let (x, y) = (Memory::new(), Memory::new());
    let (mut a, mut b) = (Duplex::start(x.clone(), y.clone()), Duplex::start(y, x));
    a.poll_link();
    b.poll_link();
    (a, b)
}

#[test]
fn a_receiver_that_sleeps_is_always_woken() {
    loom::model(|| {
        let (mut a, mut b) = sides();
        let producer = loom::thread::spawn(move || a.push(&[41]).unwrap());
        let found = b.pop().unwrap();
        let sent = producer.join().unwrap();
        match found {
            Some((message, _)) => assert_eq!(message, [41], "stale slot"),
            None => assert_eq!(sent, Sent::Notify, "lost wake-up"),
        }
    });
}

#[test]
fn a_sender_that_waits_for_room_is_always_woken() {
    loom::model(|| {
        let (mut a, mut b) = sides();
        a.push(&[1]).unwrap();
        a.push(&[2]).unwrap();
        let consumer = loom::thread::spawn(move || b.pop().unwrap().unwrap());
        let sent = a.push(&[3]).unwrap();
        let (message, wanted) = consumer.join().unwrap();
        assert_eq!(message, [1]);
        assert!(sent != Sent::Full || wanted, "lost wake-up");
    });
}
