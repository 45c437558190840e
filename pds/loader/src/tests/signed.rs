//! Signed models: what is accepted is what was signed, and everything else is refused by name and costs nothing.

use super::images::{Disk, Model};
use super::world::{World, failed, sealed};
use inference_manifest::{Draft, SigningKey};
use ipc_protocol::signing::{Identity, Minimum, ModelPolicy, Signed, Signer, TrustedKey};
use ipc_protocol::supervisor_compute::Sealed;
use ipc_protocol::supervisor_loader::{Newest, ToSupervisor};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const CHUNK: usize = 64 << 10;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn model(junk: usize) -> Vec<u8> {
    Model { junk, ..Model::default() }.bytes()
}

fn manifest(identity: &str, version: u64, model: &[u8], seed: u8) -> Vec<u8> {
    let mut draft = Draft::new(identity, version, model.len() as u64).unwrap();
    draft.update(model);
    draft.sign(&key(seed)).unwrap()
}

/// Key 1 is trusted.
fn policy(require_signed: bool, minimums: &[(&str, u64)]) -> Vec<u8> {
    let vendor = TrustedKey { name: Signer::new(b"vendor"), key: key(1).verifying_key().to_bytes() };
    let minimum = |(name, version): &(&str, u64)| Minimum {
        identity: Identity::new(name.as_bytes()),
        version: *version,
    };
    let (keys, minimums) = ([vendor].into_iter().collect(), minimums.iter().map(minimum).collect());
    let mut page = vec![0; ipc_protocol::signing::REGION];
    ModelPolicy { require_signed, keys, minimums }.encode(&mut page).unwrap();
    page
}

fn signer(said: &[ToSupervisor]) -> Option<Signed> {
    match said.last() {
        Some(ToSupervisor::Sealed { signed, .. }) => signed.clone(),
        other => panic!("no model was sealed: {other:?}"),
    }
}

/// A system that runs the good model of key 1, beside which `files` lie on the disk.
fn running(files: &[(&str, Vec<u8>)]) -> (World, Sealed) {
    let good = model(300_000);
    let sig = manifest("good", 2, &good, 1);
    let mut all = vec![("models/good.gguf", good), ("models/good.gguf.sig", sig)];
    all.extend_from_slice(files);
    let mut world = World::with_policy(Disk::with(&all), &policy(true, &[("floor", 7)]));
    let (keep, ..) = sealed(&world.load("good", None));
    (world, keep)
}

/// The reason why `bad.gguf` with this manifest is refused; the running model is untouched by it.
fn refused(bad: Vec<u8>, sig: Option<Vec<u8>>) -> String {
    let mut files = vec![("models/bad.gguf", bad)];
    files.extend(sig.map(|sig| ("models/bad.gguf.sig", sig)));
    let (mut world, keep) = running(&files);
    let (before, header) = (world.weights(keep).to_vec(), world.vocabulary(keep.header).to_vec());
    let (why, kept) = failed(&world.load("bad", Some(keep)));
    assert!(kept, "{why}");
    assert!(world.weights(keep) == before, "the old model is whole");
    assert!(*world.vocabulary(keep.header) == header, "the old header is back");
    assert!(why.len() <= ipc_protocol::PIECE && !why.ends_with('…'), "{why}");
    why
}

#[test]
fn a_signed_model_is_loaded_and_its_signer_named() {
    let good = model(3_000_000);
    let files = [("good.gguf", good.clone()), ("GOOD.GGUF.SIG", manifest("good", 5, &good, 1))];
    let mut world = World::with_policy(Disk::with(&files), &policy(true, &[("good", 5)]));
    let said = world.load("", None);
    let (at, _, hash, _) = sealed(&said);
    assert_eq!((world.weights(at), hash), (&good[..], super::world::sha256(&good)));
    let signed = signer(&said).unwrap();
    assert_eq!((signed.identity.text(), signed.version, signed.signer.text()), ("good", 5, "vendor"));
    assert_eq!(signed.key[..], key(1).verifying_key().to_bytes()[..8]);
}

#[test]
fn a_long_header_is_proven_chunk_by_chunk() {
    let wordy = Model { words: 30_000, ..Model::default() }.bytes();
    let files = [("w.gguf", wordy.clone()), ("w.gguf.sig", manifest("w", 1, &wordy, 1))];
    let mut world = World::with_policy(Disk::with(&files), &policy(true, &[]));
    let (at, ..) = sealed(&world.load("", None));
    assert!(at.header > 400_000 && world.weights(at) == wordy);
}

#[test]
fn a_flipped_bit_is_refused_with_its_place_wherever_it_is() {
    let good = model(300_000);
    for at in [0, 100, CHUNK, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        let why = refused(bad, Some(manifest("good", 2, &good, 1)));
        let (chunk, start) = (at / CHUNK, at / CHUNK * CHUNK);
        let end = (start + CHUNK).min(good.len()) - 1;
        let place = format!("chunk {chunk} (bytes {start} to {end}) is not what was signed");
        assert_eq!(why, format!("bad.gguf is not the model good that was signed: {place}"));
    }
}

/// Of a signed model nothing is parsed before it is proven: a file that no parser would take is refused for its hash.
#[test]
fn what_is_not_proven_is_not_parsed() {
    let good = model(300_000);
    let mut bad = good.clone();
    bad[..CHUNK].fill(0xff);
    assert!(refused(bad, Some(manifest("good", 2, &good, 1))).contains("chunk 0"));
}

#[test]
fn truncated_swapped_and_longer_models_are_refused() {
    let (good, other) = (model(300_000), model(200_000));
    let sig = manifest("good", 2, &good, 1);
    let why = refused(good[..100_000].to_vec(), Some(sig.clone()));
    assert!(why.contains("truncated") && why.contains("100000"), "{why}");
    let why = refused(other.clone(), Some(sig));
    assert!(why.contains("another model") && why.contains(&other.len().to_string()), "{why}");
    let why = refused(good.clone(), Some(manifest("other", 1, &other, 1)));
    assert!(why.contains("is not the model other that was signed: another model"), "{why}");
    let mut swapped = good.clone();
    swapped.rotate_left(CHUNK);
    assert!(refused(swapped, Some(manifest("good", 2, &good, 1))).contains("chunk 0"));
}

#[test]
fn older_versions_are_refused_by_the_supervisor_s_account_and_by_the_image() {
    let good = model(100_000);
    let why = refused(good.clone(), Some(manifest("good", 1, &good, 1)));
    assert_eq!(why, "bad.gguf is version 1 of good, older than 2: rollback is refused");
    let why = refused(good.clone(), Some(manifest("floor", 6, &good, 1)));
    assert_eq!(why, "bad.gguf is version 6 of floor, older than 7: rollback is refused");
    let (mut world, keep) =
        running(&[("models/new.gguf", good.clone()), ("models/new.gguf.sig", manifest("good", 3, &good, 1))]);
    let (keep, ..) = sealed(&world.load("new", Some(keep)));
    let (why, kept) = failed(&world.load("good", Some(keep)));
    assert!(kept && why.contains("older than 3"), "{why}");
    assert_eq!(
        sealed(&world.load("new", Some(keep))).1,
        "new.gguf",
        "the same version again is none that is older"
    );
}

#[test]
fn missing_unknown_and_malformed_manifests_are_refused() {
    let good = model(100_000);
    let sig = manifest("good", 2, &good, 1);
    assert!(refused(good.clone(), None).starts_with("bad.gguf is not signed: there is no .sig file"));
    let why = refused(good.clone(), Some(manifest("good", 2, &good, 9)));
    assert!(why.starts_with("bad.gguf.sig is signed by key ") && why.contains("does not trust"), "{why}");
    let why = refused(good.clone(), Some(sig[..sig.len() - 1].to_vec()));
    assert!(why.starts_with("bad.gguf.sig has "), "{why}");
    for junk in [Vec::new(), vec![7; 5_000], vec![7; 200_000]] {
        let why = refused(good.clone(), Some(junk));
        assert!(why.starts_with("bad.gguf.sig is not a manifest"), "{why}");
    }
    let mut forged = sig;
    forged[16] = 200;
    assert!(refused(good, Some(forged)).contains("wrong signature"));
}

#[test]
fn without_an_account_or_with_a_full_one_signed_models_are_refused() {
    let (mut world, keep) = running(&[]);
    for (instead, said) in [
        (Newest::Full, "too many different signed models"),
        (Newest::Unreadable, "which versions were in use cannot be read"),
    ] {
        world.instead = Some(instead);
        let (why, kept) = failed(&world.load("good", Some(keep)));
        assert!(kept && why.contains(said) && why.len() <= ipc_protocol::PIECE, "{why}");
    }
}

#[test]
fn without_require_signed_a_missing_manifest_is_fine_and_a_wrong_one_is_not() {
    let good = model(100_000);
    let mut wrong = manifest("b", 1, &good, 1);
    wrong[20] ^= 1;
    let files = [("a.gguf", good.clone()), ("b.gguf", good.clone()), ("b.gguf.sig", wrong)];
    let mut world = World::with_policy(Disk::with(&files), &policy(false, &[]));
    let said = world.load("a", None);
    assert_eq!(signer(&said), None);
    assert!(failed(&world.load("b", None)).0.contains("wrong signature"));
    let mut world = World::new(Disk::with(&files));
    assert_eq!(signer(&world.load("b", None)), None, "an image without keys looks at no manifest");
}

#[test]
fn an_image_with_a_damaged_policy_loads_nothing() {
    let files = [("a.gguf", model(1000))];
    let mut world = World::with_policy(Disk::with(&files), &[200, 0, 0, 0, 9]);
    assert!(failed(&world.load("a", None)).0.contains("policy is damaged"));
    let mut world = World::with_policy(Disk::with(&files), &[]);
    assert!(failed(&world.load("a", None)).0.contains("policy is damaged"));
}

#[test]
fn a_restart_of_storage_at_any_time_only_costs_time() {
    let good = model(1_000_000);
    let files = [("g.gguf", good.clone()), ("g.gguf.sig", manifest("g", 1, &good, 1))];
    for after in 0..24 {
        let mut world = World::with_policy(Disk::with(&files), &policy(true, &[]));
        world.storage.restart_after(after);
        let (at, ..) = sealed(&world.load("g", None));
        assert_eq!(world.weights(at), good, "restart after {after} reads");
    }
}

/// The device goes on writing after it has said that a read is done.
#[test]
fn late_writes_of_the_device_cannot_change_what_was_proven() {
    let good = model(3_000_000);
    let files = [("g.gguf", good.clone()), ("g.gguf.sig", manifest("g", 1, &good, 1))];
    let mut world = World::with_policy(Disk::with(&files), &policy(true, &[]));
    world.storage.write_late();
    match world.load("g", None).last() {
        Some(ToSupervisor::Sealed { sealed, .. }) => assert!(world.weights(*sealed) == good),
        Some(ToSupervisor::Failed { why, .. }) => {
            panic!("the device writes after the loader copied: {}", why.text())
        }
        other => panic!("{other:?}"),
    }
    let data = world.storage.data().readable();
    assert_eq!(data.load(0, Relaxed), u64::from_le_bytes([0xa5; 8]), "the device did write");
}

/// The device writes all the time, while the loader copies and hashes: a load fails, or gives what was signed.
#[test]
fn a_race_of_the_device_with_the_loader_ends_in_a_refusal_or_in_the_signed_model() {
    let good = model(2_000_000);
    let files = [("g.gguf", good.clone()), ("g.gguf.sig", manifest("g", 1, &good, 1))];
    let (mut refusals, end) = (0, AtomicBool::new(false));
    let mut world = World::with_policy(Disk::with(&files), &policy(true, &[]));
    let data = world.storage.data();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (view, mut word) = (data.writable(), 0);
            while !end.load(Relaxed) {
                word = (word + 4_099) % view.words();
                view.store(word, view.load(word, Relaxed) ^ 1 << 40, Relaxed);
                std::thread::sleep(std::time::Duration::from_micros(20));
            }
        });
        for _ in 0..30 {
            match world.load("g", None).last() {
                Some(ToSupervisor::Sealed { sealed, .. }) => assert!(world.weights(*sealed) == good),
                Some(ToSupervisor::Failed { .. }) => refusals += 1,
                other => panic!("{other:?}"),
            }
        }
        end.store(true, Relaxed);
    });
    eprintln!("{refusals} of 30 loads were refused");
}
