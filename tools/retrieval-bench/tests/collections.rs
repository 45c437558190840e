// SPDX-License-Identifier: MIT
//! Collections of both forms, and files that are neither.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use retrieval::index::{RrfParameters, VectorFormat};
use tools_retrieval_bench::beir::beir;
use tools_retrieval_bench::collection::squad;
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

/// A collection as BEIR publishes them: in a folder, with titles, metadata, three splits, grades, and ids that are not in
/// the corpus.
fn published(name: &str) -> PathBuf {
    let corpus = concat!(
        r#"{"_id": "4983", "title": "Kiwi", "text": "kiwi", "metadata": {"url": "https://example.org/4983"}}"#,
        "\n",
        r#"{"_id": "5836", "title": "", "text": "kiwi apple", "metadata": {}}"#,
        "\n",
        r#"{"_id": "7912", "title": null, "text": "kiwi apple pear plum"}"#,
        "\n",
        r#"{"_id": "q2", "title": "Quince", "text": "quince cherry"}"#,
        "\n",
        r#"{"_id": "18670", "title": "Quince", "text": "quince jam", "metadata": {}}"#,
    );
    let queries = concat!(
        r#"{"_id": "q1", "text": "kiwi", "metadata": {"split": "test"}}"#,
        "\r\n",
        r#"{"_id": "q2", "text": "quince cherry"}"#,
        "\r\n",
        r#"{"_id": 3, "text": "apple"}"#,
        "\r\n",
    );
    let heading = "query-id\tcorpus-id\tscore";
    let test =
        format!("{heading}\r\nq1\t5836\t2\r\nq1\t7912\t1\r\nq1\t999\t1\r\nq2\t18670\t1\r\nq9\t4983\t1\r\n");
    let train = format!("{heading}\n3\t5836\t1\n3\t4983\t0\n");
    let dev = format!("{heading}\nq1\t4983\t1\n");
    archive(
        name,
        &[
            ("fruit/corpus.jsonl", corpus),
            ("fruit/queries.jsonl", queries),
            ("fruit/qrels/dev.tsv", &dev),
            ("fruit/qrels/test.tsv", &test),
            ("fruit/qrels/train.tsv", &train),
        ],
    )
}

fn words_only(path: &std::path::Path, split: &str) -> tools_retrieval_bench::measures::Measures {
    let collection = beir(path, split).expect("read");
    let vectors = ranking::embed(&collection, &Embedding::Hash, None).expect("embedded");
    let hits = ranking::search(&collection, &vectors, VectorFormat::F32).expect("searched");
    ranking::measure(&collection, &hits, Mode::Bm25, RrfParameters::default())
}

#[test]
fn a_published_collection_gives_the_figures_that_one_works_out_by_hand() {
    let path = published("published.zip");
    // q1 ranks 4983 ("Kiwi kiwi"), 5836 (grade 2), 7912 (grade 1). q2's own passage is no answer: 18670 is first.
    let test = words_only(&path, "test");
    assert_eq!((test.recall_at_1, test.recall_at_5, test.mrr), (0.5, 1.0, 0.75));
    let log = |rank: f64| (rank + 1.0).log2();
    let ndcg = (2.0 / log(2.0) + 1.0 / log(3.0)) / (2.0 / log(1.0) + 1.0 / log(2.0));
    assert!((test.ndcg_at_10 - f64::midpoint(ndcg, 1.0)).abs() < 1e-12, "{test:?}");
    // Another split has other questions: 3 is a number in the file, and a grade of 0 is no answer.
    assert_eq!(words_only(&path, "train").mrr, 1.0);
    assert_eq!(beir(&path, "dev").expect("read").questions.len(), 1);
}

#[test]
fn wrong_lines_are_named_with_file_and_line() {
    let with = |name: &str, corpus: &str, qrels: &str| {
        let files =
            [("set/corpus.jsonl", corpus), ("set/queries.jsonl", QUERIES), ("set/qrels/test.tsv", qrels)];
        format!("{:#}", beir(&archive(name, &files), "test").expect_err("wrong"))
    };
    let cut = with("cut.zip", "{\"_id\": \"d1\", \"text\": \"x\"}\n{\"_id\": \"d2\", \"te", QRELS);
    assert!(cut.contains("cut.zip: set/corpus.jsonl, line 2: column 17: EOF"), "{cut}");
    let nameless = with("nameless.zip", "{\"text\": \"x\"}\n", QRELS);
    assert!(nameless.contains("set/corpus.jsonl, line 1: ") && nameless.contains("`_id`"), "{nameless}");
    let columns = with("columns.zip", CORPUS, "query-id\tcorpus-id\tscore\nq1 d1 1\n");
    assert!(columns.contains("set/qrels/test.tsv, line 2: 1 columns between tabs, not 3"), "{columns}");
    let nothing = with("nothing.zip", CORPUS, "query-id\tcorpus-id\tscore\nq7\td1\t1\n");
    assert!(nothing.contains("holds no questions with an answer"), "{nothing}");
    let split = format!("{:#}", beir(&published("split.zip"), "valid").expect_err("no such split"));
    assert!(split.contains("no qrels/valid.tsv") && split.contains("fruit/qrels/train.tsv"), "{split}");
    assert!([cut, nameless, columns, nothing, split].iter().all(|error| !error.contains('\n')));
}

#[test]
fn squad_of_both_versions_with_several_articles_and_paragraphs() {
    let two = r#"{"version": "v2.0", "data": [
        {"title": "Normans", "paragraphs": [
            {"qas": [{"question": "In what country is Normandy?", "id": "a", "is_impossible": false,
                "answers": [{"text": "France", "answer_start": 3}]},
                {"question": "Who gave their name to it in 1000?", "id": "b", "is_impossible": true,
                "plausible_answers": [{"text": "Normans", "answer_start": 4}], "answers": []}],
             "context": "The Normans gave their name to Normandy, a region in France."},
            {"qas": [], "context": "Nobody asks about this paragraph."}]},
        {"title": "Steam", "paragraphs": [
            {"qas": [{"question": "What moves the piston?", "id": "c", "answers": []}],
             "context": "Steam moves the piston of an engine."}]}]}"#;
    let collection = squad(&file("two.json", format!("\u{feff}{two}").as_bytes())).expect("read");
    assert_eq!((collection.passages.len(), collection.questions.len()), (3, 2));
    assert_eq!(collection.questions[1].relevant.keys().collect::<Vec<_>>(), [&2]);
    let wrong = two.replace("\"context\": \"Steam", "\"contest\": \"Steam");
    let error = format!("{:#}", squad(&file("contest.json", wrong.as_bytes())).expect_err("wrong"));
    assert!(
        error.contains("contest.json") && error.contains("`context`") && error.contains("line 11"),
        "{error}"
    );
    let unanswerable = two.replace("false", "true").replace("\"id\": \"c\"", "\"is_impossible\": true");
    let error = format!("{:#}", squad(&file("un.json", unanswerable.as_bytes())).expect_err("none"));
    assert!(error.contains("holds no questions with an answer") && !error.contains('\n'), "{error}");
}
