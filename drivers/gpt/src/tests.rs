use super::*;
use crate::header::CRC;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

const DISK: usize = 2048;
const COUNT: usize = 128;

struct Image(Vec<u8>);

impl Image {
    /// Files from 64 to 1023, data from 1024 to 1983; primary and backup table.
    fn new() -> Self {
        let mut image = Self(vec![0; DISK * SECTOR]);
        let mut entries = vec![0; COUNT * 128];
        entry(&mut entries, 0, BASIC_DATA, 64, 1023, "Cloister");
        entry(&mut entries, 3, CLOISTER_DATA, 1024, 1983, "data");
        image.write(&entries);
        image
    }
    fn write(&mut self, entries: &[u8]) {
        for (at, table) in [(1, 2), (DISK - 1, DISK - 33)] {
            self.0[table * SECTOR..][..entries.len()].copy_from_slice(entries);
            let header = &mut self.0[at * SECTOR..][..SECTOR];
            header[..16].copy_from_slice(b"EFI PART\0\0\x01\0\x5c\0\0\0");
            put(header, 24, at as u64);
            put(header, 40, 34);
            put(header, 48, DISK as u64 - 34);
            put(header, 72, table as u64);
            header[80..84].copy_from_slice(&(COUNT as u32).to_le_bytes());
            header[84..88].copy_from_slice(&128u32.to_le_bytes());
            header[88..92].copy_from_slice(&CRC.checksum(entries).to_le_bytes());
            seal(header);
        }
    }
    fn header(&mut self, at: usize, change: impl FnOnce(&mut [u8])) {
        let header = &mut self.0[at * SECTOR..][..SECTOR];
        change(header);
        seal(header);
    }
}

fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn seal(header: &mut [u8]) {
    header[16..20].fill(0);
    let checksum = CRC.checksum(&header[..92]);
    header[16..20].copy_from_slice(&checksum.to_le_bytes());
}

fn entry(entries: &mut [u8], index: usize, kind: Guid, first: u64, last: u64, name: &str) {
    let entry = &mut entries[index * 128..][..128];
    entry[..16].copy_from_slice(&kind.0);
    put(entry, 32, first);
    put(entry, 40, last);
    for (i, unit) in name.encode_utf16().enumerate() {
        entry[56 + 2 * i..][..2].copy_from_slice(&unit.to_le_bytes());
    }
}

fn scan(image: &[u8]) -> Result<Table, GptError> {
    let mut scan = Scan::new((image.len() / SECTOR) as u64);
    for _ in 0..64 {
        match scan.step() {
            Step::Read { sector, count } => {
                assert!(count > 0 && count <= CHUNK);
                scan.feed(&image[sector as usize * SECTOR..][..count as usize * SECTOR]);
            }
            Step::Done(table) => return Ok(table.clone()),
            Step::Failed(error) => return Err(error),
        }
    }
    panic!("the scan does not end");
}

#[test]
fn finds_files_and_data() {
    let table = scan(&Image::new().0).unwrap();
    let files = table.files().unwrap();
    assert_eq!((files.first, files.sectors, files.index), (64, 960, 0));
    assert!(files.is_called("CLOISTER") && !files.is_called("CLOISTE"));
    assert_eq!(table.data().map(|p| (p.first, p.sectors, p.index)), Some((1024, 960, 3)));
    assert_eq!(table.primary, None);
}

#[test]
fn the_name_decides_between_partitions_of_the_same_type() {
    let mut entries = vec![0; COUNT * 128];
    entry(&mut entries, 0, BASIC_DATA, 64, 99, "holiday");
    entry(&mut entries, 9, BASIC_DATA, 100, 199, "cloister");
    let mut image = Image::new();
    image.write(&entries);
    assert_eq!(scan(&image.0).unwrap().files().unwrap().index, 9);
}

#[test]
fn a_table_of_several_chunks_has_one_checksum() {
    let mut image = Image::new();
    let mut entries = vec![0; 256 * 128];
    entry(&mut entries, 0, BASIC_DATA, 100, 199, "");
    entry(&mut entries, 200, CLOISTER_DATA, 200, 299, "");
    image.0[2 * SECTOR..][..entries.len()].copy_from_slice(&entries);
    image.header(1, |header| {
        header[80..84].copy_from_slice(&256u32.to_le_bytes());
        header[88..92].copy_from_slice(&CRC.checksum(&entries).to_le_bytes());
    });
    let table = scan(&image.0).unwrap();
    assert_eq!((table.primary, table.data().map(|p| p.index)), (None, Some(200)));
}

#[test]
fn the_backup_serves_where_the_primary_is_damaged() {
    for damaged in [SECTOR, SECTOR + 30, 2 * SECTOR + 40] {
        let mut image = Image::new();
        image.0[damaged] ^= 1;
        let table = scan(&image.0).unwrap();
        assert!(table.primary.is_some() && table.files().is_some());
    }
}

fn fails(change: impl Fn(&mut Image)) -> GptError {
    let mut image = Image::new();
    change(&mut image);
    scan(&image.0).unwrap_err()
}

fn both(image: &mut Image, change: impl Fn(&mut [u8])) {
    image.header(1, &change);
    image.header(DISK - 1, &change);
}

#[test]
fn hostile_headers_are_named_errors() {
    use GptError::*;
    assert_eq!(scan(&[0; 4 * SECTOR]), Err(DiskTooSmall { sectors: 4 }));
    assert_eq!(scan(&vec![0; DISK * SECTOR]), Err(NoSignature));
    assert_eq!(fails(|i| both(i, |h| h[10] = 2)), UnsupportedRevision { revision: 0x2_0000 });
    assert_eq!(fails(|i| both(i, |h| h[12] = 91)), BadHeaderSize { size: 91 });
    assert_eq!(fails(|i| both(i, |h| h[13] = 0xff)), BadHeaderSize { size: 0xff5c });
    assert_eq!(fails(|i| both(i, |h| put(h, 24, 7))), Misplaced { sector: 1, says: 7 });
    assert_eq!(fails(|i| both(i, |h| h[84] = 0)), BadEntryLayout { size: 0, count: 128 });
    assert_eq!(fails(|i| both(i, |h| h[84] = 129)), BadEntryLayout { size: 129, count: 128 });
    let endless = BadEntryLayout { size: 128, count: u32::MAX };
    assert_eq!(fails(|i| both(i, |h| h[80..84].fill(0xff))), endless);
    assert_eq!(fails(|i| both(i, |h| put(h, 72, u64::MAX))), EntriesOutside { sector: u64::MAX });
    assert_eq!(fails(|i| both(i, |h| put(h, 72, 1))), EntriesOutside { sector: 1 });
    assert_eq!(fails(|i| both(i, |h| h[88] ^= 1)), EntriesChecksum);
}

#[test]
fn hostile_entries_are_named_errors() {
    use GptError::*;
    let with = |first, last| {
        fails(|image| {
            let mut entries = vec![0; COUNT * 128];
            entry(&mut entries, 0, BASIC_DATA, 64, 99, "");
            entry(&mut entries, 1, BASIC_DATA, first, last, "");
            image.write(&entries);
        })
    };
    assert_eq!(with(0, 50), PartitionOutside { index: 1 });
    assert_eq!(with(200, 199), PartitionOutside { index: 1 });
    assert_eq!(with(200, u64::MAX), PartitionOutside { index: 1 });
    assert_eq!(with(99, 120), Overlap { first: 0, second: 1 });
    let many = fails(|image| {
        let mut entries = vec![0; COUNT * 128];
        (0..17).for_each(|i| entry(&mut entries, i, BASIC_DATA, 40 + i as u64, 40 + i as u64, ""));
        image.write(&entries);
    });
    assert_eq!(many, TooManyPartitions);
}

#[test]
fn guids_are_stored_as_uefi_stores_them() {
    let efi = Guid::new("C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
    assert_eq!(efi.0[..8], [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11]);
}

proptest! {
    #[test]
    fn any_disk_ends_in_a_table_or_an_error(
        changes in prop::collection::vec((0usize..92, any::<u8>(), any::<bool>()), 0..6),
        junk in prop::collection::vec(any::<u8>(), 256),
    ) {
        let mut image = Image::new();
        image.0[2 * SECTOR..][..junk.len()].copy_from_slice(&junk);
        for (at, value, first) in changes {
            image.header(if first { 1 } else { DISK - 1 }, |header| header[at] = value);
        }
        if let Ok(table) = scan(&image.0) {
            for partition in &table.partitions {
                prop_assert!(partition.first > 0 && partition.end() <= DISK as u64);
            }
        }
    }
}
