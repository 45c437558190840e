//! An image that takes signed models only, in QEMU: every kind of wrong model is refused by name, and the model before
//! it goes on answering.

use crate::data::{self, Golden};
use crate::options::{self, SystemOptions};
use crate::qemu::Running;
use crate::script::{self, ask, expect, passed, words};
use crate::{disk, install, shell, system};
use anyhow::Result;
use inference_manifest::{Draft, SigningKey, pem};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tools_disk::Addition;

const GOOD: &str = "stories260K-q8_0";

/// Runs the conversations.
///
/// # Errors
/// The first one that fails, with the end of its transcript.
pub fn all() -> Result<()> {
    install::programs(&[install::qemu(options::tested().isa)])?;
    let bench = Bench::new(&data::shared_or_fail()?)?;
    refusals(&bench)?;
    after_a_power_cycle(&bench)?;
    nothing_unsigned(&bench)
}

/// The models, a trusted key and a stranger's.
struct Bench {
    folder: PathBuf,
    model: Vec<u8>,
    golden: Golden,
    vendor: SigningKey,
    stranger: SigningKey,
}

impl Bench {
    fn new(shared: &Path) -> Result<Self> {
        let folder = shell::root().join("target/test/signed");
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            model: std::fs::read(data::story(shared, GOOD))?,
            golden: Golden::read(shared, GOOD)?,
            vendor: SigningKey::from_bytes(&[1; 32]),
            stranger: SigningKey::from_bytes(&[2; 32]),
            folder,
        })
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    /// A new disk with these files in `/models`.
    fn disk(&self, name: &str, files: &[(String, Vec<u8>)]) -> Result<PathBuf> {
        let disk = disk::fresh(&format!("signed-{name}"))?;
        let additions = files.iter().map(|(name, bytes)| self.file(name, bytes).map(Addition::model));
        tools_disk::prepare(&disk, &additions.collect::<Result<Vec<_>>>()?, &mut |_, _| ())?;
        Ok(disk)
    }

    /// A version of the model under a file name, with its manifest.
    fn signed(&self, name: &str, version: u64) -> Result<[(String, Vec<u8>); 2]> {
        let sig = manifest("story", version, &self.model, &self.vendor)?;
        Ok([(format!("{name}.gguf"), self.model.clone()), (format!("{name}.gguf.sig"), sig)])
    }

    /// A machine that trusts the vendor's key, over this disk.
    fn boot(&self, disk: &Path, minimum: &[(&str, u64)]) -> Result<Running> {
        let public = pem::write_public(&self.vendor.verifying_key()).map_err(anyhow::Error::msg)?;
        let options = SystemOptions {
            disk: Some(disk.into()),
            require_signed: true,
            trust: vec![self.file("vendor.pub", public.as_bytes())?],
            minimum: minimum.iter().map(|(name, version)| ((*name).to_owned(), *version)).collect(),
            ..SystemOptions::standard()
        };
        script::boot(&system::prepare(&options)?.machine)
    }

    fn answers(&self, running: &mut Running) -> Result<()> {
        ask(running, "/clear")?;
        let answer = ask(running, &self.golden.prompt)?;
        expect(&words(&answer), &[&words(&self.golden.text), "Generation"])
    }

    fn greedy(&self, running: &mut Running) -> Result<()> {
        expect(&ask(running, "/set temperature 0")?, &["0"])?;
        ask(running, &format!("/set num_predict {}", self.golden.steps)).map(|_| ())
    }

    /// Wrong models, and what must be said of each.
    fn wrong(&self) -> Result<Vec<Wrong>> {
        let (model, vendor) = (&self.model, &self.vendor);
        let sig = manifest("story", 2, model, vendor)?;
        let (mut flipped, mut forged) = (model.clone(), sig.clone());
        flipped[model.len() / 2] ^= 8;
        forged[16] = 9;
        let other: Vec<u8> = model.iter().rev().copied().collect();
        let chunk = (model.len() / 2) >> 16;
        let wrong = |name, model: &[u8], sig, said: &[&str]| Wrong {
            name,
            model: model.to_vec(),
            sig,
            said: said.iter().map(|text| (*text).to_owned()).collect(),
        };
        Ok(vec![
            wrong(
                "flipped",
                &flipped,
                Some(sig.clone()),
                &[&format!("chunk {chunk} (bytes "), "not what was signed"],
            ),
            wrong("truncated", &model[..model.len() / 2], Some(sig.clone()), &["truncated"]),
            wrong("swapped", model, Some(manifest("other", 1, &other, vendor)?), &["is not the model other"]),
            wrong(
                "older",
                model,
                Some(manifest("story", 1, model, vendor)?),
                &["older than 2: rollback is refused"],
            ),
            wrong(
                "outdated",
                model,
                Some(manifest("floor", 6, model, vendor)?),
                &["older than 7: rollback is refused"],
            ),
            wrong("missing", model, None, &["is not signed", "takes signed models only"]),
            wrong(
                "unknown",
                model,
                Some(manifest("story", 3, model, &self.stranger)?),
                &["is signed by key", "does not trust"],
            ),
            wrong("malformed", model, Some(sig[..100].to_vec()), &["malformed.gguf.sig is not a manifest"]),
            wrong("forged", model, Some(forged), &["wrong signature"]),
        ])
    }
}

/// A model that must be refused.
struct Wrong {
    name: &'static str,
    model: Vec<u8>,
    sig: Option<Vec<u8>>,
    said: Vec<String>,
}

fn manifest(identity: &str, version: u64, model: &[u8], key: &SigningKey) -> Result<Vec<u8>> {
    let mut draft = Draft::new(identity, version, model.len() as u64)?;
    draft.update(model);
    Ok(draft.sign(key)?)
}

/// A signed model runs; every wrong one is refused by name, and the signed one still gives the golden text.
fn refusals(bench: &Bench) -> Result<()> {
    let wrong = bench.wrong()?;
    let mut files = bench.signed("a-story", 2)?.to_vec();
    for case in &wrong {
        files.push((format!("{}.gguf", case.name), case.model.clone()));
        files.extend(case.sig.clone().map(|sig| (format!("{}.gguf.sig", case.name), sig)));
    }
    let mut running = bench.boot(&bench.disk("refusals", &files)?, &[("floor", 7)])?;
    bench.greedy(&mut running)?;
    let origin = "signed by vendor as story, version 2";
    expect(&ask(&mut running, "/show info")?, &[origin, "(key "])?;
    expect(&ask(&mut running, "/models")?, &[&format!("(loaded, {origin})")])?;
    for case in &wrong {
        let said = ask(&mut running, &format!("/load {}", case.name))?;
        expect(&words(&said), &["could not be loaded", "the model before it stays"])?;
        case.said.iter().try_for_each(|part| expect(&words(&said), &[part]))?;
        expect(&ask(&mut running, "/show info")?, &["a-story.gguf", origin])?;
        passed(&format!("a model that is {} is refused by name", case.name));
    }
    bench.answers(&mut running)?;
    passed("the signed model still gives the golden text");
    after_a_restart(&mut running)
}

/// What was accepted is remembered by the supervisor, not by the loader.
fn after_a_restart(running: &mut Running) -> Result<()> {
    expect(&ask(running, "/restart loader")?, &["loader"])?;
    let said = ask(running, "/load older")?;
    expect(&words(&said), &["older than 2: rollback is refused"])?;
    expect(&words(&ask(running, "/load a-story")?), &["is loaded", "signed by vendor as story, version 2"])?;
    passed("an older model is refused by a loader that was restarted");
    Ok(())
}

/// What was in use is remembered by the disk: QEMU is killed, and only files are changed. The last start shows what the
/// account is worth against whoever can write the whole disk.
fn after_a_power_cycle(bench: &Bench) -> Result<()> {
    let refused = "is version 1 of story, older than 2: rollback is refused";
    let older = bench.signed("older", 1)?;
    let disk = bench.disk("cycle", &[bench.signed("a-story", 2)?, older.clone()].concat())?;
    for _ in 0..2 {
        let mut running = bench.boot(&disk, &[])?;
        expect(&words(&ask(&mut running, "/load older")?), &[refused, "the model before it stays"])?;
        expect(&ask(&mut running, "/show info")?, &["signed by vendor as story, version 2"])?;
    }
    let alone = bench.disk("older", &older)?;
    copy_account(&disk, &alone)?;
    let said = ask(&mut bench.boot(&alone, &[])?, "hello there")?;
    expect(&words(&said), &["no model is loaded", refused])?;
    passed("an older model is refused after a power cycle, and where it is the only one");
    tools_disk::forget_versions(&alone)?;
    expect(&ask(&mut bench.boot(&alone, &[])?, "/show info")?, &["signed by vendor as story, version 1"])?;
    passed("whoever erases the account gets it loaded, as docs/signed-models.md says");
    Ok(())
}

/// Files of a disk were replaced by those of another one; its account is as it was.
fn copy_account(from: &Path, to: &Path) -> Result<()> {
    let (source, target) = (tools_disk::layout(from)?, tools_disk::layout(to)?);
    let mut bytes = vec![0; source.versions_size as usize];
    let mut file = File::open(from)?;
    file.seek(SeekFrom::Start(source.versions))?;
    file.read_exact(&mut bytes)?;
    let mut file = File::options().write(true).open(to)?;
    file.seek(SeekFrom::Start(target.versions))?;
    Ok(file.write_all(&bytes)?)
}

/// A disk with an unsigned model only: there is no model, and why is said.
fn nothing_unsigned(bench: &Bench) -> Result<()> {
    let files = [("plain.gguf".to_owned(), bench.model.clone())];
    let mut running = bench.boot(&bench.disk("unsigned", &files)?, &[])?;
    let answer = ask(&mut running, "hello there")?;
    expect(&words(&answer), &["no model is loaded", "plain.gguf is not signed"])?;
    passed("an image that requires signatures starts without an unsigned model");
    disk::forget()
}
