// SPDX-License-Identifier: MIT
//! Partitions that are empty, foreign, damaged or hostile: each gives a named error, or what is still valid.
mod sim;

use retrieval::store::layout::{SUPERBLOCK_SECTORS, Superblock, checksum};
use retrieval::store::{Batch, BlockDevice, Evidence, Key, Options, SECTOR, Store, StoreError};
use sim::Rng;
use sim::disk::{Flush, SimDisk};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, IntoBytes};

const OPTIONS: Options =
    Options { max_records: 1000, block_sectors: 1, max_frame_sectors: 16, store_id: 77, witness: None };

fn key(id: u64) -> Key {
    Key { kind: 1, id }
}

fn body(id: u64) -> Vec<u8> {
    Rng(id).bytes(300 + id as usize)
}

fn put(store: &mut Store<SimDisk>, id: u64) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.put(key(id), &body(id)).expect("memory");
    store.commit(&batch).map(drop)
}

/// A store with records 0 to 39 on a disk of 512 KiB.
fn filled() -> SimDisk {
    let disk = SimDisk::new(1024, 1, Flush::Honest, 1);
    let mut store = Store::format(disk.clone(), &OPTIONS).expect("format");
    (0..40).for_each(|id| put(&mut store, id).expect("room"));
    store.checkpoint().expect("checkpoint");
    disk
}

fn error(disk: &SimDisk) -> StoreError {
    Store::open(disk.clone(), &OPTIONS).err().expect("an error")
}

/// Rewrites both superblocks with a correct checksum.
fn forge(disk: &SimDisk, change: impl Fn(&mut Superblock)) {
    disk.corrupt(|bytes| {
        for sector in SUPERBLOCK_SECTORS {
            let range = sector as usize * SECTOR..(sector as usize + 1) * SECTOR;
            let mut superblock = Superblock::read_from_bytes(&bytes[range.clone()]).expect("one sector");
            change(&mut superblock);
            superblock.crc = U64::new(checksum(&[&superblock.as_bytes()[..SECTOR - 8]]));
            bytes[range].copy_from_slice(superblock.as_bytes());
        }
    });
}

#[test]
fn not_a_store() {
    assert_eq!(error(&SimDisk::new(1024, 1, Flush::Honest, 1)), StoreError::NotAStore);
    let zeros = SimDisk::new(1024, 1, Flush::Honest, 1);
    zeros.corrupt(|bytes| bytes.fill(0));
    assert_eq!(error(&zeros), StoreError::NotAStore);
    assert_eq!(Store::salvage(zeros, &OPTIONS).err(), Some(StoreError::NotAStore));
    assert_eq!(error(&SimDisk::new(0, 1, Flush::Honest, 1)), StoreError::NotAStore);
}

#[test]
fn too_small() {
    let disk = SimDisk::new(136, 1, Flush::Honest, 1);
    assert!(matches!(Store::format(disk, &OPTIONS), Err(StoreError::TooSmall { needed: 144, sectors: 136 })));
}

#[test]
fn unsupported_version() {
    let disk = filled();
    forge(&disk, |superblock| superblock.version = U32::new(2));
    assert_eq!(error(&disk), StoreError::UnsupportedVersion { found: 2 });
}

#[test]
fn wrong_geometry() {
    let changes: [fn(&mut Superblock); 7] = [
        |superblock| superblock.log_sectors = U64::new(1 << 40),
        |superblock| superblock.log_sectors = U64::new(u64::MAX),
        |superblock| superblock.log_sectors = U64::new(0),
        |superblock| superblock.max_frame_sectors = U32::new(u32::MAX),
        |superblock| superblock.max_frame_sectors = U32::new(0),
        |superblock| superblock.block_sectors = U32::new(0),
        |superblock| superblock.tail.position = U64::new(u64::MAX - 3),
    ];
    for change in changes {
        let disk = filled();
        forge(&disk, change);
        assert!(matches!(error(&disk), StoreError::WrongGeometry { .. }));
    }
}

#[test]
fn a_lost_superblock_is_made_up_by_the_other() {
    for lost in SUPERBLOCK_SECTORS {
        let disk = filled();
        disk.corrupt(|bytes| bytes[lost as usize * SECTOR + 40] ^= 1);
        let (mut store, recovery) = Store::open(disk, &OPTIONS).expect("opens");
        assert_eq!((recovery.superblocks, recovery.frames), (1, 40));
        assert_eq!(sim::sequence::contents(&mut store).len(), 40);
    }
}

#[test]
fn without_superblocks_salvage_finds_everything() {
    let disk = filled();
    disk.corrupt(|bytes| bytes[..16 * SECTOR].fill(0xAA));
    assert_eq!(error(&disk), StoreError::NotAStore);
    let (mut store, recovery) = Store::salvage(disk.clone(), &OPTIONS).expect("salvage");
    assert_eq!((recovery.frames, recovery.damage.len()), (40, 0));
    assert_eq!(sim::sequence::contents(&mut store).len(), 40);
    put(&mut store, 41).expect("writable");
    let (_, again) = Store::open(disk, &OPTIONS).expect("an ordinary store again");
    assert_eq!((again.superblocks, again.frames), (1, 41));
}

#[test]
fn a_damaged_frame_is_reported_and_the_others_survive() {
    let disk = filled();
    disk.corrupt(|bytes| bytes[30 * SECTOR + 300] ^= 0x10);
    let (mut store, recovery) = Store::open(disk, &OPTIONS).expect("opens");
    let [damage] = recovery.damage[..] else { panic!("one damage: {:?}", recovery.damage) };
    assert_eq!(
        (damage.first, damage.last, damage.evidence),
        (damage.first, damage.first, Evidence::LaterFrame)
    );
    let contents = sim::sequence::contents(&mut store);
    assert_eq!(contents.len(), 39);
    assert!(contents.iter().all(|(key, bytes)| *bytes == body(key.id)));
}

#[test]
fn a_record_that_changes_after_opening_is_named() {
    let disk = filled();
    let (mut store, _) = Store::open(disk.clone(), &OPTIONS).expect("opens");
    disk.corrupt(|bytes| bytes[16 * SECTOR + 200] ^= 1);
    let mut out = Vec::new();
    assert_eq!(store.read(key(0), &mut out), Err(StoreError::Corrupt { sector: 16 }));
    assert_eq!(store.read(key(1), &mut out), Ok(true));
}

/// Whatever a disk turns into, opening neither panics nor hangs, and no wrong record is believed.
#[test]
fn random_damage_is_contained() {
    for seed in 0..300 {
        let disk = filled();
        let mut rng = Rng(seed);
        disk.corrupt(|bytes| {
            for _ in 0..=rng.below(20) {
                let start = rng.below(bytes.len() as u64 / 6) as usize;
                let limit = if rng.one_in(2) { 4 } else { 3000 };
                let length = 1 + rng.below(limit) as usize;
                bytes[start..start + length].copy_from_slice(&rng.bytes(length));
            }
        });
        let opened = Store::open(disk.clone(), &OPTIONS).or_else(|_| Store::salvage(disk.clone(), &OPTIONS));
        let Ok((mut store, _)) = opened else { continue };
        for (key, bytes) in sim::sequence::contents(&mut store) {
            assert_eq!(bytes, body(key.id), "seed {seed}");
        }
        put(&mut store, 50).expect("writable");
        while store.usage().used > store.usage().live * 2 + 8 {
            store.compact_step().expect("compaction passes over damage");
        }
        drop(store);
        let (mut store, _) = Store::open(disk, &OPTIONS).expect("opens again");
        assert!(sim::sequence::contents(&mut store).contains_key(&key(50)), "seed {seed}");
    }
}

#[test]
fn a_full_disk_is_an_answer_and_can_be_emptied() {
    let disk = SimDisk::new(256, 1, Flush::Honest, 1);
    let mut store = Store::format(disk.clone(), &OPTIONS).expect("format");
    let stored = (0..1000).take_while(|id| put(&mut store, *id).is_ok()).count() as u64;
    assert!((100..400).contains(&stored), "{stored} records of 300 to 700 bytes in 120 KiB");
    assert!(matches!(put(&mut store, stored), Err(StoreError::Full { .. })));
    for id in 0..stored {
        let mut batch = Batch::new();
        batch.delete(key(id)).expect("memory");
        store.commit(&batch).expect("a full store can forget");
    }
    put(&mut store, 7).expect("room again");
    let (mut store, recovery) = Store::open(disk, &OPTIONS).expect("opens");
    assert!(recovery.damage.is_empty());
    assert_eq!(sim::sequence::contents(&mut store).keys().collect::<Vec<_>>(), [&key(7)]);
}

#[test]
fn limits_are_answers() {
    let disk = SimDisk::new(1024, 1, Flush::Honest, 1);
    let options = Options { max_records: 3, ..OPTIONS };
    let mut store = Store::format(disk.clone(), &options).expect("format");
    (0..3).for_each(|id| put(&mut store, id).expect("room"));
    assert_eq!(put(&mut store, 3), Err(StoreError::TooManyRecords { limit: 3 }));
    let mut batch = Batch::new();
    batch.put(key(1), &[0; 9000]).expect("memory");
    assert!(matches!(store.commit(&batch), Err(StoreError::BatchTooLarge { limit: 8096, .. })));
    drop(store);
    let fewer = Options { max_records: 2, ..OPTIONS };
    assert_eq!(Store::open(disk, &fewer).err(), Some(StoreError::TooManyRecords { limit: 2 }));
}

#[test]
fn a_failed_write_poisons_until_opened_again() {
    let mut disk = filled();
    let (mut store, _) = Store::open(disk.clone(), &OPTIONS).expect("opens");
    disk.cut_after(Some(0));
    assert!(matches!(put(&mut store, 60), Err(StoreError::Device(_))));
    disk.cut_after(None);
    assert_eq!(put(&mut store, 61), Err(StoreError::Poisoned));
    disk.flush().expect("powered");
    let (mut store, _) = Store::open(disk, &OPTIONS).expect("opens");
    put(&mut store, 61).expect("writable again");
}
