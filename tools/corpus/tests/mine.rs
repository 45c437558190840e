//! `cloister-corpus mine` on a tree as it may lie on a disk: good files, and all sorts of bad ones.

use std::path::Path;
use std::process::Command;

/// A function of `lines` lines.
fn function(name: &str, lines: usize) -> String {
    let body: String =
        (0..lines.saturating_sub(3)).map(|line| format!("    x += {line} * {};\n", name.len())).collect();
    format!("/* Does {name}. */\nint {name}(int x)\n{{\n{body}}}\n")
}

fn mine(tree: &Path, output: &Path, more: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloister-corpus"));
    let run = command.arg("mine").arg(tree).arg("-o").arg(output).args(more).output().unwrap();
    let text = [run.stdout, run.stderr].concat();
    (run.status.success(), String::from_utf8(text).unwrap())
}

/// Whether universal-ctags is there; where continuous integration runs, it must be.
fn has_ctags() -> bool {
    let output = Command::new("ctags").arg("--list-features").output();
    let has = output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("json"));
    assert!(has || std::env::var_os("CI").is_none(), "universal-ctags is missing");
    if !has {
        eprintln!("skipped: no universal-ctags");
    }
    has
}

fn write(tree: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = tree.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn long_functions_are_kept_once_with_licence_and_comment() {
    if !has_ctags() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (tree, output) = (folder.path().join("tree"), folder.path().join("out"));
    let licence = "/* SPDX-License-Identifier: MIT\n * Copyright 2020 A. Person */\n";
    write(
        &tree,
        "src/good.c",
        format!("{licence}\n{}\n{}", function("long_one", 14), function("little", 10)),
    );
    write(&tree, "copy.c", function("long_one", 14).replace("    ", "\t"));
    write(&tree, "other.py", format!("def count(n):\n{}    return n\n", "    n += 1\n".repeat(12)));
    let (success, text) = mine(&tree, &output, &[]);
    assert!(success, "{text}");
    for part in
        ["2 functions of 2 files", "files read: 3", "functions seen before: 1", "functions too short: 1"]
    {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    let lines = std::fs::read_to_string(output.join("functions.jsonl")).unwrap();
    let pairs: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let prompts: Vec<&str> = pairs.iter().map(|pair| pair["prompt"].as_str().unwrap()).collect();
    assert!(prompts.iter().any(|prompt| prompt.contains("Does long_one.") && prompt.ends_with('{')));
    assert!(pairs.iter().all(|pair| pair["completion"].as_str().is_some_and(|text| !text.is_empty())));
    assert_eq!(std::fs::read_dir(output.join("documents")).unwrap().count(), 2);
}

#[test]
fn what_is_broken_is_counted_and_passed_over() {
    if !has_ctags() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (tree, output) = (folder.path().join("tree"), folder.path().join("out"));
    write(&tree, "good.c", function("good", 20));
    write(&tree, "binary.c", [function("hidden", 20).as_bytes(), &[0, 1, 2]].concat());
    write(&tree, "latin.c", [b"/* Gr\xfc\xdfe */\n", function("latin", 20).as_bytes()].concat());
    write(&tree, "broken.c", "int broken(int x)\n{\n  if (x) {\n");
    write(&tree, "huge.c", function("huge", 20) + &"/* much */\n".repeat(20_000));
    write(&tree, ".git/hidden.c", function("dot", 20));
    write(&tree, "empty.c", "");
    std::os::unix::fs::symlink("..", tree.join("circle")).unwrap();
    std::os::unix::fs::symlink("nowhere", tree.join("dangling.c")).unwrap();
    let (success, text) = mine(&tree, &output, &["--largest", "100"]);
    assert!(success, "{text}");
    for part in ["2 functions of 2 files", "binary files: 1", "files too large: 1", "links not followed: 2"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[test]
fn a_tree_without_functions_is_an_error_with_a_hint() {
    if !has_ctags() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "tree/notes.txt", "nothing here");
    let (success, text) = mine(&folder.path().join("tree"), &folder.path().join("out"), &[]);
    assert!(!success && text.contains("is it a folder with sources?"), "{text}");
    let (success, text) = mine(&folder.path().join("none"), &folder.path().join("out"), &[]);
    assert!(!success && text.contains("is no folder"), "{text}");
}
