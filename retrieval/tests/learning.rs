// SPDX-License-Identifier: MIT
//! Pairs and adapters: kept, replaced, forgotten; power cuts at every write; a full store.
mod sim;

use retrieval::embed::HashEmbedder;
use retrieval::memory::{Config, MOST_VERSIONS, Memory, MemoryError};
use retrieval::record::{AdapterVersion, Pair, PairKind};
use retrieval::store::{Options, StoreError};
use sim::disk::{Flush, SimDisk};

const BASE: [u8; 8] = [7; 8];

fn config() -> Config {
    let store = Options { max_frame_sectors: 64, store_id: 99, ..Options::default() };
    Config { store, max_passages: 100, max_episodes: 10, max_facts: 10, ..Config::default() }
}

fn fresh(sectors: u64) -> (SimDisk, Memory<SimDisk>) {
    let disk = SimDisk::new(sectors, 1, Flush::Honest, 5);
    (disk.clone(), Memory::format(disk, config(), &HashEmbedder).expect("format"))
}

fn open(disk: &SimDisk) -> Memory<SimDisk> {
    Memory::open(disk.clone(), config(), &HashEmbedder).expect("opens")
}

fn pair<'a>(kind: PairKind, question: &'a str, answer: &'a str) -> Pair<'a> {
    Pair { time: 1, kind, question, answer }
}

fn file(number: u8) -> Vec<u8> {
    (0..50_000u32).map(|i| (i as u8).wrapping_mul(31) ^ number).collect()
}

fn version(number: u8, base: [u8; 8]) -> AdapterVersion {
    let length = file(number).len() as u32;
    AdapterVersion {
        base,
        length,
        checksum: number.into(),
        pairs: 2,
        newest: 9,
        time: 5,
        before: 3.0,
        after: 0.1,
    }
}

fn keep(memory: &mut Memory<SimDisk>, number: u8) -> Result<u32, MemoryError> {
    memory.keep_adapter(&version(number, BASE), &file(number))
}

#[test]
fn pairs_are_kept_replaced_and_forgotten_over_restarts() {
    let (disk, mut memory) = fresh(8192);
    memory.set_learning(true).expect("stored");
    let first = memory.keep_pair(&pair(PairKind::Correction, "who?", "Marta")).expect("kept");
    memory.keep_pair(&pair(PairKind::Accepted, "memory", "/mem")).expect("kept");
    memory.keep_pair(&pair(PairKind::Correction, "who?", "Jonas")).expect("replaces");
    memory.keep_pair(&pair(PairKind::Refused, "memory", "/mem")).expect("replaces what was accepted");
    memory.keep_pair(&pair(PairKind::Refused, "memory", "/bye")).expect("another answer");
    let mut memory = open(&disk);
    assert!(memory.is_learning().expect("read"));
    let pairs = memory.pairs().expect("read");
    let texts: Vec<_> = pairs.iter().map(|pair| (pair.kind, pair.answer.as_str())).collect();
    assert_eq!(
        texts,
        [(PairKind::Correction, "Jonas"), (PairKind::Refused, "/mem"), (PairKind::Refused, "/bye")]
    );
    assert_eq!(memory.forget_pair(first), Err(MemoryError::NotFound));
    memory.forget_pair(pairs[0].id).expect("forgotten");
    assert_eq!(memory.pair_count(), 2);
    assert!(memory.keep_pair(&pair(PairKind::Marked, "", "x")).is_err());
    assert!(memory.keep_pair(&pair(PairKind::Marked, "x", &"y".repeat(3000))).is_err());
}

#[test]
fn adapters_come_back_and_the_oldest_unused_makes_room() {
    let (disk, mut memory) = fresh(8192);
    for number in 1..=3 {
        assert_eq!(keep(&mut memory, number), Ok(number.into()));
    }
    memory.activate(BASE, 1).expect("exists");
    for number in 4..=6 {
        assert_eq!(keep(&mut memory, number), Ok(number.into()));
    }
    let mut memory = open(&disk);
    let adapters = memory.adapters().expect("read");
    assert_eq!(adapters.len(), MOST_VERSIONS);
    assert!(adapters.iter().any(|adapter| adapter.number == 1 && adapter.active), "the one in use stays");
    let mut read = Vec::new();
    for adapter in adapters {
        let found = memory.read_adapter(adapter.number, &mut read).expect("read");
        assert_eq!((read.clone(), found), (file(adapter.number as u8), version(adapter.number as u8, BASE)));
    }
    assert_eq!(memory.read_adapter(2, &mut read), Err(MemoryError::NotFound));
    assert_eq!(memory.activate(BASE, 2), Err(MemoryError::NotFound));
    assert_eq!(memory.activate([1; 8], 1), Err(MemoryError::NotFound), "another base");
    memory.activate(BASE, 0).expect("none");
    assert_eq!(memory.active(BASE), Ok(0));
    assert_eq!(memory.forget_learning(), Ok((0, MOST_VERSIONS)));
    assert_eq!(open(&disk).adapters().expect("read"), []);
}

#[test]
fn documents_get_the_same_numbers_whatever_was_learnt() {
    let (disk, mut memory) = fresh(8192);
    keep(&mut memory, 1).expect("kept");
    let number = open(&disk).keep_pair(&pair(PairKind::Marked, "a", "b")).expect("kept");
    assert!(number < 10, "{number}");
}

#[test]
fn a_power_cut_leaves_a_whole_adapter_in_use_or_the_one_before() {
    for fuse in 0..60 {
        let (disk, mut memory) = fresh(8192);
        keep(&mut memory, 1).and_then(|number| memory.activate(BASE, number)).expect("the first");
        disk.cut_after(Some(fuse));
        let switched = keep(&mut memory, 2).and_then(|number| memory.activate(BASE, number));
        disk.power_cut();
        disk.cut_after(None);
        let mut memory = open(&disk);
        let active = memory.active(BASE).expect("read");
        assert!(active == 2 || active == 1 && switched.is_err(), "fuse {fuse}: {active}");
        let mut read = Vec::new();
        memory.read_adapter(active, &mut read).expect("whole");
        assert_eq!(read, file(active as u8), "fuse {fuse}");
        // What was begun leaves nothing behind that bars the next one.
        let next = keep(&mut memory, 3).expect("stored");
        memory.read_adapter(next, &mut read).expect("whole");
        assert_eq!(read, file(3), "fuse {fuse}");
    }
}

#[test]
fn a_full_store_refuses_and_keeps_what_is_in_use() {
    let (disk, mut memory) = fresh(1024);
    keep(&mut memory, 1).and_then(|number| memory.activate(BASE, number)).expect("the first");
    let mut full = Ok(0);
    for number in 2..30 {
        full = memory.keep_adapter(&version(number, [number + 100; 8]), &file(number)).and_then(|kept| {
            memory.activate([number + 100; 8], kept)?;
            Ok(kept)
        });
        if full.is_err() {
            break;
        }
    }
    assert!(matches!(full, Err(MemoryError::Store(StoreError::Full { .. }))), "{full:?}");
    let mut read = Vec::new();
    let mut memory = open(&disk);
    memory.read_adapter(1, &mut read).expect("whole");
    assert_eq!((read, memory.active(BASE)), (file(1), Ok(1)));
}
