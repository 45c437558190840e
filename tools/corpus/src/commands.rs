// SPDX-License-Identifier: MIT
//! English requests and the commands that they ask for.

use crate::clinc::Clinc;
use crate::noise::typed;
use crate::slots::Slots;
use crate::source::{Lines, Split, all_sections, fill, held, parts, slots};
use anyhow::{Context, Result, ensure};
use inference_commands::{NONE, canonical};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// A request and its command: a line of what `cloister-train eval --commands` reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    pub text: String,
    pub command: String,
}

/// CLINC150's intents that a command of the console may fit after all.
const NEAR_COMMANDS: [&str; 7] =
    ["repeat", "reset_settings", "cancel", "goodbye", "what_can_i_ask_you", "yes", "change_speed"];

/// Ways to ask for each command, and for none.
pub struct Requests {
    commands: Vec<(String, Lines)>,
    none: Lines,
    other: HashMap<bool, Vec<String>>,
}

impl Requests {
    /// Reads `commands-*.txt` and `none.txt`.
    ///
    /// # Errors
    /// When a file cannot be read, or names what is no command.
    pub fn read(data: &Path, clinc: &Clinc) -> Result<Self> {
        let mut commands: Vec<(String, Lines)> = Vec::new();
        for (_, section) in all_sections(data, "commands")? {
            let at = commands.iter().position(|(title, _)| *title == section.title);
            let at = at.unwrap_or_else(|| {
                commands.push((section.title, Lines::default()));
                commands.len() - 1
            });
            for (_, line) in &section.lines {
                let (is_held, line) = held(line);
                commands[at].1.push(is_held, line);
            }
        }
        let mut none = Lines::default();
        for path in parts(data, "none")? {
            let text = std::fs::read_to_string(path)?;
            for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
                let (is_held, line) = held(line);
                none.push(is_held, line);
            }
        }
        let other = [Split::Train, Split::Held]
            .map(|split| (split == Split::Held, clinc.without(split, &NEAR_COMMANDS)));
        Ok(Self { commands, none, other: other.into_iter().collect() })
    }

    /// How many ways to ask there are: to learn from, held out.
    pub fn wordings(&self) -> (usize, usize) {
        let all = || self.commands.iter().map(|(_, lines)| lines);
        (all().map(|lines| lines.train.len()).sum(), all().map(|lines| lines.held.len()).sum())
    }

    /// About `count` different pairs, a fifth of them without a command; none of them is in `known`.
    ///
    /// # Errors
    /// When a template cannot be filled or makes something that is no command.
    pub fn pairs(
        &self,
        count: usize,
        split: Split,
        slots: &Slots,
        known: &HashSet<String>,
        rng: &mut fastrand::Rng,
    ) -> Result<Vec<Pair>> {
        let (mut seen, mut pairs) = (known.clone(), Vec::new());
        for index in 0..count {
            let pair = match index % 5 {
                0 => self.none(split, slots, rng)?,
                _ => self.command(split, slots, rng)?,
            };
            if seen.insert(pair.text.to_lowercase()) {
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    fn command(&self, split: Split, slots_: &Slots, rng: &mut fastrand::Rng) -> Result<Pair> {
        let (command, lines) = self.drawn(rng);
        let template = lines.chosen(split, rng).with_context(|| format!("requests for {command}"))?;
        let mut names = slots(command);
        names.extend(slots(&template));
        let values = slots_.values(&names, split, rng)?;
        let exact: Vec<String> = values.values().cloned().collect();
        let command = fill(command, &values, rng)?;
        ensure!(canonical(&command).as_deref() == Some(&command), "'{command}' is no command of the table");
        Ok(Pair { text: typed(&fill(&template, &values, rng)?, &exact, rng), command })
    }

    /// A command, the more often the more ways there are to ask for it.
    fn drawn(&self, rng: &mut fastrand::Rng) -> &(String, Lines) {
        let weight = |lines: &Lines| 6 + lines.train.len();
        let total: usize = self.commands.iter().map(|(_, lines)| weight(lines)).sum();
        let mut at = rng.usize(..total);
        for entry in &self.commands {
            match at.checked_sub(weight(&entry.1)) {
                Some(rest) => at = rest,
                None => return entry,
            }
        }
        &self.commands[0]
    }

    fn none(&self, split: Split, slots_: &Slots, rng: &mut fastrand::Rng) -> Result<Pair> {
        let other = &self.other[&(split == Split::Held)];
        let text = if !other.is_empty() && rng.bool() {
            other[rng.usize(..other.len())].clone()
        } else {
            let template = self.none.chosen(split, rng)?;
            fill(&template, &slots_.values(&slots(&template), split, rng)?, rng)?
        };
        Ok(Pair { text: typed(&text, &[], rng), command: NONE.to_string() })
    }
}
