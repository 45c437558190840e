// SPDX-License-Identifier: MIT
//! `cloister-store`: builds the retriever's store on the host, for collections too large to take in on the device.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use retrieval::embed::Embedder;
use retrieval::index::{Filter, PortableDots};
use retrieval::memory::{Memory, Mode, Query, heap_for};
use tools_retrieval_bench::embedding::Embedding;
use tools_retrieval_bench::store::{self, FileDisk, Taken};

/// Passages that an image has memory for when nothing was said.
const USUAL: usize = 5_000;

/// Builds and reads the store of the data partition, while no system runs on that disk.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A disk image, whose data partition is used, or the image of that partition alone.
    image: PathBuf,
    /// A GGUF of an embedding model, the one on the disk; without it, the labelled hash fallback.
    #[arg(long, value_name = "FILE.gguf")]
    model: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes the image of a partition of so many MiB with an empty store; not for a disk image.
    Format { mebibytes: u64 },
    /// Takes in all documents of a folder; those that have not changed are passed over, those that are gone go.
    Add { folder: PathBuf },
    /// Lists sources, and how full the store is.
    List,
    /// Finds passages.
    Find { question: String },
    /// Forgets a source, by its number or path.
    Remove { source: String },
}

/// An error is one line, however many causes it has.
fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let embedding = Embedding::open(arguments.model.as_deref())?;
    let image = || arguments.image.display().to_string();
    embedding.with(|embedder| {
        if let Command::Format { mebibytes } = arguments.command {
            let disk = FileDisk::create(&arguments.image, mebibytes)?;
            return store::format(disk, embedder).map(drop).with_context(image);
        }
        let mut memory = store::open(FileDisk::open(&arguments.image)?, embedder).with_context(image)?;
        obey(&mut memory, &arguments.command, embedder)
    })
}

fn obey(memory: &mut Memory<FileDisk>, command: &Command, embedder: &mut dyn Embedder) -> Result<()> {
    match command {
        Command::Format { .. } => {}
        Command::Add { folder } => {
            let added = store::add(memory, folder, embedder, &mut told);
            sum_up(memory, embedder);
            added?;
        }
        Command::List => {
            list(memory);
            sum_up(memory, embedder);
        }
        Command::Find { question } => find(memory, question, embedder)?,
        Command::Remove { source } => remove(memory, source)?,
    }
    Ok(())
}

fn told(name: &str, taken: &Taken) {
    match taken {
        Taken::In(passages) => println!("{name}: {passages} passages"),
        Taken::Unchanged => println!("{name}: unchanged"),
        Taken::PassedOver(why) => println!("{name}: passed over: {why}"),
        Taken::Removed => println!("{name}: removed, its file is gone"),
    }
}

fn list(memory: &Memory<FileDisk>) {
    for source in memory.sources() {
        let state = if source.is_complete() { "" } else { "  (not complete)" };
        let (id, passages, bytes) = (source.id, source.passages, source.bytes);
        println!("{id:>6}  {passages:>5} passages  {bytes:>9} bytes  {}{state}", source.path);
    }
}

/// How much there is, and what the device needs for it.
fn sum_up(memory: &Memory<FileDisk>, embedder: &dyn Embedder) {
    let counts = memory.counts();
    let percent = counts.usage.live * 100 / counts.usage.log.max(1);
    println!(
        "{} sources, {} passages, {percent} % of the partition; embedding: {}",
        counts.sources,
        counts.passages,
        embedder.label()
    );
    if counts.unembedded > 0 {
        println!("{} texts have vectors of another embedding: the device makes new ones", counts.unembedded);
    }
    if counts.passages > USUAL {
        let passages = counts.passages.next_multiple_of(1_000) + 1_000;
        let memory = heap_for(passages) >> 20;
        println!("start the system with --passages {passages} ({memory} MiB of heap for the retriever)");
    }
    let lost: u64 = memory.recovery().damage.iter().map(|hole| hole.last - hole.first + 1).sum();
    if lost > 0 {
        println!("warning: the disk has lost {lost} acknowledged writes");
    }
}

fn find(memory: &mut Memory<FileDisk>, question: &str, embedder: &mut dyn Embedder) -> Result<()> {
    let query = Query { text: question, limit: 5, mode: Mode::Hybrid, filter: Filter::default() };
    for found in memory.search(&query, embedder, &PortableDots)?.passages {
        let score = found.cosine.filter(|_| embedder.finds_meaning()).unwrap_or(found.score);
        println!("{score:.3}  {}  {}\n{}\n", found.path, found.heading, found.text);
    }
    Ok(())
}

fn remove(memory: &mut Memory<FileDisk>, name: &str) -> Result<()> {
    let number = name.parse().ok().filter(|id| memory.sources().any(|source| source.id == *id));
    let source = number.or_else(|| memory.source_of(name));
    ensure!(source.is_some(), "there is no source {name}; `list` names them");
    let passages = memory.remove_source(source.unwrap_or_default())?;
    memory.checkpoint()?;
    println!("{name} is forgotten ({passages} passages)");
    Ok(())
}
