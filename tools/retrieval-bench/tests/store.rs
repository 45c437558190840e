// SPDX-License-Identifier: MIT
//! `cloister-store` on a real disk image, and the store as the device opens it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use retrieval::embed::HashEmbedder;
use retrieval::index::{Filter, PortableDots};
use retrieval::memory::{Config, Memory, Mode, Query};
use retrieval::store::Options;
use tools_disk::Sizes;
use tools_retrieval_bench::store::FileDisk;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("docs/deep")).expect("a folder");
    folder
}

/// Runs the program; whether it succeeded, and what it said.
fn store(image: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cloister-store")).arg(image).args(arguments).output();
    let output = output.expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn says(image: &Path, arguments: &[&str], parts: &[&str]) {
    let (ok, said) = store(image, arguments);
    assert!(ok && parts.iter().all(|part| said.contains(part)), "{arguments:?}: {said}");
}

fn disk(folder: &Path, data: u64) -> PathBuf {
    let image = folder.join("disk.img");
    tools_disk::create(&image, Sizes { files: 40 << 20, data }, &[], &mut |_, _| ()).expect("a disk");
    image
}

/// As the retriever of a small image opens it.
fn on_the_device(image: &Path) -> Memory<FileDisk> {
    let options = Options { max_frame_sectors: 64, max_records: 20_000, ..Options::default() };
    let config = Config { store: options, max_passages: 5_000, exact: false, ..Config::default() };
    Memory::open(FileDisk::open(image).expect("there"), config, &HashEmbedder).expect("the device opens it")
}

#[test]
fn a_folder_is_taken_in_once_and_found_by_the_device() {
    let folder = folder("store-folder");
    let (image, docs) = (disk(&folder, 1 << 20), folder.join("docs"));
    let docs = docs.to_str().expect("UTF-8");
    fs::write(folder.join("docs/kite.md"), "# Kite\n\nA kite needs wind.\n").expect("written");
    fs::write(folder.join("docs/deep/lamp.txt"), "Marta lights the lamp.").expect("written");
    fs::write(folder.join("docs/picture.png"), [0, 1, 2]).expect("written");
    fs::write(folder.join("docs/binary.txt"), [0, 1, 2]).expect("written");
    let first =
        ["host/docs/kite.md: 1 passages", "host/docs/binary.txt: passed over: not a text file", "2 sources"];
    says(&image, &["add", docs], &first);
    says(&image, &["add", docs], &["host/docs/deep/lamp.txt: unchanged"]);
    says(&image, &["find", "who lights the lamp"], &["host/docs/deep/lamp.txt", "Marta"]);
    let mut memory = on_the_device(&image);
    let query = Query { text: "wind", limit: 1, mode: Mode::Hybrid, filter: Filter::default() };
    let found = memory.search(&query, &mut HashEmbedder, &PortableDots).expect("searched").passages;
    assert_eq!((found[0].path.as_str(), found[0].heading.as_str()), ("host/docs/kite.md", "Kite"));
    // The device adds to the same store.
    memory.add_note("The bicycle is green.", 7, &mut HashEmbedder).expect("added");
    drop(memory);
    fs::remove_file(folder.join("docs/kite.md")).expect("removed");
    says(&image, &["add", docs], &["host/docs/kite.md: removed, its file is gone", "2 sources"]);
    says(&image, &["list"], &["host/docs/deep/lamp.txt", "note "]);
    says(&image, &["remove", "host/docs/deep/lamp.txt"], &["is forgotten (1 passages)"]);
}

#[test]
fn what_cannot_be_done_is_one_line() {
    let folder = folder("store-errors");
    let image = disk(&folder, 1 << 20);
    let docs = folder.join("docs");
    let refused = |image: &Path, arguments: &[&str], part: &str| {
        let (ok, said) = store(image, arguments);
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(!ok && errors.len() == 1 && errors[0].contains(part), "{arguments:?}: {said}");
    };
    refused(&folder.join("none.img"), &["list"], "none.img");
    refused(&image, &["add", "/nowhere/at/all"], "/nowhere/at/all");
    refused(&image, &["remove", "17"], "there is no source 17");
    refused(&image, &["--model", "/dev/null", "list"], "/dev/null: the file ends inside the magic number");
    fs::write(docs.join("large.txt"), "The hive hums in the garden, and so on.\n\n".repeat(60_000))
        .expect("written");
    refused(&image, &["add", docs.to_str().expect("UTF-8")], "host/docs/large.txt: the store is full: ");
    // What was stored before is there, and can be removed.
    says(&image, &["remove", "host/docs/large.txt"], &["is forgotten"]);
    let mut damaged = fs::read(&image).expect("read");
    let data = tools_disk::layout(&image).expect("a disk").data as usize;
    damaged[data..data + 40_000].fill(0xA5);
    fs::write(&image, damaged).expect("written");
    refused(&image, &["list"], "no valid superblock");
}
