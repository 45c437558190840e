//! The tool as people run it: a vocabulary and a model in seconds, runs that go on with the same bits, wrong inputs.

mod common;

use common::{Folder, Outcome};

#[test]
fn a_model_is_trained_and_learns() {
    let folder = Folder::with_data();
    let out = folder.pretrain(&["--steps", "40", "-o", "model.gguf", "--eval", "data.jsonl"]);
    assert!(out.success, "{}", out.text);
    let table = folder.read("model.losses.csv");
    let losses: Vec<f64> =
        table.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse().unwrap()).collect();
    assert_eq!(losses.len(), 40);
    assert!(losses[39] < 0.5 * losses[0], "{losses:?}");
    assert!(table.lines().last().unwrap().split(',').nth(6).unwrap().parse::<f64>().is_ok());
    assert!(folder.read("model.losses.svg").starts_with("<svg"));
    folder.check_model("model.gguf");
}

#[test]
fn a_resumed_run_gives_the_same_bits_with_any_number_of_threads() {
    let folder = Folder::with_data();
    let whole = ["--steps", "12", "--schedule", "constant", "--type", "F32"];
    assert!(folder.pretrain(&[&whole[..], &["-o", "whole.gguf", "--threads", "1"]].concat()).success);
    let half = ["--steps", "5", "--schedule", "constant", "--type", "F32", "-o", "parts.gguf"];
    assert!(folder.pretrain(&half).success);
    let rest = [&whole[..], &["-o", "parts.gguf", "--resume", "parts.ckpt", "--threads", "2"]].concat();
    let out = folder.pretrain(&rest);
    assert!(out.success, "{}", out.text);
    assert!(folder.bytes("whole.gguf") == folder.bytes("parts.gguf"), "other bits after resuming");
    assert_eq!(folder.read("parts.losses.csv").lines().count(), 13);
}

#[test]
fn a_rate_that_is_far_too_high_stops_and_keeps_the_checkpoint() {
    let folder = Folder::with_data();
    assert!(folder.pretrain(&["--steps", "2", "-o", "model.gguf"]).success);
    let before = folder.bytes("model.ckpt");
    let resume = ["--steps", "30", "-o", "model.gguf", "--resume", "model.ckpt", "--lr", "1e30"];
    folder.pretrain(&resume).fails_with(&["not a number", "learning rate", "checkpoint is unchanged"]);
    assert_eq!(before, folder.bytes("model.ckpt"));
}

#[test]
fn a_broken_line_is_named_by_file_and_number() {
    let folder = Folder::with_data();
    let run = |line: &str| -> Outcome {
        folder.write("broken.jsonl", &format!("{{\"text\": \"fine\"}}\n\n{line}\n"));
        folder.train(&["pretrain", "broken.jsonl", "--steps", "1", "-o", "x.gguf"], true)
    };
    run("{\"text\": ").fails_with(&["broken.jsonl:3", "EOF while parsing"]);
    run("{\"txt\": \"a\"}").fails_with(&["broken.jsonl:3", "unknown field `txt`"]);
    run("{\"prompt\": \"a\"}").fails_with(&["broken.jsonl:3", "`prompt` and `completion`"]);
    run("{\"messages\": [{\"role\": \"robot\", \"content\": \"a\"}]}").fails_with(&[
        "broken.jsonl:3",
        "role `robot`",
        "system, user or assistant",
    ]);
    run("{\"messages\": [{\"role\": \"assistant\", \"content\": \" \"}]}").fails_with(&["answer is empty"]);
    assert!(!folder.path("x.gguf").exists());
}

#[test]
fn wrong_arguments_say_what_to_do() {
    let folder = Folder::with_data();
    folder.pretrain(&["-o", "x.gguf"]).fails_with(&["--steps or --minutes"]);
    folder
        .pretrain(&["-o", "x.gguf", "--steps", "1", "--type", "Q9"])
        .fails_with(&["type `Q9` is not known", "Q4_K_M"]);
    folder.write("model.toml", "dim = 30\nlayers = 1\nheads = 4\nffn = 8\ncontext = 8\n");
    folder.pretrain(&["-o", "x.gguf", "--steps", "1"]).fails_with(&["dim must be an even multiple of heads"]);
    folder.write("model.toml", "dim = 32\nlayrs = 1\n");
    folder.pretrain(&["-o", "x.gguf", "--steps", "1"]).fails_with(&["model.toml", "unknown field `layrs`"]);
    let small = ["tokenizer", "text.txt", "--vocab", "100", "-o", "x.gguf"];
    folder.train(&small, false).fails_with(&["--vocab 100 is too small"]);
    let large = ["tokenizer", "text.txt", "--vocab", "60000", "-o", "x.gguf"];
    folder.train(&large, false).fails_with(&["lower --vocab to"]);
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    let folder = Folder::with_data();
    assert!(folder.pretrain(&["--steps", "1", "-o", "model.gguf"]).success);
    folder.write("model.toml", "dim = 16\nlayers = 1\nheads = 2\nffn = 32\ncontext = 48\n");
    let resume = ["--steps", "2", "-o", "x.gguf", "--resume", "model.ckpt"];
    folder.pretrain(&resume).fails_with(&["model.ckpt", "another model's checkpoint"]);
    folder
        .pretrain(&["--steps", "2", "-o", "x.gguf", "--resume", "vocab.gguf"])
        .fails_with(&["no checkpoint"]);
}
