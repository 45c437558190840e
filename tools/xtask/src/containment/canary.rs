//! What is to be forgotten is looked for in all of RAM: as text, and as token numbers.
//!
//! One design rule: the same search must find it before it is forgotten, or it proves nothing.

use super::rig::{Bed, MODEL, Rig};
use crate::data;
use crate::options::Kernel;
use anyhow::{Result, ensure};
use inference_gguf::Gguf;
use inference_tokenizer::Tokenizer;
use std::time::{Duration, Instant};

/// Said to the model; nothing else in the system looks like it.
const CANARY: &str = "zqxjv wyvern kumquat 70419 zqxjv";
/// Every PD does something at least once a second, and then erases what its peers have taken.
const QUIET: Duration = Duration::from_millis(2_500);
const ANSWER: Duration = Duration::from_secs(60);

/// The canary in one of its forms.
struct Form {
    name: &'static str,
    bytes: Vec<u8>,
}

/// A conversation is forgotten: by `/clear`, and by restarts of those who had it.
///
/// # Errors
/// Names every place in which something is left.
pub fn test() -> Result<()> {
    let bed = Bed::new(Kernel::Cloister, 1, "canary")?;
    let forms = forms()?;
    let mut rig = bed.start()?;
    // The retriever has stored the question as an episode, on purpose.
    rig.forgets(&forms, "/clear", &["/clear"], |region| !region.contains("retriever_heap"))?;
    // The console was not restarted and did not hear of /clear: it still has the lines that were typed, in its own
    // memory, which is no region.
    let restarts = ["/restart session", "/restart compute"];
    rig.forgets(&forms, "a restart of session and compute", &restarts, |region| {
        !region.is_empty() && !region.contains("retriever_heap")
    })
}

fn forms() -> Result<Vec<Form>> {
    let model = std::fs::read(data::story(&data::shared_or_fail()?, MODEL))?;
    let gguf = Gguf::parse(&model).map_err(|error| anyhow::anyhow!("{error}"))?;
    let tokenizer = Tokenizer::from_gguf(&gguf).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut tokens = Vec::new();
    tokenizer.encode(CANARY, false, false, &mut tokens).map_err(|error| anyhow::anyhow!("{error}"))?;
    // Without its ends: what stands beside the canary may join with them.
    let tokens = &tokens[3..tokens.len() - 3];
    ensure!(tokens.len() >= 8, "the canary has too few tokens");
    let short = tokens.iter().flat_map(|token| (*token as u16).to_le_bytes()).collect();
    let message = tokens.iter().flat_map(|token| varint(*token)).collect();
    Ok(vec![
        Form { name: "tokens as in messages", bytes: message },
        Form { name: "text", bytes: b"wyvern kumquat 70419".into() },
        Form {
            name: "tokens of 32 bits",
            bytes: tokens.iter().flat_map(|token| token.to_le_bytes()).collect(),
        },
        Form { name: "tokens of 16 bits", bytes: short },
    ])
}

/// Postcard's encoding of a number.
fn varint(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

impl Rig<'_> {
    /// Says the canary, looks for it, forgets it, and looks again.
    fn forgets(
        &mut self,
        forms: &[Form],
        how: &str,
        commands: &[&str],
        counts: fn(&str) -> bool,
    ) -> Result<()> {
        self.prepare(8)?;
        ensure!(self.terminal.ask(CANARY, ANSWER)?.is_some(), "the model did not answer");
        let before = self.places(forms)?;
        ensure!(
            ["text", "tokens of 32 bits"].iter().all(|name| before.iter().any(|(form, _)| form == name)),
            "the canary was not found before it was to be forgotten: the search proves nothing"
        );
        for command in commands {
            self.terminal.ask(command, ANSWER)?;
        }
        let end = Instant::now() + QUIET;
        while Instant::now() < end {
            self.terminal.pump(Duration::from_millis(100))?;
        }
        let after = self.places(forms)?;
        let left = after.iter().map(|(form, at)| (form, at, self.region(*at))).filter(|left| counts(&left.2));
        let shown: Vec<_> = left.map(|(form, at, region)| format!("{form} at {at:#x}{region}")).collect();
        ensure!(
            shown.is_empty(),
            "after {how} the canary is still there ({} places before):\n{}",
            before.len(),
            shown.join("\n")
        );
        eprintln!(
            "ok: {how} leaves none of {} copies of the canary in {} MiB of RAM",
            before.len(),
            self.bed.ram_mib()
        );
        Ok(())
    }

    fn places(&self, forms: &[Form]) -> Result<Vec<(&'static str, u64)>> {
        let mut places = Vec::new();
        for form in forms {
            places.extend(self.ram.find(&form.bytes)?.into_iter().map(|at| (form.name, at)));
        }
        Ok(places)
    }

    /// The region in which an address lies, from the image's report.
    fn region(&self, at: u64) -> String {
        let number = |word: &str| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
        let mut rows = self.bed.report.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let unit = match *words.get(3)? {
                "KiB" => 10,
                "MiB" => 20,
                _ => return None,
            };
            let (base, size) = (number(words[1])?, words[2].parse::<u64>().ok()? << unit);
            (base <= at && at < base + size).then(|| format!(" ({} + {:#x})", words[0], at - base))
        });
        rows.next_back().unwrap_or_default()
    }
}
