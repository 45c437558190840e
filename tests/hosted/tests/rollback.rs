//! Signed models and power cycles: an older version than one that was in use is refused by name after the next start,
//! whatever dies on the way; and what the account cannot do against whoever has the disk.

#[expect(dead_code, reason = "these tests do without some of it")]
mod common;

use common::{Bench, SECOND, named};
use inference_manifest::{Draft, SigningKey};
use ipc_protocol::session_supervisor::{ToSession, ToSupervisor};
use ipc_protocol::signing::{Identity, ModelPolicy, REGION, Signer, TrustedKey};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tests_fixtures::shared;
use tests_hosted::parts::disk::Disk;
use tests_hosted::parts::real;
use tests_hosted::{System, description, for_each_seed};
use tools_disk::{Addition, Sizes};

const MODEL: &str = "stories260K-q8_0.gguf";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// An image with this model as `NAME.gguf` for each name and version, signed as `story`; and where its partition of
/// versions lies.
fn image(shared: &Path, models: &[(&str, u64)]) -> (Vec<u8>, std::ops::Range<usize>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "rollback-{}-{}",
        std::process::id(),
        models.len()
    ));
    std::fs::create_dir_all(&folder).expect("a folder for the disk image");
    let model = std::fs::read(shared.join("models/stories").join(MODEL)).expect("the model");
    let mut additions = Vec::new();
    for (name, version) in models {
        let mut draft = Draft::new("story", *version, model.len() as u64).expect("a name and a length");
        draft.update(&model);
        let sig = draft.sign(&key()).expect("a manifest");
        for (suffix, bytes) in [("gguf", &model), ("gguf.sig", &sig)] {
            let path = folder.join(format!("{name}.{suffix}"));
            std::fs::write(&path, bytes).expect("room for a file");
            additions.push(Addition::model(path));
        }
    }
    let path = folder.join("disk.img");
    tools_disk::create(&path, Sizes { files: 40 << 20, data: 1 << 20 }, &additions, &mut |_, _| ())
        .expect("a disk image");
    let layout = tools_disk::layout(&path).expect("the layout");
    let image = std::fs::read(&path).expect("the disk image");
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    (image, layout.versions as usize..(layout.versions + layout.versions_size) as usize)
}

/// A disk with versions 2 and 1 of a model, and one with version 1 alone.
struct Disks {
    both: Vec<u8>,
    old: Vec<u8>,
    account: std::ops::Range<usize>,
}

fn disks() -> Option<&'static Disks> {
    static DISKS: OnceLock<Option<Disks>> = OnceLock::new();
    let make = || {
        let shared = shared("models/stories")?;
        let (both, account) = image(&shared, &[("a-new", 2), ("old", 1)]);
        let (old, place) = image(&shared, &[("old", 1)]);
        assert_eq!(account, place, "both disks have the same layout");
        Some(Disks { both, old, account })
    };
    DISKS.get_or_init(make).as_ref()
}

impl Disks {
    /// The disk with the old model alone, but with the account of another one.
    fn turned_back(&self, before: &[u8]) -> Vec<u8> {
        let mut disk = self.old.clone();
        disk[self.account.clone()].copy_from_slice(&before[self.account.clone()]);
        disk
    }
}

/// A system over this disk, which takes models of the key only.
fn boot(seed: u64, image: &[u8]) -> (Bench, Arc<Disk>) {
    let system = System::new(description(1, &[]), seed);
    let vendor = TrustedKey { name: Signer::new(b"vendor"), key: key().verifying_key().to_bytes() };
    let keys = [vendor].into_iter().collect();
    let mut page = vec![0; REGION];
    ModelPolicy { require_signed: true, keys, ..ModelPolicy::default() }.encode(&mut page).expect("a page");
    system.fill("model_policy", &page);
    let disk = Arc::new(Disk::new(image, seed));
    let mut system = system;
    system.attach("storage", 31, disk.clone());
    system.start("loader", real::loader());
    system.start("storage", real::storage(Some(disk.clone())));
    (Bench::over(system), disk)
}

/// A system that runs version 2.
fn booted(seed: u64, image: &[u8]) -> (Bench, Arc<Disk>) {
    let (mut bench, disk) = boot(seed, image);
    assert!(bench.until(60 * SECOND, Bench::has_model), "no model\n{}", bench.system.recent());
    (bench, disk)
}

/// What is said of the old model: it is never taken.
fn refusal(bench: &mut Bench) -> String {
    let why = |message: &ToSession| match message {
        ToSession::LoadFailed { why, .. } | ToSession::NoModel { why } => Some(why.text().to_owned()),
        ToSession::Ready { signed, .. } => {
            let version = signed.as_ref().map_or(0, |signed| signed.version);
            assert!(version != 1, "the old model is in use");
            None
        }
        _ => None,
    };
    let told = |bench: &Bench| bench.session.has(|message| why(message).is_some_and(|why| !why.is_empty()));
    assert!(bench.until(120 * SECOND, told), "nothing was said\n{}", bench.system.recent());
    bench.session.take().iter().rev().find_map(why).unwrap_or_default()
}

const REFUSED: &str = "old.gguf is version 1 of story, older than 2: rollback is refused";

#[test]
fn an_older_version_is_refused_after_a_power_cycle() {
    let Some(disks) = disks() else { return };
    for_each_seed(4, |seed| {
        let (mut bench, disk) = booted(seed, &disks.both);
        bench.run(SECOND);
        drop(bench);
        let (mut bench, _) = booted(seed + 1, &disk.cut());
        bench.session.take();
        bench.ask(ToSupervisor::Load { name: named("old") });
        assert_eq!(refusal(&mut bench), REFUSED);
        let (mut bench, _) = boot(seed + 2, &disks.turned_back(&disk.cut()));
        assert_eq!(refusal(&mut bench), REFUSED, "and where only the older model is left");
    });
}

#[test]
fn deaths_of_supervisor_and_storage_do_not_lose_the_account() {
    let Some(disks) = disks() else { return };
    for_each_seed(6, |seed| {
        let (mut bench, disk) = booted(seed, &disks.both);
        for _ in 0..4 {
            let pause = bench.system.below(20_000);
            bench.until(pause, |_| false);
            let name = ["storage", "supervisor"][bench.system.below(2) as usize];
            bench.system.fault(name);
            bench.guarded_until(2 * SECOND, |_| false);
        }
        bench.guarded_until(60 * SECOND, |bench| bench.session.has(|m| matches!(m, ToSession::Ready { .. })));
        bench.guarded_until(2 * SECOND, |_| false);
        drop(bench);
        let (mut bench, _) = boot(seed + 1, &disks.turned_back(&disk.cut()));
        assert_eq!(refusal(&mut bench), REFUSED);
    });
}

/// The power may go while the account is written: then the record before it counts.
#[test]
fn a_power_cut_at_any_moment_never_makes_the_account_unreadable() {
    let Some(disks) = disks() else { return };
    for_each_seed(6, |seed| {
        let (mut bench, disk) = boot(seed, &disks.both);
        let moment = bench.system.below(400_000);
        bench.until(moment, |_| false);
        let used = bench.has_model();
        drop(bench);
        let (mut bench, again) = booted(seed + 1, &disk.cut());
        assert!(!bench.said("is damaged"), "seed {seed}, in use: {used}");
        bench.run(SECOND);
        drop(bench);
        let (mut bench, _) = boot(seed + 2, &disks.turned_back(&again.cut()));
        assert_eq!(refusal(&mut bench), REFUSED);
    });
}

#[test]
fn an_account_damaged_by_accident_begins_anew_and_says_so() {
    let Some(disks) = disks() else { return };
    let mut damaged = disks.both.clone();
    damaged[disks.account.start + 20] = 7;
    let (mut bench, disk) = booted(1, &damaged);
    assert!(bench.until(SECOND, |bench| bench.said("the account of model versions on the disk is damaged")));
    bench.run(SECOND);
    drop(bench);
    let (mut bench, _) = boot(2, &disks.turned_back(&disk.cut()));
    assert_eq!(refusal(&mut bench), REFUSED, "the record is written again");
}

/// What the account does not promise: whoever can write the whole disk turns it back with everything else.
#[test]
fn whoever_writes_the_whole_disk_can_turn_the_account_back() {
    let Some(disks) = disks() else { return };
    let (mut bench, disk) = booted(3, &disks.both);
    bench.run(SECOND);
    drop(bench);
    assert!(disk.cut()[disks.account.clone()].iter().any(|byte| *byte != 0), "there was an account");
    let (bench, _) = booted(4, &disks.old);
    let old = |message: &ToSession| match message {
        ToSession::Ready { signed: Some(signed), .. } => {
            signed.version == 1 && signed.identity == Identity::new(b"story")
        }
        _ => false,
    };
    assert!(bench.session.has(old));
}
