// SPDX-License-Identifier: MIT
//! All data of the default model, from the written sources and a seed.

use crate::Sources;
use crate::clinc::Clinc;
use crate::commands::{Pair, Requests};
use crate::dialogues::Dialogues;
use crate::events::Events;
use crate::grounded::Facts;
use crate::heldout;
use crate::made::one;
use crate::manual::{self, Page};
use crate::output::{Conversation, Message, write};
use crate::passages::Passages;
use crate::practice::{lookup, nonsense, recall};
use crate::questions::conversations;
use crate::reading::Wording;
use crate::slots::Slots;
use crate::source::Split;
use crate::words::Words;
use anyhow::Result;
use inference_commands::REQUEST;
use std::collections::HashSet;
use std::path::PathBuf;

/// What to make.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    sources: Sources,
    /// Another seed makes other data.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Folder for the files; `heldout/` is made in it.
    #[arg(short, long)]
    pub output: PathBuf,
    /// Requests for commands to draw (those that are drawn twice are written once).
    #[arg(long, default_value_t = 450_000)]
    requests: usize,
    /// Passages of made facts, with up to five questions each.
    #[arg(long, default_value_t = 52_000)]
    passages: usize,
    /// Passages about who did what, with up to five questions each.
    #[arg(long, default_value_t = 60_000)]
    events: usize,
    /// Passages as people write them, with up to six questions each.
    #[arg(long, default_value_t = 60_000)]
    stories: usize,
    /// Conversations.
    #[arg(long, default_value_t = 30_000)]
    talks: usize,
    /// Passages of the documents, with up to four questions each.
    #[arg(long, default_value_t = 4_000)]
    pages: usize,
    /// Texts to repeat word for word: short practice in copying.
    #[arg(long, default_value_t = 25_000)]
    copies: usize,
    /// Lines of each held-out file.
    #[arg(long, default_value_t = 1_000)]
    pub held: usize,
}

/// Everything that is read.
pub struct Written {
    pub slots: Slots,
    pub requests: Requests,
    pub facts: Facts,
    pub pages: Vec<Page>,
    dialogues: Dialogues,
    events: Events,
    pub passages: Passages,
}

/// Writes all files.
///
/// # Errors
/// When a source is not understood or a file cannot be written.
pub fn run(options: &Options) -> Result<()> {
    let read = read(&options.sources)?;
    std::fs::create_dir_all(options.output.join("heldout"))?;
    heldout::write_all(options, &read)?;
    training(options, &read)
}

fn read(sources: &Sources) -> Result<Written> {
    let clinc = Clinc::read(sources.clinc.as_deref())?;
    let data = &sources.data;
    let read = Written {
        slots: Slots::read(&data.join("slots.txt"), Words::read(data, &sources.texts)?)?,
        requests: Requests::read(data, &clinc)?,
        facts: Facts::read(data)?,
        pages: manual::read(data)?,
        dialogues: Dialogues::read(data, &clinc)?,
        events: Events::read(&data.join("events.txt"))?,
        passages: Passages::read(data)?,
    };
    let (learnt, held) = read.requests.wordings();
    println!(
        "sources: {learnt} wordings of commands and {held} held out, {} kinds of facts, {} pages, {:?} passages, {} words, CLINC150: {} texts",
        read.facts.len(),
        read.pages.len(),
        read.passages.len(),
        read.slots.words.len(),
        clinc.len()
    );
    Ok(read)
}

fn training(options: &Options, read: &Written) -> Result<()> {
    let out = &options.output;
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let held: HashSet<String> =
        heldout::pairs(options, read)?.iter().map(|pair| pair.text.to_lowercase()).collect();
    let pairs = read.requests.pairs(options.requests, Split::Train, &read.slots, &held, &mut rng)?;
    write(out, "commands.jsonl", &pairs.iter().map(command_line).collect::<Vec<_>>())?;
    let readings = (0..options.passages).map(|_| {
        let count = rng.usize(4..8);
        let reading = read.facts.reading(LEARNT, count, &read.slots, &mut rng)?;
        conversations(read, reading, None, &mut rng)
    });
    write(out, "grounded.jsonl", &usable(readings)?)?;
    let events = (0..options.events).map(|_| {
        let reading = read.events.reading(Split::Train, rng.usize(4..8), &read.slots, &mut rng)?;
        conversations(read, reading, None, &mut rng)
    });
    write(out, "events.jsonl", &usable(events)?)?;
    let texts = (0..options.stories).map(|_| {
        let reading = read.passages.reading(Split::Train, rng.usize(4..9), &read.slots, &mut rng)?;
        conversations(read, reading, None, &mut rng)
    });
    write(out, "passages.jsonl", &usable(texts)?)?;
    let pages = (0..options.pages).map(|_| {
        let page = &read.pages[rng.usize(..read.pages.len())];
        let count = rng.usize(2..5);
        let reading = page.reading(Split::Train, count, &mut rng);
        conversations(read, reading, Some(page), &mut rng)
    });
    write(out, "manual.jsonl", &usable(pages)?)?;
    write(out, "talk.jsonl", &talks(options.talks, Split::Train, read, &mut rng)?)?;
    let copies = (0..options.copies).map(|_| copy(read, &mut rng));
    write(out, "copies.jsonl", &copies.collect::<Result<Vec<_>>>()?)?;
    let nonsense = (0..options.copies).map(|_| nonsense(&read.slots, &mut rng));
    write(out, "nonsense.jsonl", &nonsense.collect::<Result<Vec<_>>>()?)?;
    let lookups = (0..options.copies).map(|_| lookup(&read.slots, &mut rng));
    write(out, "lookup.jsonl", &lookups.collect::<Result<Vec<_>>>()?)?;
    let recall = (0..options.copies).map(|_| recall(&read.slots, &mut rng));
    write(out, "recall.jsonl", &recall.collect::<Result<Vec<_>>>()?)
}

/// Without conversations in which nothing is asked.
fn usable(all: impl Iterator<Item = Result<Vec<Conversation>>>) -> Result<Vec<Conversation>> {
    let all: Vec<Vec<Conversation>> = all.collect::<Result<_>>()?;
    Ok(all.into_iter().flatten().filter(|talk| !talk.messages.is_empty()).collect())
}

/// What training data may have.
pub const LEARNT: Wording =
    Wording { values: Split::Train, statements: Split::Train, questions: Split::Train };

/// A text that is to be repeated.
fn copy(read: &Written, rng: &mut fastrand::Rng) -> Result<Conversation> {
    const ASKED: [&str; 6] =
        ["Repeat: ", "Say: ", "Repeat after me: ", "Copy this: ", "Write: ", "Say exactly: "];
    let passage = read.facts.reading(LEARNT, 0, &read.slots, rng)?.passage;
    let sentences: Vec<&str> = passage.split_inclusive(". ").take(rng.usize(1..3)).map(str::trim).collect();
    let text = sentences.join(" ");
    Ok(Conversation {
        messages: vec![Message::user(&format!("{}{text}", one(&ASKED, rng))), Message::assistant(&text)],
    })
}

/// A request for a command as the system asks the model for it.
fn command_line(pair: &Pair) -> Conversation {
    let messages = vec![Message::user(&format!("{REQUEST}{}", pair.text)), Message::assistant(&pair.command)];
    Conversation { messages }
}

/// Conversations of a split.
///
/// # Errors
/// When a list is missing.
pub fn talks(
    count: usize,
    split: Split,
    read: &Written,
    rng: &mut fastrand::Rng,
) -> Result<Vec<Conversation>> {
    let talk = |_| Ok(Conversation { messages: read.dialogues.conversation(split, &read.slots, rng)? });
    (0..count).map(talk).collect()
}
