// SPDX-License-Identifier: MIT
//! The whole library at work: documents, episodes and facts, over restarts and power cuts.
mod sim;

use retrieval::chunk::ChunkError;
use retrieval::embed::{EmbedError, Embedder, HashEmbedder, normalize};
use retrieval::episodes::{Event, Recency};
use retrieval::index::{Filter, PortableDots};
use retrieval::memory::{Config, Memory, MemoryError, Mode, Query};
use retrieval::store::{Options, StoreError};
use sim::Rng;
use sim::disk::{Flush, SimDisk};

const DAY: u64 = 86_400;

fn config() -> Config {
    let store = Options { max_frame_sectors: 64, store_id: 99, ..Options::default() };
    Config { store, max_passages: 500, max_episodes: 50, max_facts: 20, ..Config::default() }
}

fn fresh(sectors: u64) -> (SimDisk, Memory<SimDisk>) {
    let disk = SimDisk::new(sectors, 1, Flush::Honest, 5);
    let memory = Memory::format(disk.clone(), config(), &HashEmbedder).expect("format");
    (disk, memory)
}

fn open(disk: &SimDisk) -> Memory<SimDisk> {
    Memory::open(disk.clone(), config(), &HashEmbedder).expect("opens")
}

fn add(memory: &mut Memory<SimDisk>, path: &str, text: &str) -> Result<bool, MemoryError> {
    let Some(mut ingest) = memory.begin(path, text.as_bytes(), 1000)? else { return Ok(false) };
    while !memory.step(&mut ingest, &mut HashEmbedder)?.finished {}
    Ok(true)
}

fn search(memory: &mut Memory<SimDisk>, text: &str, mode: Mode) -> Vec<(String, String)> {
    let query = Query { text, limit: 5, mode, filter: Filter::default() };
    let answer = memory.search(&query, &mut HashEmbedder, &PortableDots).expect("search");
    answer.passages.into_iter().map(|found| (found.path, found.heading)).collect()
}

const BREAD: &str = "# Bread\n\nFlour, water, salt and yeast. Knead the dough for ten minutes.\n\n# Oven\n\nPreheat to 240 degrees.\n";
const TIDES: &str = "The moon pulls the ocean, and so the tide rises twice a day.\n";
const CODE: &str = "/// Adds two numbers.\nfn add_numbers(a: u32, b: u32) -> u32 {\n    a + b\n}\n";

#[test]
fn documents_are_found_by_vector_by_words_and_by_both() {
    let (disk, mut memory) = fresh(8192);
    for (path, text) in [("bread.md", BREAD), ("tides.txt", TIDES), ("add.rs", CODE)] {
        assert_eq!(add(&mut memory, path, text), Ok(true));
        assert_eq!(add(&mut memory, path, text), Ok(false), "unchanged");
    }
    for _ in 0..2 {
        for mode in [Mode::Vector, Mode::Words, Mode::Hybrid] {
            assert_eq!(
                search(&mut memory, "how long to knead dough?", mode)[0],
                ("bread.md".into(), "Bread".into())
            );
            assert_eq!(search(&mut memory, "ocean tides", mode)[0].0, "tides.txt");
            assert_eq!(search(&mut memory, "add_numbers", mode)[0].0, "add.rs");
        }
        let counts = memory.counts();
        assert_eq!((counts.sources, counts.passages, counts.unembedded, counts.malformed), (3, 4, 0, 0));
        memory = open(&disk);
    }
}

#[test]
fn a_changed_document_keeps_its_unchanged_passages() {
    let (_, mut memory) = fresh(8192);
    add(&mut memory, "bread.md", BREAD).expect("added");
    let changed = BREAD.replace("240", "220");
    let mut ingest = memory.begin("bread.md", changed.as_bytes(), 2000).expect("begins").expect("changed");
    let mut steps = vec![memory.step(&mut ingest, &mut HashEmbedder).expect("step")];
    while !steps.last().expect("one").finished {
        steps.push(memory.step(&mut ingest, &mut HashEmbedder).expect("step"));
    }
    assert!(steps.iter().all(|progress| progress.total == 2) && steps[0].done == 1);
    assert_eq!(memory.counts().passages, 2);
    assert_eq!(
        memory.sources().map(|source| (source.path, source.passages)).collect::<Vec<_>>(),
        [("bread.md".into(), 2)]
    );
    assert_eq!(search(&mut memory, "preheat 220", Mode::Words)[0].1, "Oven");
    assert!(search(&mut memory, "240", Mode::Words).is_empty());
}

#[test]
fn passages_are_found_by_words_before_they_have_vectors_and_by_both_afterwards() {
    let disk = SimDisk::new(8192, 1, Flush::Honest, 5);
    let later = Config { embed_later: true, step: 1, ..config() };
    let mut memory = Memory::format(disk.clone(), later, &HashEmbedder).expect("format");
    add(&mut memory, "bread.md", BREAD).expect("added");
    let note = memory.add_note("The key hangs behind the door.", 50, &mut HashEmbedder).expect("added");
    assert_eq!(memory.counts().unembedded, 3);
    assert_eq!(search(&mut memory, "knead dough", Mode::Hybrid)[0].0, "bread.md");
    assert_eq!(memory.embed_step(&mut HashEmbedder), Ok(2));
    assert_eq!(memory.remove_source(note), Ok(1));
    // The plug is pulled here: what has no vector yet is known after the next start.
    let mut memory = Memory::open(disk.clone(), later, &HashEmbedder).expect("opens");
    assert_eq!(memory.counts().unembedded, 1);
    while memory.embed_step(&mut HashEmbedder).expect("embedded") > 0 {}
    let mut at_once = fresh(8192).1;
    add(&mut at_once, "bread.md", BREAD).expect("added");
    for (question, mode) in [("knead dough", Mode::Vector), ("preheat", Mode::Hybrid)] {
        assert_eq!(search(&mut memory, question, mode), search(&mut at_once, question, mode));
    }
    assert_eq!(open(&disk).counts().unembedded, 0);
}

#[test]
fn sources_and_notes_come_and_go() {
    let (disk, mut memory) = fresh(8192);
    add(&mut memory, "tides.txt", TIDES).expect("added");
    let note =
        memory.add_note("The server room key hangs behind the door.", 50, &mut HashEmbedder).expect("added");
    assert_eq!(search(&mut memory, "where is the key", Mode::Hybrid)[0].0, format!("note {note}"));
    let sources = [note];
    let filter = Filter { sources: Some(&sources), ..Filter::default() };
    let query = Query { text: "ocean door", limit: 5, mode: Mode::Hybrid, filter };
    assert_eq!(memory.search(&query, &mut HashEmbedder, &PortableDots).expect("search").passages.len(), 1);
    assert_eq!(memory.remove_source(note), Ok(1));
    assert_eq!(memory.remove_source(note), Err(MemoryError::NotFound));
    let mut memory = open(&disk);
    assert_eq!(memory.counts().passages, 1);
    assert_eq!(search(&mut memory, "key", Mode::Words), []);
}

#[test]
fn what_is_no_document_is_refused() {
    let (_, mut memory) = fresh(8192);
    assert_eq!(add(&mut memory, "a.exe", "x"), Err(MemoryError::UnknownFormat));
    assert_eq!(add(&mut memory, "a.txt", "x\0y"), Err(MemoryError::Chunk(ChunkError::Binary)));
    assert_eq!(
        add(&mut memory, &format!("{}.txt", "x".repeat(300)), "x"),
        Err(MemoryError::BadLength { limit: 255 })
    );
    assert_eq!(add(&mut memory, "empty.txt", ""), Ok(true));
    assert_eq!(
        memory.add_note("  ", 1, &mut HashEmbedder).err(),
        Some(MemoryError::BadLength { limit: 8 << 20 })
    );
    assert_eq!(memory.counts().passages, 0);
}

fn paragraphs(count: u64, seed: u64) -> String {
    let mut rng = Rng(seed);
    let word = |rng: &mut Rng| format!("w{} ", rng.below(500));
    let paragraph = |rng: &mut Rng| (0..120).map(|_| word(rng)).collect::<String>();
    (0..count).map(|_| paragraph(&mut rng) + "\n\n").collect()
}

/// The plug is pulled 100 times at random moments; every passage whose step was answered is there after the next start.
#[test]
fn pulling_the_plug_during_ingestion_loses_nothing_acknowledged() {
    let mut rng = Rng(4);
    let (disk, mut memory) = fresh(8192);
    let mut restarts_in_the_middle = 0;
    for round in 0..100 {
        let text = paragraphs(20, round / 2);
        disk.cut_after(Some(rng.below(220)));
        let mut acknowledged = memory.counts().passages;
        let mut take_in = || -> Result<(), MemoryError> {
            let Some(mut ingest) = memory.begin("book.txt", text.as_bytes(), round)? else { return Ok(()) };
            loop {
                let progress = memory.step(&mut ingest, &mut HashEmbedder)?;
                acknowledged = progress.done;
                if progress.finished {
                    return Ok(());
                }
            }
        };
        let result = take_in();
        assert!(matches!(result, Ok(()) | Err(MemoryError::Store(StoreError::Device(_)))), "{result:?}");
        restarts_in_the_middle += u64::from(result.is_err());
        disk.power_cut();
        memory = open(&disk);
        let counts = memory.counts();
        assert!(counts.passages >= acknowledged, "round {round}: {counts:?} {acknowledged}");
        assert!(memory.recovery().damage.is_empty() && counts.malformed == 0 && counts.unembedded == 0);
    }
    assert!(restarts_in_the_middle > 20);
}

#[test]
fn a_full_disk_is_an_answer_and_removing_helps() {
    let (_, mut memory) = fresh(640);
    add(&mut memory, "small.txt", TIDES).expect("room");
    let result = add(&mut memory, "big.txt", &paragraphs(200, 1));
    assert!(matches!(result, Err(MemoryError::Store(StoreError::Full { .. }))), "{result:?}");
    let big = memory.source_of("big.txt").expect("its beginning is there");
    assert!(!memory.sources().find(|source| source.id == big).expect("listed").is_complete());
    assert!(memory.remove_source(big).expect("a full disk can forget") > 10);
    assert_eq!(add(&mut memory, "bread.md", BREAD), Ok(true));
    assert_eq!(search(&mut memory, "moon", Mode::Hybrid)[0].0, "small.txt");
}

#[test]
fn the_last_fitting_episode_comes_first() {
    let (disk, mut memory) = fresh(8192);
    let events = [
        (Event::Boot { version: "0.1" }, 10 * DAY),
        (Event::ModelLoaded { model: "stories3M" }, 11 * DAY),
        (Event::Fault { pd: "loader", cause: "null read" }, 12 * DAY),
        (Event::Command { line: "model load smollm" }, 90 * DAY),
        (Event::ModelLoaded { model: "smollm" }, 99 * DAY),
    ];
    for (event, time) in events {
        memory.record(&event, time, &mut HashEmbedder).expect("recorded");
    }
    for _ in 0..2 {
        let mut recall = |question: &str| {
            let (now, recency) = (100 * DAY, Recency::default());
            memory.recall(question, now, 3, recency, &mut HashEmbedder, &PortableDots).expect("recall")
        };
        assert_eq!(recall("what happened when I last loaded a model?")[0].text, "model smollm loaded");
        assert_eq!(recall("when did the loader have a fault")[0].text, "loader faulted: null read");
        assert_eq!(memory.recent(1).expect("recent")[0].time, 99 * DAY);
        let facts: Vec<_> = memory.facts().map(|fact| (fact.relation.clone(), fact.object.clone())).collect();
        assert!(
            facts.contains(&("last loaded model".into(), "smollm".into())) && facts.len() == 3,
            "{facts:?}"
        );
        memory = open(&disk);
    }
    for index in 0..100 {
        memory.record(&Event::Command { line: "status" }, index, &mut HashEmbedder).expect("recorded");
    }
    assert_eq!(memory.counts().episodes, 50);
}

#[test]
fn facts_join_what_the_vectors_find() {
    let (disk, mut memory) = fresh(8192);
    add(&mut memory, "tides.txt", TIDES).expect("added");
    let first = memory.add_fact("the moon", "orbits", "the earth", 5).expect("added");
    let second = memory.add_fact("the moon", "orbits", "the earth", 6).expect("known: replaced");
    memory.add_fact("bread", "needs", "yeast", 5).expect("added");
    assert!(memory.forget_fact(first).is_err());
    let mut memory = open(&disk);
    let query =
        Query { text: "why does the ocean rise?", limit: 3, mode: Mode::Hybrid, filter: Filter::default() };
    let answer = memory.search(&query, &mut HashEmbedder, &PortableDots).expect("search");
    assert_eq!(answer.facts.iter().map(|fact| fact.object.as_str()).collect::<Vec<_>>(), ["the earth"]);
    memory.forget_fact(second).expect("there");
    assert_eq!(memory.facts().count(), 1);
    assert_eq!(memory.add_fact("", "is", "x", 1), Err(MemoryError::BadLength { limit: 120 }));
    let too_many = (0..30).find_map(|n| memory.add_fact("a", "is", &format!("b{n}"), 1).err());
    assert!(matches!(too_many, Some(MemoryError::Index(_))));
}

/// Another embedding: half as many dimensions, another label.
struct Other;

impl Embedder for Other {
    fn label(&self) -> &str {
        "other"
    }

    fn dims(&self) -> usize {
        192
    }

    fn embed(&mut self, text: &str, out: &mut [f32]) -> Result<(), EmbedError> {
        let mut whole = [0.0; 384];
        HashEmbedder.embed(text, &mut whole)?;
        out.copy_from_slice(&whole[..192]);
        normalize(out);
        Ok(())
    }
}

#[test]
fn another_embedding_makes_new_vectors_for_old_texts() {
    let (disk, mut memory) = fresh(8192);
    add(&mut memory, "bread.md", BREAD).expect("added");
    memory.record(&Event::Boot { version: "1" }, 5, &mut HashEmbedder).expect("recorded");
    let mut memory = Memory::open(disk.clone(), config(), &Other).expect("opens");
    assert_eq!(memory.counts().unembedded, 3);
    let query = Query { text: "knead", limit: 3, mode: Mode::Hybrid, filter: Filter::default() };
    assert_eq!(memory.search(&query, &mut Other, &PortableDots).expect("words still work").passages.len(), 1);
    assert_eq!(memory.embed_step(&mut Other), Ok(0));
    let mut memory = Memory::open(disk, config(), &Other).expect("opens");
    assert_eq!(memory.counts().unembedded, 0);
    let answer = memory.search(&query, &mut Other, &PortableDots).expect("search");
    assert!(answer.passages[0].cosine.is_some_and(|cosine| cosine > 0.2));
}
