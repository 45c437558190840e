// SPDX-License-Identifier: MIT
//! The written sources: lines of templates, in sections.
//!
//! A template is text with choices (`[a|b|]`) and slots (`{city}`). `~` before a line marks it as held out.

use anyhow::{Context, Result, bail};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Which data is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// To learn from.
    Train,
    /// To measure with.
    Held,
}

/// Lines to learn from, and lines that are held out.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    pub train: Vec<String>,
    pub held: Vec<String>,
    /// What the held lines say, as [`plain`] text.
    kept: HashSet<String>,
}

impl Lines {
    /// Adds a line to its split.
    pub fn push(&mut self, held: bool, line: &str) {
        let line = line.trim().to_string();
        match held {
            true => {
                self.kept.extend(wordings(&line).iter().map(|text| plain(text)));
                self.held.push(line);
            }
            false => self.train.push(line),
        }
    }

    /// The lines of a split.
    pub fn of(&self, split: Split) -> &[String] {
        match split {
            Split::Train => &self.train,
            Split::Held => &self.held,
        }
    }

    /// A line of a split, its choices made. To learn from, never one that says what a held line says.
    ///
    /// # Errors
    /// When the split has no lines, a line has an open bracket, or all that is drawn is held out.
    pub fn chosen(&self, split: Split, rng: &mut fastrand::Rng) -> Result<String> {
        let lines = self.of(split);
        for _ in 0..DRAWS {
            let line = lines.get(rng.usize(..lines.len().max(1))).context("no lines in this part")?;
            let text = choose(line, rng)?;
            if split == Split::Held || !self.keeps(&text) {
                return Ok(text);
            }
        }
        bail!("'{}' is held out", lines[0])
    }

    /// Whether a held line says this.
    fn keeps(&self, text: &str) -> bool {
        self.kept.contains(&plain(text))
    }
}

/// How often a line is drawn before all of them count as held out.
const DRAWS: usize = 1000;

/// All that a line with choices can say.
pub fn wordings(line: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for piece in line.split('[') {
        let (choices, rest) = piece.split_once(']').unwrap_or(("", piece));
        all = all
            .iter()
            .flat_map(|before| choices.split('|').map(move |choice| format!("{before}{choice}{rest}")))
            .collect();
    }
    all
}

/// Small letters and figures, with single spaces: what two ways to write a text have in common.
pub fn plain(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_alphanumeric() || c == '{' { c } else { ' ' }).collect();
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines of a section, by number, without comments and empty ones.
#[derive(Debug)]
pub struct Section {
    pub title: String,
    pub lines: Vec<(usize, String)>,
}

/// The files `NAME.txt` and `NAME-*.txt` of a folder, in the order of their names.
///
/// # Errors
/// When there is none, or the folder cannot be read.
pub fn parts(folder: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let list = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let is_part = |path: &PathBuf| {
        let stem = path.file_name().and_then(|file| file.to_str()).and_then(|file| file.strip_suffix(".txt"));
        let tail = stem.and_then(|stem| stem.strip_prefix(name));
        tail.is_some_and(|tail| tail.is_empty() || tail.starts_with('-'))
    };
    let paths = list.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    let mut paths: Vec<PathBuf> = paths.into_iter().filter(is_part).collect();
    paths.sort();
    if paths.is_empty() {
        bail!("{}: no {name}.txt and no {name}-1.txt", folder.display());
    }
    Ok(paths)
}

/// The sections of the files `NAME.txt` and `NAME-*.txt` of a folder, each with its file.
///
/// # Errors
/// As [`parts`] and [`sections`].
pub fn all_sections(folder: &Path, name: &str) -> Result<Vec<(PathBuf, Section)>> {
    let mut all = Vec::new();
    for path in parts(folder, name)? {
        all.extend(sections(&path)?.into_iter().map(|section| (path.clone(), section)));
    }
    Ok(all)
}

/// Reads a file of sections that begin with `= TITLE`.
///
/// # Errors
/// When it cannot be read or begins without a section.
pub fn sections(path: &Path) -> Result<Vec<Section>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("= ") {
            sections.push(Section { title: title.trim().to_string(), lines: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            section.lines.push((index + 1, line.to_string()));
        } else {
            bail!("{}:{}: a line before the first section ('= TITLE')", path.display(), index + 1);
        }
    }
    Ok(sections)
}

/// Splits `~` off a line: whether it was there, and the rest.
pub fn held(line: &str) -> (bool, &str) {
    match line.strip_prefix('~') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, line),
    }
}

/// Fills a template: chooses at each `[a|b]`, puts `values` into the slots, and closes the gaps.
///
/// # Errors
/// When a slot has no value or a bracket is not closed.
pub fn fill(template: &str, values: &HashMap<String, String>, rng: &mut fastrand::Rng) -> Result<String> {
    let chosen = choose(template, rng)?;
    let mut out = String::new();
    let mut rest = chosen.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').with_context(|| format!("no }} in: {template}"))?;
        out.push_str(before);
        out.push_str(values.get(name).with_context(|| format!("no value for {{{name}}} in: {template}"))?);
        rest = tail;
    }
    out.push_str(rest);
    Ok(tidy(&out))
}

/// Chooses at each `[a|b]`.
fn choose(template: &str, rng: &mut fastrand::Rng) -> Result<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('[') {
        let (choices, tail) = after.split_once(']').with_context(|| format!("no ] in: {template}"))?;
        let choices: Vec<&str> = choices.split('|').collect();
        out.push_str(before);
        out.push_str(choices[rng.usize(..choices.len())]);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Single spaces, and none before a comma, a full stop or the question mark at the end: "Begin with ? and ask" keeps its.
fn tidy(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace(" ,", ",").replace(" .", ".").replace(",,", ",").replace("..", ".");
    match text.strip_suffix(" ?") {
        Some(question) => format!("{question}?"),
        None => text,
    }
}

/// The names of the slots in a template.
pub fn slots(template: &str) -> Vec<String> {
    let parts = template.split('{').skip(1);
    parts.filter_map(|part| Some(part.split_once('}')?.0.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled() {
        let values = HashMap::from([("city".to_string(), "Oslo".to_string())]);
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..20 {
            let text = fill("[go|walk] to [the|] {city} , [please|]", &values, &mut rng).unwrap();
            assert!(text.starts_with("go to") || text.starts_with("walk to"), "{text}");
            assert!(text.contains("Oslo,") && !text.contains("  "), "{text}");
        }
        assert!(fill("{town}", &values, &mut rng).is_err());
        assert!(fill("[a|b", &values, &mut rng).is_err());
        assert_eq!(slots("{a} b {c}"), ["a", "c"]);
    }

    #[test]
    fn what_is_held_out_is_never_learnt() {
        let mut lines = Lines::default();
        lines.push(true, "show [me|] the {thing} now");
        lines.push(false, "[show|print] the {thing} , [now|then]");
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..50 {
            let text = lines.chosen(Split::Train, &mut rng).unwrap();
            assert_ne!(text, "show the {thing} , now");
        }
        assert!(lines.chosen(Split::Held, &mut rng).unwrap().starts_with("show"));
        assert_eq!(wordings("a [b|c] d[e|]").len(), 4);
        lines = Lines::default();
        lines.push(true, "only this");
        lines.push(false, "Only this!");
        assert!(lines.chosen(Split::Train, &mut rng).is_err());
    }
}
