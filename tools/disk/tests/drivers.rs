//! The readers that run in Cloister's own PDs find on a disk image what was put there.

use drivers_fat::{Directory, Entry, FileMap, SECTOR, Sectors, Volume};
use drivers_gpt::{Scan, Step, Table};
use std::fs;
use std::path::Path;
use tools_disk::{Addition, Sizes};

const NAME: &str = "Stories, 3 million parameters (Q8_0).gguf";

struct Disk(Vec<u8>);

impl Sectors for Disk {
    fn sector(&mut self, sector: u64) -> Option<&[u8; SECTOR]> {
        self.0.get(sector as usize * SECTOR..)?.first_chunk()
    }
}

fn image(test: &str, contents: &[u8]) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let (image, model) = (folder.join("disk.img"), folder.join(NAME));
    fs::write(&model, contents).unwrap();
    let sizes = Sizes { files: 40 << 20, data: 2 << 20 };
    tools_disk::create(&image, sizes, &[Addition::model(&model)], &mut |_, _| {}).unwrap();
    let bytes = fs::read(&image).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    bytes
}

fn table(disk: &[u8]) -> Table {
    let mut scan = Scan::new((disk.len() / SECTOR) as u64);
    loop {
        match scan.step() {
            Step::Read { sector, count } => {
                let start = sector as usize * SECTOR;
                scan.feed(&disk[start..start + count as usize * SECTOR]);
            }
            Step::Done(table) => return table.clone(),
            Step::Failed(error) => panic!("{error:?}"),
        }
    }
}

fn find(directory: &mut Directory, volume: &Volume, disk: &mut Disk, name: &str) -> Entry {
    while let Some(entry) = directory.next(volume, disk).unwrap() {
        if entry.name.as_str() == name {
            return entry;
        }
    }
    panic!("{name} is not there");
}

#[test]
fn both_partitions_are_found_by_their_types() {
    let disk = image("table", b"x");
    let table = table(&disk);
    assert_eq!(table.primary, None);
    let (files, data) = (table.files().unwrap(), table.data().unwrap());
    assert_eq!((files.first * 512, files.sectors * 512), (1 << 20, 40 << 20));
    assert_eq!((data.first * 512, data.sectors * 512), (41 << 20, 2 << 20));
}

#[test]
fn the_model_is_read_whole_and_lies_in_one_piece() {
    let contents: Vec<u8> = (0..3_000_000_u32).map(|i| (i ^ i >> 9) as u8).collect();
    let disk = image("model", &contents);
    let files = *table(&disk).files().unwrap();
    let (start, end) = (files.first as usize * SECTOR, files.end() as usize * SECTOR);
    let mut disk = Disk(disk[start..end].to_vec());
    let volume = Volume::open(&mut disk, files.sectors).unwrap();
    let models = find(&mut volume.root(), &volume, &mut disk, "models");
    let mut models = Directory::of(&volume, &models).unwrap();
    let model = find(&mut models, &volume, &mut disk, NAME);
    let mut map = FileMap::new(&volume, model.cluster, model.size);
    let mut extents = Vec::new();
    while let Some(extent) = map.next(&volume, &mut disk).unwrap() {
        extents.push(extent);
    }
    assert_eq!(extents.len(), 1, "{extents:?}");
    let at = extents[0].sector as usize * SECTOR;
    assert!(disk.0[at..at + contents.len()] == contents);
}
