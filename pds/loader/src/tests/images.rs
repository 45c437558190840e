//! Model files and FAT volumes to try the loader with.

use inference_gguf::{GgmlType, Writer};
use std::io::{Cursor, Write};

/// A model file: a llama of the smallest kind, or what is wrong with one.
pub struct Model {
    pub architecture: &'static str,
    /// Tensors, the last one of `junk` bytes more.
    pub tensors: usize,
    pub junk: usize,
    /// Words of vocabulary, which make the header long.
    pub words: usize,
}

impl Default for Model {
    fn default() -> Self {
        Self { architecture: "llama", tensors: 1, junk: 5_000, words: 10 }
    }
}

impl Model {
    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.str("general.architecture", self.architecture);
        for (key, value) in [
            ("context_length", 64),
            ("embedding_length", 32),
            ("block_count", 1),
            ("feed_forward_length", 64),
            ("attention.head_count", 2),
        ] {
            writer.u32(&format!("{}.{key}", self.architecture), value);
        }
        writer.f32(&format!("{}.attention.layer_norm_rms_epsilon", self.architecture), 1e-5);
        let words: Vec<String> = (0..self.words).map(|i| format!("word{i:06}")).collect();
        writer.raw("tokenizer.ggml.tokens", &strings(&words));
        let sizes = (0..self.tensors).map(|i| 64 + if i + 1 == self.tensors { self.junk / 4 } else { 0 });
        let sizes: Vec<usize> = sizes.collect();
        for (i, size) in sizes.iter().enumerate() {
            writer.tensor(&format!("t{i}"), &[*size as u64], GgmlType::F32);
        }
        let mut file = writer.header();
        for (i, size) in sizes.iter().enumerate() {
            file.extend((0..size * 4).map(|at| (at * 31 + i * 7 + at / 255) as u8));
            file.resize(file.len() + Writer::padding((size * 4) as u64), 0);
        }
        file
    }
}

/// An array of strings as it stands in a file: type 9, element type 8, count, strings.
fn strings(words: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(9u32.to_le_bytes());
    bytes.extend(8u32.to_le_bytes());
    bytes.extend((words.len() as u64).to_le_bytes());
    for word in words {
        bytes.extend((word.len() as u64).to_le_bytes());
        bytes.extend(word.as_bytes());
    }
    bytes
}

/// What storage has: the bytes of the partition with files.
#[derive(Clone, Default)]
pub struct Disk {
    pub device: bool,
    pub files: Vec<u8>,
}

impl Disk {
    /// No disk.
    pub fn none() -> Self {
        Self::default()
    }
    /// A disk without the partition.
    pub fn without_partition() -> Self {
        Self::raw(Vec::new())
    }
    /// A partition with any bytes.
    pub fn raw(files: Vec<u8>) -> Self {
        Self { device: true, files }
    }
    /// A FAT16 volume with these files.
    pub fn with(files: &[(&str, Vec<u8>)]) -> Self {
        Self::formatted(16, files)
    }
    /// A volume of this FAT type.
    pub fn formatted(fat: u8, files: &[(&str, Vec<u8>)]) -> Self {
        let (kind, least) = match fat {
            12 => (fatfs::FatType::Fat12, 1 << 20),
            16 => (fatfs::FatType::Fat16, 8 << 20),
            _ => (fatfs::FatType::Fat32, 36 << 20),
        };
        let content: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        let mut image = Cursor::new(vec![0; least + (content * 5 / 4).next_multiple_of(1 << 20)]);
        let options = fatfs::FormatVolumeOptions::new().fat_type(kind).bytes_per_cluster(512);
        let options = if fat == 12 { options.bytes_per_cluster(2048) } else { options };
        let options = if fat == 16 { options.bytes_per_cluster(1024) } else { options };
        fatfs::format_volume(&mut image, options).unwrap();
        fill(&mut image, files);
        Self::raw(image.into_inner())
    }

    /// Makes the second cluster of the first file lead back to the first one (FAT16).
    pub fn chain_in_circles(&mut self) {
        let reserved = usize::from(u16::from_le_bytes([self.files[14], self.files[15]]));
        let fat = &mut self.files[reserved * 512..];
        let first = (2..200u16).find(|cluster| fat[usize::from(*cluster) * 2] as u16 == cluster + 1);
        let first = first.expect("a file of two clusters");
        fat[usize::from(first + 1) * 2..][..2].copy_from_slice(&first.to_le_bytes());
    }
}

fn fill(image: &mut Cursor<Vec<u8>>, files: &[(&str, Vec<u8>)]) {
    let volume = fatfs::FileSystem::new(image, fatfs::FsOptions::new()).unwrap();
    let root = volume.root_dir();
    for (path, bytes) in files {
        if let Some((folder, _)) = path.rsplit_once('/') {
            root.create_dir(folder).unwrap();
        }
        root.create_file(path).unwrap().write_all(bytes).unwrap();
    }
}

/// A disk with a small model under each of these names.
pub fn models(names: &[&str]) -> Disk {
    let files: Vec<_> = names.iter().map(|name| (*name, Model::default().bytes())).collect();
    Disk::with(&files)
}
