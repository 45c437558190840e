// SPDX-License-Identifier: MIT
//! Collections of both forms, and files that are neither.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use retrieval::index::{RrfParameters, VectorFormat};
use tools_retrieval_bench::collection::{beir, squad};
use tools_retrieval_bench::embedding::Embedding;
use tools_retrieval_bench::ranking::{self, Mode};

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).expect("written");
    path
}

const SQUAD: &str = r#"{"version": "1.1", "data": [{"title": "t", "paragraphs": [
    {"context": "The moon pulls the ocean.", "qas": [{"id": "1", "question": "What pulls the ocean?", "answers": []}]},
    {"context": "Bread needs yeast.", "qas": [{"id": "2", "question": "What does bread need?", "answers": []},
        {"id": "3", "question": "Unanswerable?", "is_impossible": true, "answers": []}]},
    {"context": "Bread needs yeast.", "qas": [{"id": "4", "question": "Yeast for what?", "answers": []}]}]}]}"#;

fn archive(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("started");
        writer.write_all(text.as_bytes()).expect("written");
    }
    file(name, &writer.finish().expect("finished").into_inner())
}

const CORPUS: &str = "{\"_id\": \"d1\", \"title\": \"Moon\", \"text\": \"It pulls the ocean.\"}\n{\"_id\": \"d2\", \"text\": \"Bread needs yeast.\"}\n\n";
const QUERIES: &str = "{\"_id\": \"q1\", \"text\": \"moon\"}\n{\"_id\": \"q2\", \"text\": \"yeast\"}\n{\"_id\": \"q3\", \"text\": \"x\"}\n";
const QRELS: &str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td9\t1\nq2\td2\t1\nq2\td1\t0\nq3\td1\t0\n";

#[test]
fn squad_merges_equal_paragraphs() {
    let collection = squad(&file("squad.json", SQUAD.as_bytes())).expect("read");
    assert_eq!((collection.passages.len(), collection.questions.len()), (2, 3));
    assert_eq!(collection.questions[2].relevant.keys().collect::<Vec<_>>(), [&1]);
}

#[test]
fn beir_keeps_grades_and_leaves_out_what_is_not_there() {
    let files = [("set/corpus.jsonl", CORPUS), ("set/queries.jsonl", QUERIES), ("set/qrels/test.tsv", QRELS)];
    let collection = beir(&archive("beir.zip", &files), "test").expect("read");
    assert_eq!(collection.passages, ["Moon It pulls the ocean.", "Bread needs yeast."]);
    let relevant: Vec<Vec<(usize, u32)>> =
        collection.questions.iter().map(|question| question.relevant.clone().into_iter().collect()).collect();
    assert_eq!(relevant, [vec![(0, 2)], vec![(1, 1)]]);
}

#[test]
fn every_mode_finds_shared_words() {
    let collection = squad(&file("modes.json", SQUAD.as_bytes())).expect("read");
    let vectors = ranking::embed(&collection, &Embedding::Hash, None).expect("embedded");
    for format in [VectorFormat::F32, VectorFormat::F16, VectorFormat::Q8] {
        let hits = ranking::search(&collection, &vectors, format).expect("searched");
        for mode in [Mode::Vector, Mode::Bm25, Mode::Hybrid] {
            let measures = ranking::measure(&collection, &hits, mode, RrfParameters::default());
            assert_eq!(
                (measures.recall_at_1, measures.mrr, measures.ndcg_at_10),
                (1.0, 1.0, 1.0),
                "{mode:?}"
            );
        }
    }
}

#[test]
fn other_files_are_named_errors() {
    let message = |error: anyhow::Error| format!("{error:#}");
    assert!(message(squad(&file("no.json", b"{}")).expect_err("no data")).contains("form of SQuAD"));
    assert!(
        message(squad(&file("empty.json", br#"{"data": []}"#)).expect_err("empty")).contains("no passages")
    );
    assert!(message(beir(&file("no.zip", b"text"), "test").expect_err("no zip")).contains("no zip file"));
    let lacking = archive("lacking.zip", &[("corpus.jsonl", CORPUS)]);
    assert!(message(beir(&lacking, "test").expect_err("lacking")).contains("queries.jsonl"));
    let wrong =
        [("corpus.jsonl", CORPUS), ("queries.jsonl", QUERIES), ("qrels/test.tsv", "q\td\t1\nq\td\tx\n")];
    assert!(message(beir(&archive("wrong.zip", &wrong), "test").expect_err("wrong")).contains("line 2"));
}
