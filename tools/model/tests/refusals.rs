// SPDX-License-Identifier: MIT
//! Inputs and outputs that are not what `cloister-model` needs: a message that says so, never a panic.
#[path = "../../../inference/tokenizer/tests/common/mod.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn model() -> Option<PathBuf> {
    Some(common::shared("models")?.join("models/stories/stories260K-f32.gguf"))
}

fn command(arguments: &[&str], file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloister-model"));
    command.arg(arguments[0]).arg(file).args(&arguments[1..]).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The message of a command that must fail.
fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    error
}

#[test]
fn what_cannot_be_measured_or_computed_is_said_first() {
    let Some(file) = model() else { return };
    let name = format!("refusals-{}-not-utf-8.txt", std::process::id());
    let bytes = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&bytes, b"abc \xff").unwrap();
    let bytes = bytes.to_str().unwrap();
    for (arguments, message) in [
        (&["bench", "-p", "0", "-n", "0"][..], "nothing to measure: give --prompt or --generate at least 1"),
        (&["bench", "-p", "100000"], "the model's context is 512: use fewer tokens"),
        (
            &["logits", "--prompt", "x", "--steps", "600"],
            "do not fit into the model's context of 512: use fewer",
        ),
        (&["perplexity", "--text", bytes], "is not UTF-8 at byte 4: convert it first"),
        (
            &["perplexity", "--text", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "-c", "4"],
            "at least 8 tokens",
        ),
        (&["quantize", "./", "Q8_0"], "cannot write ./: Is a directory: name a file in it"),
        (&["embed", "--text", "x"], "give one of architecture bert"),
    ] {
        let error = refused(command(arguments, &file));
        assert!(error.starts_with("error: ") && error.contains(message), "{arguments:?}: {error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_without_room_is_an_error_and_a_closed_one_is_none() {
    let Some(file) = model() else { return };
    for arguments in
        [&["inspect", "--tensors"][..], &["tokenize"], &["logits", "--prompt", "x", "--steps", "2"]]
    {
        let mut full = command(arguments, &file);
        full.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
        let error = refused(full);
        assert!(error.starts_with("error: cannot write standard output"), "{error}");
        let mut child = command(arguments, &file).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn a_device_without_an_end_is_no_model() {
    let error = refused(command(&["inspect"], Path::new("/dev/zero")));
    assert_eq!(error, "error: cannot read /dev/zero: it is a device, not a file\n");
}
