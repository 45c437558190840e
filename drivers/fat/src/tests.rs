use super::*;
use proptest::prelude::*;
use std::io::{Cursor, Write};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

/// A volume in memory that has a sector at hand only after it was asked for once, to exercise every stop.
struct Slow {
    image: Vec<u8>,
    at_hand: Vec<u64>,
    asked: usize,
}

impl Slow {
    fn new(image: Vec<u8>) -> Self {
        Self { image, at_hand: Vec::new(), asked: 0 }
    }
    fn sectors(&self) -> u64 {
        (self.image.len() / SECTOR) as u64
    }
    /// Repeats a step until it does not wait; keeps four sectors.
    fn run<T>(&mut self, mut step: impl FnMut(&mut Self) -> Result<T, Stop>) -> Result<T, FatError> {
        loop {
            match step(self) {
                Ok(value) => return Ok(value),
                Err(Stop::Bad(error)) => return Err(error),
                Err(Stop::Wait(sector)) => {
                    assert!(sector < self.sectors(), "sector {sector} lies outside of the volume");
                    self.asked += 1;
                    if self.at_hand.len() == 4 {
                        self.at_hand.remove(0);
                    }
                    self.at_hand.push(sector);
                }
            }
        }
    }
}

impl Sectors for Slow {
    fn sector(&mut self, sector: u64) -> Option<&[u8; SECTOR]> {
        let here = self.at_hand.contains(&sector);
        here.then(|| self.image[sector as usize * SECTOR..].first_chunk().unwrap())
    }
}

fn formatted(kind: fatfs::FatType, files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (bytes, cluster) = match kind {
        fatfs::FatType::Fat12 => (1 << 20, 1024),
        fatfs::FatType::Fat16 => (6 << 20, 1024),
        fatfs::FatType::Fat32 => (40 << 20, 512),
    };
    let mut image = Cursor::new(vec![0; bytes]);
    let options = fatfs::FormatVolumeOptions::new().fat_type(kind).bytes_per_cluster(cluster);
    fatfs::format_volume(&mut image, options).unwrap();
    {
        let volume = fatfs::FileSystem::new(&mut image, fatfs::FsOptions::new()).unwrap();
        for (path, content) in files {
            if let Some((folder, _)) = path.rsplit_once('/') {
                volume.root_dir().create_dir(folder).unwrap();
            }
            volume.root_dir().create_file(path).unwrap().write_all(content).unwrap();
        }
    }
    image.into_inner()
}

fn entries(source: &mut Slow, volume: &Volume, mut directory: Directory) -> Result<Vec<Entry>, FatError> {
    let mut found = Vec::new();
    while let Some(entry) = source.run(|source| directory.next(volume, source))? {
        found.push(entry);
    }
    Ok(found)
}

fn content(source: &mut Slow, volume: &Volume, file: &Entry) -> Result<Vec<u8>, FatError> {
    let mut map = FileMap::new(volume, file.cluster, file.size);
    let mut bytes = Vec::new();
    while let Some(extent) = source.run(|source| map.next(volume, source))? {
        let start = extent.sector as usize * SECTOR;
        bytes.extend(&source.image[start..start + extent.sectors as usize * SECTOR]);
    }
    bytes.truncate(file.size as usize);
    Ok(bytes)
}

/// Everything that can be read: names with sizes and contents, two levels deep.
fn walk(image: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, FatError> {
    let mut source = Slow::new(image);
    let sectors = source.sectors();
    let volume = source.run(|source| Volume::open(source, sectors))?;
    let mut found = Vec::new();
    for entry in entries(&mut source, &volume, volume.root())? {
        if entry.directory {
            let inner = Directory::of(&volume, &entry)?;
            for file in entries(&mut source, &volume, inner)?.into_iter().filter(|entry| !entry.directory) {
                let bytes = content(&mut source, &volume, &file)?;
                found.push((std::format!("{}/{}", entry.name, file.name), bytes));
            }
        } else {
            let bytes = content(&mut source, &volume, &entry)?;
            found.push((entry.name.to_string(), bytes));
        }
    }
    Ok(found)
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at / 7 + at / SECTOR) as u8).collect()
}

fn sample() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("SHORT.TXT", pattern(10)),
        ("empty", Vec::new()),
        ("exactly one cluster", pattern(1024)),
        ("models/Größe – ein langer Name, mit 模型.gguf", pattern(100_000)),
        ("models/second.gguf", pattern(3 * 1024 + 1)),
    ]
}

/// The sample in all three kinds, made once.
fn samples() -> &'static [Vec<u8>; 3] {
    static SAMPLES: std::sync::OnceLock<[Vec<u8>; 3]> = std::sync::OnceLock::new();
    SAMPLES.get_or_init(|| {
        use fatfs::FatType::{Fat12, Fat16, Fat32};
        [Fat12, Fat16, Fat32].map(|kind| formatted(kind, &sample()))
    })
}

#[test]
fn all_three_kinds_give_back_what_was_written() {
    for (image, kind) in samples().iter().zip(["FAT12", "FAT16", "FAT32"]) {
        let expected: Vec<_> = sample().into_iter().map(|(name, bytes)| (name.to_string(), bytes)).collect();
        let mut found = walk(image.clone()).unwrap();
        found.sort_by_key(|(name, _)| expected.iter().position(|(other, _)| other == name));
        assert_eq!(found, expected, "{kind}");
    }
}

#[test]
fn a_directory_of_many_clusters_is_read_to_its_end() {
    let names: Vec<String> = (0..400).map(|i| std::format!("models/file number {i}.gguf")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    let found = walk(formatted(fatfs::FatType::Fat32, &files)).unwrap();
    assert_eq!(found.len(), 400);
    assert!(names.iter().all(|name| found.iter().any(|(other, _)| other == name)));
}

#[test]
fn a_scattered_file_is_mapped_in_pieces() {
    let mut image = Cursor::new(formatted(fatfs::FatType::Fat16, &[]));
    {
        let volume = fatfs::FileSystem::new(&mut image, fatfs::FsOptions::new()).unwrap();
        let (mut a, mut b) =
            (volume.root_dir().create_file("a").unwrap(), volume.root_dir().create_file("b").unwrap());
        for _ in 0..20 {
            a.write_all(&pattern(1024)).unwrap();
            b.write_all(&[7; 1024]).unwrap();
        }
    }
    let found = walk(image.into_inner()).unwrap();
    assert_eq!(found[0].1, pattern(1024).repeat(20));
}

/// Where the first FAT of a volume begins.
fn fat_at(image: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([image[14], image[15]])) * SECTOR
}

#[test]
fn chains_that_lie_are_named_errors() {
    let bytes = pattern(10 * 1024);
    let whole = formatted(fatfs::FatType::Fat16, &[("m", bytes)]);
    let fat = fat_at(&whole);
    let with = |cluster: usize, value: u16| {
        let mut image = whole.clone();
        image[fat + 2 * cluster..][..2].copy_from_slice(&value.to_le_bytes());
        walk(image).unwrap_err()
    };
    assert_eq!(with(5, 2), FatError::ChainTooLong { expected: 10 });
    assert_eq!(with(5, 5), FatError::ChainTooLong { expected: 10 });
    assert_eq!(with(5, 0xffff), FatError::ChainTooShort { clusters: 4, expected: 10 });
    assert_eq!(with(5, 0), FatError::BadCluster { cluster: 0 });
    assert_eq!(with(5, 0xfff7), FatError::BadCluster { cluster: 0xfff7 });
    assert_eq!(with(11, 12), FatError::ChainTooLong { expected: 10 });
}

#[test]
fn a_directory_in_circles_ends() {
    let names: Vec<String> = (0..40).map(|i| std::format!("models/{i}.gguf")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    let mut image = formatted(fatfs::FatType::Fat32, &files);
    let fat = fat_at(&image);
    // Cluster 3 is the first one of `models`, 2 the root.
    image[fat + 12..fat + 16].copy_from_slice(&3u32.to_le_bytes());
    assert_eq!(walk(image), Err(FatError::DirectoryTooLong));
}

#[test]
fn boot_sectors_that_lie_are_named_errors() {
    let whole = formatted(fatfs::FatType::Fat16, &[]);
    let with = |at: usize, bytes: &[u8]| {
        let mut image = whole.clone();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        walk(image).unwrap_err()
    };
    assert_eq!(walk(vec![0; 4096]), Err(FatError::NotFat));
    assert_eq!(with(3, b"NTFS    "), FatError::OtherFileSystem("NTFS"));
    assert_eq!(with(3, b"EXFAT   "), FatError::OtherFileSystem("exFAT"));
    assert_eq!(with(11, &4096u16.to_le_bytes()), FatError::SectorSize(4096));
    assert_eq!(with(11, &513u16.to_le_bytes()), FatError::NotFat);
    assert_eq!(with(13, &[0]), FatError::BadBootSector("sectors per cluster"));
    assert_eq!(with(13, &[3]), FatError::BadBootSector("sectors per cluster"));
    assert_eq!(with(14, &[0, 0]), FatError::BadBootSector("reserved sectors"));
    assert_eq!(with(16, &[0]), FatError::BadBootSector("number of FATs"));
    assert_eq!(with(17, &[0, 0]), FatError::BadBootSector("root directory"));
    assert_eq!(with(22, &[0xff, 0xff]), FatError::BadBootSector("number of sectors"));
    let sectors = (whole.len() / SECTOR) as u64;
    let larger = FatError::LargerThanPartition { volume: 0xffff_ffff, partition: sectors };
    let mut image = whole.clone();
    image[19..21].fill(0);
    image[32..36].fill(0xff);
    assert_eq!(walk(image), Err(larger));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No panic, no endless loop, no sector outside: `Slow::run` checks the last.
    #[test]
    fn damaged_volumes_end_in_files_or_an_error(
        kind in 0usize..3,
        damage in prop::collection::vec((0usize..40_000, any::<u8>()), 1..40),
        boot in prop::collection::vec((11usize..90, any::<u8>()), 0..3),
    ) {
        let mut image = samples()[kind].clone();
        // The metadata at the start; on FAT32 also what lies behind the FATs.
        let bytes = image.len();
        for (at, value) in damage {
            image[at % bytes] = value;
        }
        for (at, value) in boot {
            image[at] = value;
        }
        let _ = walk(image);
    }

    #[test]
    fn random_bytes_are_not_a_volume_that_hangs(junk in prop::collection::vec(any::<u8>(), 2048)) {
        let mut image = vec![0; 64 * SECTOR];
        image[..junk.len()].copy_from_slice(&junk);
        image[0] = 0xeb;
        image[11..13].copy_from_slice(&512u16.to_le_bytes());
        image[510..512].copy_from_slice(&[0x55, 0xaa]);
        let _ = walk(image);
    }
}
