// SPDX-License-Identifier: MIT
//! `cloister-store`: builds the retriever's store on the host, for collections too large to take in on the device.
#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, ensure};
use clap::{Parser, Subcommand};
use retrieval::chunk::Format;
use retrieval::embed::Embedder;
use retrieval::index::{Filter, PortableDots};
use retrieval::memory::{Config, Memory, Mode, Query};
use retrieval::store::{BlockDevice, DeviceError, Options, SECTOR};
use tools_retrieval_bench::embedding::Embedding;

/// Builds and reads the store of the data partition.
#[derive(Parser)]
struct Arguments {
    /// A disk image, whose data partition is used, or the image of that partition alone.
    image: PathBuf,
    /// A GGUF of an embedding model; without it, the labelled hash fallback.
    #[arg(long, value_name = "FILE.gguf")]
    model: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes the image of a partition of so many MiB with an empty store; not for a disk image.
    Format { mebibytes: u64 },
    /// Takes in all documents of a folder; those that have not changed are passed over.
    Add { folder: PathBuf },
    /// Lists sources, counts and what opening found.
    List,
    /// Finds passages.
    Find { question: String },
}

/// A part of a file as a disk.
struct FileDisk {
    file: File,
    /// Where it begins, in bytes.
    start: u64,
    sectors: u64,
}

impl FileDisk {
    fn at(&mut self, sector: u64, bytes: usize) -> Result<&mut File, DeviceError> {
        if sector + (bytes / SECTOR) as u64 > self.sectors {
            return Err(DeviceError::OutOfRange);
        }
        let place = SeekFrom::Start(self.start + sector * SECTOR as u64);
        self.file.seek(place).map_err(|_| DeviceError::Io)?;
        Ok(&mut self.file)
    }
}

impl BlockDevice for FileDisk {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.at(sector, buffer.len())?.read_exact(buffer).map_err(|_| DeviceError::Io)
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<(), DeviceError> {
        self.at(sector, data.len())?.write_all(data).map_err(|_| DeviceError::Io)
    }

    fn flush(&mut self) -> Result<(), DeviceError> {
        self.file.sync_data().map_err(|_| DeviceError::Io)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn config() -> Config {
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos());
    Config { store: Options { store_id: nanoseconds as u64, ..Options::default() }, ..Config::default() }
}

/// The store; an empty one where the partition is blank, as on a disk that no system has used yet.
fn open_or_make(path: &Path, embedder: &dyn Embedder) -> Result<Memory<FileDisk>> {
    let mut disk = open_file(path)?;
    let mut start = vec![0; 64 * SECTOR];
    disk.read(0, &mut start).map_err(|_| anyhow!("{} is smaller than a store", path.display()))?;
    if start.iter().all(|byte| *byte == 0) {
        return Ok(Memory::format(disk, config(), embedder)?);
    }
    Ok(Memory::open(disk, config(), embedder)?)
}

fn open_file(path: &Path) -> Result<FileDisk> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.with_context(|| format!("opening {}", path.display()))?;
    let (start, bytes) = match tools_disk::layout(path) {
        Ok(layout) => (layout.data, layout.data_size),
        Err(_) => (0, file.metadata()?.len()),
    };
    Ok(FileDisk { file, start, sectors: bytes / SECTOR as u64 })
}

/// All files below a folder, in order of their names.
fn files(folder: &Path, all: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() { files(&path, all)? } else { all.push(path) }
    }
    Ok(())
}

fn add(memory: &mut Memory<FileDisk>, folder: &Path, embedder: &mut dyn Embedder) -> Result<()> {
    let mut all = Vec::new();
    files(folder, &mut all)?;
    for path in all {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        if Format::of_path(&name).is_none() {
            continue;
        }
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        match add_one(memory, &name, &bytes, embedder) {
            Ok(Some(passages)) => println!("{name}: {passages} passages"),
            Ok(None) => println!("{name}: unchanged"),
            Err(retrieval::memory::MemoryError::Chunk(error)) => println!("{name}: passed over: {error}"),
            Err(error) => return Err(anyhow!("{name}: {error}")),
        }
    }
    Ok(memory.checkpoint()?)
}

fn add_one(
    memory: &mut Memory<FileDisk>,
    name: &str,
    bytes: &[u8],
    embedder: &mut dyn Embedder,
) -> Result<Option<usize>, retrieval::memory::MemoryError> {
    let Some(mut ingest) = memory.begin(name, bytes, now())? else { return Ok(None) };
    loop {
        let progress = memory.step(&mut ingest, embedder)?;
        if progress.finished {
            return Ok(Some(progress.total));
        }
    }
}

fn list(memory: &Memory<FileDisk>) {
    for source in memory.sources() {
        let state = if source.is_complete() { "" } else { " (incomplete)" };
        println!(
            "{:4} {:6} passages {:9} bytes  {}{state}",
            source.id, source.passages, source.bytes, source.path
        );
    }
    println!("{:?}\n{:?}", memory.counts(), memory.recovery());
}

fn find(memory: &mut Memory<FileDisk>, question: &str, embedder: &mut dyn Embedder) -> Result<()> {
    let query = Query { text: question, limit: 5, mode: Mode::Hybrid, filter: Filter::default() };
    for found in memory.search(&query, embedder, &PortableDots)?.passages {
        println!("{:.3}  {}  {}\n{}\n", found.cosine.unwrap_or(0.0), found.path, found.heading, found.text);
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let embedding = Embedding::open(arguments.model.as_deref())?;
    if let Command::Format { mebibytes } = arguments.command {
        ensure!((1..=1 << 20).contains(&mebibytes), "a store has 1 to 1048576 MiB");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&arguments.image)?;
        file.set_len(mebibytes << 20)?;
        let disk = FileDisk { file, start: 0, sectors: (mebibytes << 20) / SECTOR as u64 };
        return embedding.with(|embedder| Ok(Memory::format(disk, config(), embedder).map(drop)?));
    }
    embedding.with(|embedder| {
        let mut memory = open_or_make(&arguments.image, embedder)?;
        match &arguments.command {
            Command::Format { .. } => Ok(()),
            Command::Add { folder } => add(&mut memory, folder, embedder),
            Command::List => {
                list(&memory);
                Ok(())
            }
            Command::Find { question } => find(&mut memory, question, embedder),
        }
    })
}
