//! Adapters: trained over bases of several types, measured, merged; and what is refused.

mod common;

use common::Folder;

/// A folder with a base of this type.
fn with_base(kind: &str) -> Folder {
    let folder = Folder::with_data();
    let out = folder.pretrain(&["--steps", "30", "-o", "base.gguf", "--type", kind]);
    assert!(out.success, "{}", out.text);
    let line = "{\"messages\": [{\"role\": \"user\", \"content\": \"Who sings?\"}, \
                {\"role\": \"assistant\", \"content\": \"The bird sees the fish.\"}]}\n";
    folder.write("new.jsonl", &line.repeat(8));
    folder
}

fn finetune(folder: &Folder, arguments: &[&str]) -> common::Outcome {
    let usual =
        ["finetune", "base.gguf", "new.jsonl", "-o", "adapter.gguf", "--batch", "100", "--lr", "1e-2"];
    folder.train(&[&usual[..], &["--warmup", "2"], arguments].concat(), false)
}

/// The loss that `eval` prints.
fn loss(folder: &Folder, arguments: &[&str]) -> f64 {
    let out = folder.train(&[&["eval"], arguments, &["--json"]].concat(), false);
    assert!(out.success, "{}", out.text);
    let value: serde_json::Value = serde_json::from_str(&out.text).unwrap();
    value["loss"].as_f64().unwrap()
}

fn learns_and_merges(kind: &str, tolerance: f64) {
    let folder = with_base(kind);
    let before = loss(&folder, &["base.gguf", "new.jsonl"]);
    let out = finetune(&folder, &["--steps", "25", "--rank", "4", "--alpha", "8"]);
    assert!(out.success, "{}", out.text);
    let adapted = loss(&folder, &["base.gguf", "new.jsonl", "--adapter", "adapter.gguf"]);
    assert!(adapted < 0.5 * before, "{kind}: {before} became {adapted}");
    let merge = ["merge", "base.gguf", "adapter.gguf", "-o", "merged.gguf", "--type", "F32"];
    assert!(folder.train(&merge, false).success);
    let merged = loss(&folder, &["merged.gguf", "new.jsonl"]);
    assert!((merged - adapted).abs() < 1e-4, "{kind}: {adapted} merged is {merged}");
    let same = ["merge", "base.gguf", "adapter.gguf", "-o", "same.gguf"];
    assert!(folder.train(&same, false).success);
    let same = loss(&folder, &["same.gguf", "new.jsonl"]);
    assert!((same - adapted).abs() < tolerance, "{kind}: {adapted} merged in its own type is {same}");
    folder.check_model("same.gguf");
}

#[test]
fn an_adapter_learns_over_a_plain_base() {
    learns_and_merges("F32", 1e-4);
}

#[test]
fn an_adapter_learns_over_a_quantised_base() {
    learns_and_merges("Q8_0", 0.1);
}

#[test]
fn a_resumed_adapter_has_the_same_bits() {
    let folder = with_base("Q8_0");
    let whole = ["--steps", "6", "--schedule", "constant", "--targets", "q,v"];
    assert!(finetune(&folder, &whole).success);
    let bytes = folder.bytes("adapter.gguf");
    assert!(finetune(&folder, &["--steps", "3", "--schedule", "constant", "--targets", "q,v"]).success);
    assert!(finetune(&folder, &[&whole[..], &["--resume", "adapter.ckpt"]].concat()).success);
    assert!(bytes == folder.bytes("adapter.gguf"), "other bits after resuming");
}

#[test]
fn an_adapter_for_another_base_is_refused() {
    let folder = with_base("F32");
    assert!(finetune(&folder, &["--steps", "1"]).success);
    assert!(folder.pretrain(&["--steps", "1", "-o", "other.gguf"]).success);
    let merge = ["merge", "other.gguf", "adapter.gguf", "-o", "x.gguf"];
    folder.train(&merge, false).fails_with(&["made for another base", "--any-base"]);
    let forced = [&merge[..], &["--any-base"]].concat();
    assert!(folder.train(&forced, false).success);
    folder.write("model.toml", "dim = 16\nlayers = 2\nheads = 2\nffn = 32\ncontext = 48\n");
    assert!(folder.pretrain(&["--steps", "1", "-o", "narrow.gguf"]).success);
    let narrow = ["merge", "narrow.gguf", "adapter.gguf", "-o", "x.gguf", "--any-base"];
    folder.train(&narrow, false).fails_with(&["adapter.gguf", "blk.0.attn_q.weight.lora_a", "another base"]);
    let swapped = ["merge", "adapter.gguf", "base.gguf", "-o", "x.gguf"];
    folder.train(&swapped, false).fails_with(&["adapter.gguf is not usable"]);
}

#[test]
fn wrong_arguments_say_what_to_do() {
    let folder = with_base("F32");
    finetune(&folder, &["--steps", "1", "--targets", "q,w"]).fails_with(&["target `w`", "gate, up, down"]);
    finetune(&folder, &["--steps", "1", "--rank", "0"]).fails_with(&["--rank must be"]);
    let over = ["merge", "base.gguf", "adapter.gguf", "-o", "base.gguf"];
    folder.train(&over, false).fails_with(&["overwrite the base"]);
    let bad = ["merge", "base.gguf", "adapter.gguf", "-o", "x.gguf", "--type", "Q9"];
    folder.train(&bad, false).fails_with(&["type `Q9` is not known", "Q4_K_M"]);
}

/// A full disk, for which Linux has a device.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_what_was_there() {
    let folder = with_base("F32");
    let before = folder.bytes("base.gguf");
    std::os::unix::fs::symlink("/dev/full", folder.path("base.gguf.partial")).unwrap();
    let out = folder.pretrain(&["--steps", "1", "-o", "base.gguf"]);
    out.fails_with(&["base.gguf", "what was there is unchanged", "No space left"]);
    assert_eq!(before, folder.bytes("base.gguf"));
}
