//! The tool as people run it with files of their own: good ones, and broken ones that are named by file and line.

use std::path::{Path, PathBuf};
use std::process::Command;

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/cloister-base.gguf")
}

/// Whether it succeeded, and all that it wrote.
fn measure(task: &str, text: &str, more: &[&str]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.jsonl");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloister-eval"));
    let run = command.arg(model()).arg(task).arg(&file).args(more).output().unwrap();
    (run.status.success(), String::from_utf8([run.stdout, run.stderr].concat()).unwrap())
}

fn refused(task: &str, text: &str, parts: &[&str]) {
    let (success, said) = measure(task, text, &[]);
    assert!(!success, "this should have failed: {said}");
    parts.iter().for_each(|part| assert!(said.contains(part), "`{part}` is missing in: {said}"));
}

#[test]
fn broken_lines_are_named_by_number() {
    let good = "{\"text\": \"help\", \"command\": \"/help\"}\n";
    refused("--commands", &format!("{good}\n{{\"text\": "), &["file.jsonl:3", "\"command\""]);
    refused(
        "--commands",
        &format!("{good}{{\"text\": \"a\"}}"),
        &["file.jsonl:2", "missing field `command`"],
    );
    refused("--commands", "[1]", &["file.jsonl:1"]);
    refused("--grounded", "{\"passage\": \"a\"}", &["file.jsonl:1", "missing field `question`"]);
    let forgotten = "{\"passage\": \"a\", \"question\": \"b\"}";
    refused("--grounded", forgotten, &["file.jsonl:1", "missing field `answer`"]);
    let unknown = "{\"passage\": \"a\", \"question\": \"b\", \"anser\": null}";
    refused("--grounded", unknown, &["file.jsonl:1", "unknown field `anser`"]);
    refused("--talk", "{\"messages\": [{\"role\": \"user\"}]}", &["file.jsonl:1", "missing field `content`"]);
}

#[test]
fn empty_files_are_errors() {
    for task in ["--commands", "--grounded", "--talk"] {
        refused(task, "", &["file.jsonl has no lines"]);
        refused(task, "\n \n", &["file.jsonl has no lines"]);
    }
}

#[test]
fn answers_are_counted_and_printed_as_json() {
    let lines = "{\"text\": \"unload the model\", \"command\": \"/unload\"}\n{\"text\": \"?\", \"command\": \"never\"}\n";
    let (success, said) = measure("--commands", lines, &["--json", "--wrong", "5"]);
    assert!(success, "{said}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    let report = &report["reports"][0];
    assert_eq!((&report["lines"], &report["kind"]), (&2.into(), &"commands".into()));
    assert_eq!(report["wrong"].as_array().unwrap().len() as u64, 2 - report["correct"].as_u64().unwrap());
    let talk = "{\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}, {\"role\": \"user\", \"content\": \"bye\"}]}";
    let (success, said) = measure("--talk", talk, &[]);
    assert!(success && said.contains("of 2 correct"), "{said}");
}
