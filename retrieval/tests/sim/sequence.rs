// SPDX-License-Identifier: MIT
//! One random life of a store: commits, compactions, restarts and power cuts, beside a redb database as oracle.
use std::collections::BTreeMap;

use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use retrieval::store::{Batch, Key, Options, Recovery, Store, StoreError};

use super::Rng;
use super::disk::{Flush, SimDisk};

const TABLE: TableDefinition<(u16, u64), &[u8]> = TableDefinition::new("records");

pub type Contents = BTreeMap<Key, Vec<u8>>;

/// One change of a batch; `None` deletes.
pub type Change = (Key, Option<Vec<u8>>);

pub struct Oracle(Database);

impl Oracle {
    pub fn new() -> Self {
        Self(Database::builder().create_with_backend(InMemoryBackend::new()).expect("in memory"))
    }

    pub fn apply(&self, changes: &[Change]) {
        let write = self.0.begin_write().expect("write");
        {
            let mut table = write.open_table(TABLE).expect("table");
            for (key, body) in changes {
                match body {
                    Some(body) => drop(table.insert((key.kind, key.id), body.as_slice()).expect("insert")),
                    None => drop(table.remove((key.kind, key.id)).expect("remove")),
                }
            }
        }
        write.commit().expect("commit");
    }

    pub fn contents(&self) -> Contents {
        let read = self.0.begin_read().expect("read");
        let Ok(table) = read.open_table(TABLE) else { return Contents::new() };
        let rows = table.iter().expect("iterate").map(|row| row.expect("row"));
        rows.map(|(key, body)| (Key { kind: key.value().0, id: key.value().1 }, body.value().to_vec()))
            .collect()
    }
}

/// Everything in the store, read record by record, and checked against one pass of `visit`.
pub fn contents(store: &mut Store<SimDisk>) -> Contents {
    let mut all = Contents::new();
    let keys: Vec<Key> = (0..4).flat_map(|kind| store.keys(kind).collect::<Vec<_>>()).collect();
    for key in keys {
        let mut body = Vec::new();
        assert!(store.read(key, &mut body).expect("a record in the map is readable"));
        all.insert(key, body);
    }
    let mut visited = Contents::new();
    store.visit(|key, body| drop(visited.insert(key, body.to_vec()))).expect("visit");
    assert!(visited == all, "visit and read agree");
    all
}

pub struct Life {
    pub rng: Rng,
    pub disk: SimDisk,
    pub options: Options,
    pub oracle: Oracle,
    /// Committed, but the power failed before the answer: may or may not be there.
    pub in_flight: Vec<Change>,
    /// Different ids of a kind: few churn, many fill the disk.
    ids: u64,
    /// The last acknowledged sequence.
    pub acknowledged: u64,
    pub cuts: u64,
    pub fulls: u64,
    pub commits: u64,
    pub compactions: u64,
}

impl Life {
    pub fn new(seed: u64, flush: Flush) -> (Self, Store<SimDisk>) {
        let mut rng = Rng(seed);
        let block_sectors = if rng.one_in(3) { 8 } else { 1 };
        let max_frame_sectors = 8 << rng.below(2);
        let sectors = 16 + u64::from(max_frame_sectors) * (8 + rng.below(12)) + rng.below(9);
        let options =
            Options { block_sectors, max_frame_sectors, store_id: rng.next(), ..Options::default() };
        let disk = SimDisk::new(sectors, u64::from(block_sectors), flush, rng.next());
        let store = Store::format(disk.clone(), &options).expect("format");
        let (oracle, in_flight) = (Oracle::new(), Vec::new());
        let ids = if rng.one_in(3) { 300 } else { 12 };
        let (acknowledged, cuts, fulls, commits, compactions) = (0, 0, 0, 0, 0);
        let this = Self {
            rng,
            disk,
            options,
            oracle,
            in_flight,
            ids,
            acknowledged,
            cuts,
            fulls,
            commits,
            compactions,
        };
        (this, store)
    }

    fn random_changes(&mut self) -> Vec<Change> {
        let (count, ids) = (1 + self.rng.below(4), self.ids);
        let change = |rng: &mut Rng| {
            let key = Key { kind: rng.below(4) as u16, id: rng.below(ids) };
            let limit = if rng.one_in(4) { 1500 } else { 200 };
            let length = rng.below(limit) as usize;
            (key, (!rng.one_in(4)).then(|| rng.bytes(length)))
        };
        (0..count).map(|_| change(&mut self.rng)).collect()
    }

    fn batch(changes: &[Change]) -> Batch {
        let mut batch = Batch::new();
        for (key, body) in changes {
            match body {
                Some(body) => batch.put(*key, body).expect("memory"),
                None => batch.delete(*key).expect("memory"),
            }
        }
        batch
    }

    /// One commit, checkpoint or compaction; `false` when the power failed.
    pub fn step(&mut self, store: &mut Store<SimDisk>) -> bool {
        let result = match self.rng.below(10) {
            0 => store.compact_step().map(|_| self.compactions += 1),
            1 => store.checkpoint(),
            _ => self.commit(store),
        };
        match result {
            Ok(()) => true,
            Err(StoreError::Device(_)) => false,
            Err(StoreError::Full { .. }) => {
                self.fulls += 1;
                true
            }
            Err(StoreError::BatchTooLarge { .. }) => true,
            Err(other) => panic!("unexpected: {other}"),
        }
    }

    fn commit(&mut self, store: &mut Store<SimDisk>) -> Result<(), StoreError> {
        let changes = self.random_changes();
        match store.commit(&Self::batch(&changes)) {
            Ok(receipt) => {
                self.oracle.apply(&changes);
                self.acknowledged = receipt.sequence;
                self.commits += 1;
                Ok(())
            }
            Err(StoreError::Device(error)) => {
                self.in_flight = changes;
                Err(StoreError::Device(error))
            }
            Err(other) => Err(other),
        }
    }

    /// Power comes back: opens again, perhaps losing power while doing so.
    pub fn restart(&mut self, power_cut: bool) -> (Store<SimDisk>, Recovery) {
        loop {
            if power_cut {
                self.disk.power_cut();
                self.cuts += 1;
            }
            let again = power_cut && self.rng.one_in(4);
            let fuse = self.rng.below(6);
            self.disk.cut_after(again.then_some(fuse));
            match Store::open(self.disk.clone(), &self.options) {
                Ok((store, recovery)) => {
                    self.disk.cut_after(None);
                    return (store, recovery);
                }
                Err(StoreError::Device(_)) if again => continue,
                Err(other) => panic!("a store must open again: {other}"),
            }
        }
    }

    /// The store must hold what was acknowledged, and of what was in flight all or nothing.
    pub fn check(&mut self, store: &mut Store<SimDisk>) {
        let found = contents(store);
        let in_flight = std::mem::take(&mut self.in_flight);
        if found == self.oracle.contents() {
            return;
        }
        self.oracle.apply(&in_flight);
        assert!(found == self.oracle.contents(), "neither before nor after the batch in flight");
    }
}
