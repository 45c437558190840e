mod images;
mod signed;
mod world;

use crate::tests::images::{Disk, Model, models};
use crate::tests::world::{World, failed, sealed};
use ipc_protocol::storage::Outcome;
use ipc_protocol::supervisor_compute::Sealed;
use ipc_protocol::supervisor_loader::ToSupervisor;

fn listed(said: &[ToSupervisor]) -> Vec<(String, u64)> {
    let names = said.iter().filter_map(|message| match message {
        ToSupervisor::Model { name, bytes } => Some((name.text().to_owned(), *bytes)),
        _ => None,
    });
    names.collect()
}

#[test]
fn lists_the_models_of_both_folders_by_name() {
    let files = [
        ("zebra.gguf", Model::default().bytes()),
        ("models/Apple.GGUF", Model::default().bytes()),
        ("models/._Apple.GGUF", vec![1; 100]),
        ("models/readme.txt", vec![1; 100]),
        ("models/a rather long name with spaces, ünïcödé.gguf", Model::default().bytes()),
        ("docs/other.gguf", Model::default().bytes()),
    ];
    let mut world = World::new(Disk::with(&files));
    let said = world.list();
    let names: Vec<_> = listed(&said).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a rather long name with spaces, ünïcödé.gguf", "Apple.GGUF", "zebra.gguf"]);
    assert_eq!(said.last(), Some(&ToSupervisor::ListEnd { count: 3 }));
}

#[test]
fn a_long_list_waits_for_room_in_the_queue() {
    let files: Vec<_> = (0..50).map(|i| (format!("models/m{i:02}.gguf"), vec![0; 10])).collect();
    let files: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let mut world = World::new(Disk::with(&files));
    let said = world.list();
    assert_eq!((listed(&said).len(), said.last()), (50, Some(&ToSupervisor::ListEnd { count: 50 })));
}

#[test]
fn loads_a_model_whole_and_copies_its_header() {
    for (fat, name) in [(12, "12"), (16, "16"), (32, "32")] {
        let model = Model { tensors: 3, junk: 300_000, ..Model::default() };
        let file = model.bytes();
        let mut world = World::new(Disk::formatted(fat, &[("models/tiny.gguf", file.clone())]));
        let said = world.load("tiny", None);
        let (at, model_name, hash, kept) = sealed(&said);
        assert_eq!((at.offset, at.length, kept, name), (0, file.len() as u64, false, name));
        assert_eq!(model_name, "tiny.gguf");
        assert_eq!(world.weights(at), file);
        assert_eq!(*world.vocabulary(at.header), file[..at.header as usize]);
        assert_eq!(hash, world::sha256(&file));
    }
}

#[test]
fn progress_grows_to_the_end() {
    let file = Model { junk: 3_000_000, ..Model::default() }.bytes();
    let total = file.len() as u64;
    let mut world = World::new(Disk::with(&[("big.gguf", file)]));
    let said = world.load("", None);
    let progress: Vec<_> = said
        .iter()
        .filter_map(|message| match message {
            ToSupervisor::Progress { done, total } => Some((*done, *total)),
            _ => None,
        })
        .collect();
    assert!(progress.len() >= 5 && progress.is_sorted(), "{progress:?}");
    assert_eq!(progress.last(), Some(&(total, total)));
}

#[test]
fn names_are_found_in_any_case_with_or_without_folder_and_ending() {
    let mut world = World::new(models(&["b.gguf", "models/Größe.gguf"]));
    for (wanted, found) in [
        ("", "b.gguf"),
        ("B", "b.gguf"),
        ("größe", "Größe.gguf"),
        ("GRÖSSE.GGUF", ""),
        ("models/größe.gguf", "Größe.gguf"),
        ("/models/GRÖßE", "Größe.gguf"),
    ] {
        let said = world.load(wanted, None);
        match found {
            "" => assert_eq!(failed(&said).0, "no model GRÖSSE.GGUF; there are: b.gguf, Größe.gguf"),
            _ => assert_eq!(sealed(&said).1, found, "{wanted}"),
        }
    }
}

#[test]
fn a_second_model_goes_beside_the_first_where_it_fits() {
    let small = Model { junk: 100_000, ..Model::default() }.bytes();
    let large = Model { junk: 7 << 20, ..Model::default() }.bytes();
    let disk = Disk::with(&[("large.gguf", large.clone()), ("small.gguf", small.clone())]);
    let mut world = World::new(disk);
    let (first, ..) = sealed(&world.load("small", None));
    let (second, _, _, kept) = sealed(&world.load("small", Some(first)));
    assert_eq!((second.offset, kept), (2 << 20, true));
    assert_eq!(world.weights(first), small, "the old model is still whole");
    let (third, _, _, kept) = sealed(&world.load("large", Some(second)));
    assert_eq!((third.offset, kept), (0, false), "too large to fit beside it");
    assert_eq!(world.weights(third), large);
}

/// A load that must fail over the loaded model `keep` and leave it whole.
fn fails_gently(name: &str, file: Vec<u8>) -> String {
    let good = Model::default().bytes();
    let disk = Disk::with(&[("good.gguf", good.clone()), (&format!("{name}.gguf"), file)]);
    let mut world = World::new(disk);
    let (keep, ..) = sealed(&world.load("good", None));
    let before = world.whole_weights();
    let (why, kept) = failed(&world.load(name, Some(keep)));
    assert!(kept && world.whole_weights() == before, "{name}: nothing in the weights region has changed");
    let header = keep.header as usize;
    assert_eq!(*world.vocabulary(keep.header), good[..header], "{name}: the old header is back");
    why
}

#[test]
fn bad_files_fail_by_name_and_cost_nothing() {
    let whole = Model { junk: 100_000, ..Model::default() };
    let mut truncated = whole.bytes();
    truncated.truncate(50_000);
    let why = fails_gently("truncated", truncated);
    assert!(why.contains("the file has") || why.contains("but the file has 50000"), "{why}");
    assert!(why.contains("50000"), "{why}");
    let why = fails_gently("random", (0..60_000u32).map(|i| (i * 7 % 251) as u8).collect());
    assert_eq!(why, "random.gguf: not a GGUF file (it does not start with \"GGUF\"): give a .gguf model");
    assert!(fails_gently("empty", Vec::new()).contains("empty.gguf"));
    assert!(fails_gently("short", b"GGUF".to_vec()).contains("ends inside"));
    let why = fails_gently("odd", Model { architecture: "mamba", ..Model::default() }.bytes());
    assert!(why.contains("mamba") && why.contains("llama"), "{why}");
    let why = fails_gently("embed", Model { architecture: "bert", ..Model::default() }.bytes());
    assert!(why.contains("embed.gguf"), "{why}");
    let why = fails_gently("bare", Model { tensors: 0, ..Model::default() }.bytes());
    assert_eq!(why, "bare.gguf has no tensors: it is not a complete model file");
    let why = fails_gently("huge", Model { junk: 9 << 20, ..Model::default() }.bytes());
    assert!(why.starts_with("huge.gguf has 10 MiB") && why.contains("the weights region 8 MiB"), "{why}");
    let why = fails_gently("wordy", Model { words: 200_000, ..Model::default() }.bytes());
    assert!(why.contains("vocabulary region has 1048576"), "{why}");
    let mut counts = whole.bytes();
    counts[8..16].fill(0xff);
    assert!(fails_gently("counts", counts).contains("damaged"));
}

#[test]
fn a_long_header_is_read_in_growing_pieces() {
    let file = Model { words: 40_000, ..Model::default() }.bytes();
    let mut world = World::new(Disk::with(&[("wordy.gguf", file.clone())]));
    let (at, ..) = sealed(&world.load("", None));
    assert!(at.header > 600_000);
    assert_eq!(*world.vocabulary(at.header), file[..at.header as usize]);
    assert_eq!(world.weights(at), file);
}

#[test]
fn without_disk_partition_or_model_it_says_what_to_do() {
    let mut world = World::new(Disk::none());
    assert_eq!(
        failed(&world.load("", None)).0,
        "there is no disk: start with --model FILE.gguf, which makes one"
    );
    assert_eq!(world.list(), [ToSupervisor::ListEnd { count: 0 }]);
    let why = failed(&World::new(Disk::without_partition()).load("", None)).0;
    assert!(why.starts_with("the disk has no partition CLOISTER"), "{why}");
    let why = failed(&World::new(Disk::with(&[("readme.txt", vec![1])])).load("x", None)).0;
    let advice = "put a .gguf into /models on the partition CLOISTER, or start with --model FILE.gguf";
    assert_eq!(why, format!("no model on the disk: {advice}"));
    let why = failed(&World::new(Disk::raw(vec![0x5a; 1 << 20])).load("", None)).0;
    assert_eq!(why, "partition CLOISTER has no FAT file system: format it as FAT32");
    let mut exfat = vec![0; 1 << 20];
    exfat[3..11].copy_from_slice(b"EXFAT   ");
    let why = failed(&World::new(Disk::raw(exfat)).load("", None)).0;
    assert_eq!(why, "partition CLOISTER is formatted as exFAT: format it as FAT32");
}

#[test]
fn a_read_error_before_the_weights_keeps_the_old_model_and_one_among_them_does_not() {
    let file = Model { junk: 7 << 20, ..Model::default() }.bytes();
    let mut world = World::new(Disk::with(&[("m.gguf", file)]));
    let (keep, ..) = sealed(&world.load("", None));
    world.storage.fail_after(1, Outcome::DeviceError);
    let (why, kept) = failed(&world.load("", Some(keep)));
    assert!(kept && why.starts_with("the disk cannot read (sector "), "{why}");
    world.storage.fail_after(40, Outcome::DeviceError);
    assert!(!failed(&world.load("", Some(keep))).1);
    world.storage.fail_after(40, Outcome::NoDevice);
    let (why, _) = failed(&world.load("", Some(keep)));
    assert!(why.starts_with("the disk is gone"), "{why}");
    assert_eq!(sealed(&world.load("", None)).0.length, keep.length, "and the next load works");
}

#[test]
fn a_restart_of_storage_at_any_time_only_costs_time() {
    let file = Model { junk: 2_000_000, ..Model::default() }.bytes();
    for after in 0..24 {
        let mut world = World::new(Disk::with(&[("m.gguf", file.clone())]));
        world.storage.restart_after(after);
        let (at, ..) = sealed(&world.load("m", None));
        assert_eq!(world.weights(at), file, "restart after {after} reads");
        assert_eq!(world.storage.restarts(), 1);
    }
}

#[test]
fn another_disk_after_a_restart_ends_the_load() {
    let file = Model { junk: 2_000_000, ..Model::default() }.bytes();
    let mut world = World::new(Disk::with(&[("m.gguf", file)]));
    world.storage.swap_disk_after(12, Disk::with(&[("other.gguf", vec![0; 6 << 20])]));
    let (why, _) = failed(&world.load("m", None));
    assert_eq!(why, "the disk changed while the model was read: load it again");
}

#[test]
fn a_storage_that_never_answers_does_not_hang_the_load() {
    let mut world = World::new(models(&["m.gguf"]));
    let (keep, ..) = sealed(&world.load("", None));
    world.storage.silent(true);
    let (why, kept) = failed(&world.load("", Some(keep)));
    assert_eq!((why.as_str(), kept), ("the disk does not answer: load again, or restart storage", true));
    assert_eq!(world.list(), [ToSupervisor::ListEnd { count: 0 }]);
    world.storage.silent(false);
    assert_eq!(sealed(&world.load("", None)).1, "m.gguf");
}

#[test]
fn a_storage_that_breaks_the_protocol_is_not_believed() {
    let mut world = World::new(models(&["m.gguf"]));
    world.storage.junk_after(2);
    let (why, _) = failed(&world.load("", None));
    assert_eq!(why, "storage broke the protocol: restart it");
}

#[test]
fn a_new_supervisor_finds_an_idle_loader() {
    let file = Model { junk: 2_000_000, ..Model::default() }.bytes();
    let mut world = World::new(Disk::with(&[("m.gguf", file.clone())]));
    world.begin("m", None);
    world.turns(6);
    world.restart_supervisor();
    let (at, ..) = sealed(&world.load("m", None));
    assert_eq!(world.weights(at), file);
}

#[test]
fn a_claimed_old_model_outside_of_the_region_is_not_touched() {
    let mut world = World::new(models(&["m.gguf"]));
    let keep = Sealed { generation: 3, offset: u64::MAX - 5, length: 10, header: u64::MAX };
    assert!(!sealed(&world.load("", Some(keep))).3);
    assert!(!failed(&world.load("nobody", Some(keep))).1);
}

#[test]
fn damaged_volumes_are_named_and_never_loop() {
    let file = Model { junk: 60_000, ..Model::default() }.bytes();
    let mut disk = Disk::formatted(16, &[("m.gguf", file)]);
    disk.chain_in_circles();
    let why = failed(&World::new(disk).load("m", None)).0;
    assert!(why.starts_with("m.gguf is damaged: its chain"), "{why}");
}
