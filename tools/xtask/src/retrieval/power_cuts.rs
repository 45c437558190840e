//! The plug is pulled while documents and notes are taken in; everything acknowledged must be there after the next boot.

use super::{KEPT, write};
use crate::options::SystemOptions;
use crate::qemu::{Machine, Running};
use crate::script::{self, ask, expect};
use crate::{disk, shell, system};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};
use tools_disk::Addition;

/// Notes that the system said it keeps, and a word of each.
type Kept = BTreeMap<String, String>;
/// So many notes are kept; of more, some are forgotten again, so that the store has room in every life.
const MOST: usize = 600;

/// What the system has acknowledged.
#[derive(Default)]
struct Acknowledged {
    kept: Kept,
    /// Of the last life.
    fresh: Kept,
    forgotten: BTreeSet<String>,
}

/// Boots, checks that everything acknowledged is there, takes in more, and pulls the plug in the middle; `count` times.
///
/// # Errors
/// The first passage that is missing, and the transcript.
pub fn power_cuts(count: u32) -> Result<()> {
    let image = disk::fresh("power-cuts")?;
    let options = SystemOptions { disk: Some(image.clone()), ..SystemOptions::standard() };
    let machine = with_own_image(system::prepare(&options)?.machine)?;
    let (mut said, mut chance) = (Acknowledged::default(), 0x5EED_u64);
    let started = Instant::now();
    for round in 0..count {
        change_documents(&image, round)?;
        let mut running = script::boot(&machine).with_context(|| format!("boot {round}"))?;
        said.check(&mut running).with_context(|| format!("after power cut {round}"))?;
        said.forget_some(&mut running)?;
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let limit = Duration::from_millis(200 + (chance >> 33) % 6_000);
        said.fresh = ingest_until(&mut running, round, Instant::now() + limit)?;
        // Dropping it kills QEMU at once.
        drop(running);
        if round % 10 == 9 {
            eprintln!("{} power cuts, {said}, {:.0} s", round + 1, started.elapsed().as_secs_f64());
        }
    }
    let mut running = script::boot(&machine)?;
    said.check(&mut running).context("after the last power cut")?;
    expect(&ask(&mut running, "/rag scan")?, &["in /docs"])?;
    let list = ask(&mut running, "/rag list")?;
    ensure!(!list.contains("not complete"), "a document is not complete after a scan:\n{list}");
    println!(
        "{count} power cuts during ingestion: {said}; all as acknowledged after every next boot, none torn"
    );
    Ok(())
}

impl std::fmt::Display for Acknowledged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} notes kept, {} forgotten", self.kept.len() + self.fresh.len(), self.forgotten.len())
    }
}

impl Acknowledged {
    /// What was acknowledged is listed, whole, and what was forgotten is not; of the last life's notes, the text is found.
    fn check(&mut self, running: &mut Running) -> Result<()> {
        let list = patiently(running, "/rag list")?;
        let named = |name: &str| list.lines().any(|line| line.trim_end().ends_with(&format!(" {name}")));
        for name in self.kept.keys().chain(self.fresh.keys()) {
            ensure!(named(name), "{name} was acknowledged and is not there, or not complete:\n{list}");
        }
        let back = self.forgotten.iter().find(|name| named(name));
        ensure!(back.is_none(), "{back:?} was forgotten and is there again:\n{list}");
        for (name, word) in &self.fresh {
            let found = patiently(running, &format!("/rag find {word}"))?;
            ensure!(found.contains(word.as_str()), "the text of {name}, `{word}`, is not found:\n{found}");
        }
        let transcript = String::from_utf8_lossy(&running.transcript).into_owned();
        ensure!(!transcript.contains("has lost"), "the store reports damage:\n{transcript}");
        self.kept.append(&mut self.fresh);
        Ok(())
    }

    /// Forgets a part of what is kept, if that is much.
    fn forget_some(&mut self, running: &mut Running) -> Result<()> {
        while self.kept.len() > MOST {
            let Some((name, _)) = self.kept.pop_first() else { break };
            expect(&patiently(running, &format!("/rag remove {name}"))?, &["is forgotten"])?;
            self.forgotten.insert(name);
        }
        Ok(())
    }
}

/// A long run must not change when somebody builds another image in the meantime.
fn with_own_image(machine: Machine) -> Result<Machine> {
    let image = shell::root().join("target/test/power-cuts.elf");
    std::fs::copy(&machine.image, &image).context("copying the image")?;
    Ok(Machine { image, ..machine })
}

/// Every boot has some documents to take in.
fn change_documents(image: &Path, round: u32) -> Result<()> {
    let folder = shell::root().join("target/test/changing");
    for number in 0..3 {
        let paragraph = |part| {
            format!(
                "Part {part} of document {number}, written in round {round}. {}\n\n",
                "It goes on and on. ".repeat(30)
            )
        };
        let text: String = (0..6).map(paragraph).collect();
        let path = write(&folder, &format!("changing-{number}.txt"), &text)?;
        tools_disk::add(image, &Addition::document(path), &mut |_, _| ())?;
    }
    Ok(())
}

/// On a busy host opening the store, or a list, may take longer than the system waits: then it is asked again.
fn patiently(running: &mut Running, line: &str) -> Result<String> {
    for _ in 0..10 {
        let answer = ask(running, line)?;
        let waits = ["the retriever has been silent", "session has not answered"];
        if !waits.iter().any(|wait| answer.contains(wait)) {
            return Ok(answer);
        }
    }
    bail!("no answer to {line}")
}

/// Adds notes until the time is over; those that the system said it keeps.
fn ingest_until(running: &mut Running, round: u32, end: Instant) -> Result<Kept> {
    let mut kept = Kept::new();
    for number in 0.. {
        let word = format!("zebra{round}x{number}");
        let text = format!(
            "{word} begins this note. {}{word} ends it.",
            "Something is said in between. ".repeat(40)
        );
        running.type_bytes(format!("/rag add {text}\r").as_bytes())?;
        let left = end.saturating_duration_since(Instant::now());
        if running.wait_for(KEPT, left).is_err() {
            break;
        }
        // Acknowledged: what follows is on its way already.
        let name = running.wait_for(" (", Duration::from_secs(60))?;
        if name.len() > 40 {
            bail!("`{name}` is no name of a note");
        }
        kept.insert(name, word);
    }
    Ok(kept)
}
