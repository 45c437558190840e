//! Files by name: what is in the two folders, and nothing else.

use super::*;
use ipc_protocol::storage::{Folder, Path};
use std::string::String;
use std::sync::OnceLock;
use std::vec::Vec;
use tools_disk::{Addition, Sizes};

const LONG: usize = 70_000;

/// A disk with documents, a model of each kind, and a document in a folder.
fn files() -> Vec<u8> {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    IMAGE.get_or_init(make).clone()
}

fn make() -> Vec<u8> {
    let folder = std::env::temp_dir().join(std::format!("cloister-storage-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, bytes: &[u8], to: &str| {
        std::fs::write(folder.join(name), bytes).unwrap();
        Addition { source: folder.join(name), folder: to.into() }
    };
    let long: Vec<u8> = (0..LONG).map(|i| (i / 7) as u8).collect();
    let additions = [
        file("a.txt", b"a document", "docs"),
        file("A rather long name.md", &long, "docs"),
        file("b.txt", b"below", "docs/folder"),
        file("secret.gguf", b"weights", "models"),
        file("mini.gguf", b"embedding", "system"),
    ];
    let path = folder.join("disk.img");
    let sizes = Sizes { files: 40 << 20, data: 1 << 20 };
    tools_disk::create(&path, sizes, &additions, &mut |_, _| ()).unwrap();
    let image = std::fs::read(&path).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    image
}

fn path(text: &str) -> Path {
    Path::new(text.as_bytes())
}

fn names(system: &mut System, below: &str) -> Vec<String> {
    let open = ToStorage::OpenFolder { id: 1, folder: Folder::Documents, path: path(below) };
    assert_eq!(system.ask_retriever(open), done(1, Outcome::Ok));
    let mut names = Vec::new();
    loop {
        match &system.ask_retriever(ToStorage::NextEntry { id: 2 })[..] {
            [ToClient::Entry { name, folder, size, .. }] => {
                names.push(std::format!("{} {folder} {size}", name.text()));
            }
            [ToClient::Done { id: 2, outcome: Outcome::End }] => return names,
            other => panic!("{other:?}"),
        }
    }
}

fn contents(system: &mut System, folder: Folder, name: &str) -> Vec<u8> {
    let open = ToStorage::OpenFile { id: 3, folder, path: path(name) };
    let [ToClient::Entry { size, .. }] = system.ask_retriever(open)[..] else {
        panic!("{name} is not there")
    };
    let (mut bytes, sectors) = (Vec::new(), (DATA / SECTOR) as u32);
    while bytes.len() < size as usize {
        let read = system.ask_retriever(ToStorage::ReadFile { id: 4, count: sectors, offset: 0 });
        let [ToClient::Bytes { id: 4, count }] = read[..] else { panic!("{read:?}") };
        let mut part = std::vec![0; count as usize];
        system.retriever.data.copy_out(0, &mut part);
        bytes.extend(part);
    }
    assert_eq!(
        system.ask_retriever(ToStorage::ReadFile { id: 5, count: 1, offset: 0 }),
        done(5, Outcome::End)
    );
    bytes
}

#[test]
fn folders_are_listed_and_files_read_whole() {
    let mut system = System::new(files());
    system.settle();
    assert_eq!(
        names(&mut system, ""),
        ["a.txt false 10", "A rather long name.md false 70000", "folder true 0"]
    );
    assert_eq!(names(&mut system, "FOLDER"), ["b.txt false 5"]);
    assert_eq!(contents(&mut system, Folder::Documents, "a.txt"), b"a document");
    assert_eq!(contents(&mut system, Folder::Documents, "folder/b.txt"), b"below");
    assert_eq!(contents(&mut system, Folder::System, "mini.gguf"), b"embedding");
    let long = contents(&mut system, Folder::Documents, "a RATHER long name.MD");
    assert!(long.len() == LONG && long.iter().enumerate().all(|(i, byte)| *byte == (i / 7) as u8));
}

#[test]
fn no_path_leads_out_of_the_folders() {
    let mut system = System::new(files());
    system.settle();
    for name in [
        "../models/secret.gguf",
        "folder/../../models/secret.gguf",
        "models/secret.gguf",
        "/",
        "",
        "a.txt/x",
        ".",
    ] {
        let open = ToStorage::OpenFile { id: 1, folder: Folder::Documents, path: path(name) };
        assert_eq!(system.ask_retriever(open), done(1, Outcome::NotFound), "{name}");
    }
    let open = ToStorage::OpenFolder { id: 1, folder: Folder::System, path: path("../models") };
    assert_eq!(system.ask_retriever(open), done(1, Outcome::NotFound));
    let open = ToStorage::OpenFile { id: 2, folder: Folder::Documents, path: path("a.txt") };
    assert_eq!(system.ask(open), done(2, Outcome::Refused), "the loader has sectors, not files");
}

#[test]
fn reads_stay_in_the_clients_region_and_need_an_open_file() {
    let mut system = System::new(files());
    system.settle();
    let read = |count, offset| ToStorage::ReadFile { id: 1, count, offset };
    assert_eq!(system.ask_retriever(read(1, 0)), done(1, Outcome::NotFound));
    for (count, offset) in [(0, 0), (1, DATA as u32), (u32::MAX, 0), (1, 100), (1, u32::MAX - 511)] {
        assert_eq!(system.ask_retriever(read(count, offset)), done(1, Outcome::Refused));
    }
    assert_eq!(system.ask_retriever(ToStorage::NextEntry { id: 2 }), done(2, Outcome::NotFound));
}

#[test]
fn a_restarted_client_waits_for_the_old_ones_read_and_a_reset_device_ends_it() {
    let mut system = System::new(files());
    system.settle();
    let open = ToStorage::OpenFile { id: 1, folder: Folder::Documents, path: path("a.txt") };
    assert_eq!(system.ask_retriever(open.clone()).len(), 1);
    system.with(|system| system.retriever.say(ToStorage::ReadFile { id: 2, count: 1, offset: 0 }));
    while system.disk.state().pending.is_empty() {
        system.signal(RETRIEVER);
    }
    system.with(|system| {
        system.retriever.restart(RETRIEVER);
        system.retriever.link.poll();
    });
    system.signal(RETRIEVER);
    system.with(|system| {
        system.retriever.link.poll();
        system.retriever.say(ToStorage::NextEntry { id: 9 });
    });
    system.signal(RETRIEVER);
    assert_eq!(system.disk.state().pending.len(), 1, "the new life waits");
    system.settle();
    assert_eq!(system.with(|system| system.retriever.hear()), done(9, Outcome::NotFound));
    assert_eq!(system.ask_retriever(open).len(), 1);
    system.disk.state().gone = true;
    system.with(|system| system.retriever.say(ToStorage::ReadFile { id: 3, count: 1, offset: 0 }));
    system.signal(RETRIEVER);
    system.wait_in_vain();
    let heard = system.with(|system| system.retriever.hear());
    assert_eq!(heard, done(3, Outcome::DeviceError));
}

#[test]
fn a_damaged_file_system_is_an_answer() {
    let good = files();
    for seed in 0..40_u64 {
        let mut image = good.clone();
        let mut place = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        for _ in 0..200 {
            place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // The boot sector, the FATs, the folders: all within the first megabytes of the partition.
            let at = (1 << 20) + (place >> 20) as usize % (3 << 20);
            image[at] = (place >> 56) as u8;
        }
        let mut system = System::new(image);
        system.settle();
        for _ in 0..6 {
            let open =
                ToStorage::OpenFile { id: 1, folder: Folder::Documents, path: path("a rather long name.md") };
            assert_eq!(system.ask_retriever(open).len(), 1, "seed {seed}");
            for _ in 0..4 {
                let read = ToStorage::ReadFile { id: 2, count: 64, offset: 0 };
                assert_eq!(system.ask_retriever(read).len(), 1, "seed {seed}");
            }
        }
    }
}
