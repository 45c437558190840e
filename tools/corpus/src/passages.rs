// SPDX-License-Identifier: MIT
//! Passages as people write them: whole texts with slots, of which sentences may be left out.

use crate::made::capital;
use crate::reading::{Asked, Reading};
use crate::slots::Slots;
use crate::source::{Split, all_sections, fill, held, slots};
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use std::path::Path;

/// A passage and what may be asked about it.
struct Passage {
    held: bool,
    sentences: Vec<String>,
    /// Question, fact, index of the sentence.
    questions: Vec<(String, String, usize)>,
    unanswered: Vec<String>,
}

/// All passages.
pub struct Passages(Vec<Passage>);

/// A filled passage.
struct Filled {
    /// `None` for what is left out.
    sentences: Vec<Option<String>>,
    questions: Vec<Asked>,
}

impl Passages {
    /// Reads `passages-*.txt`.
    ///
    /// # Errors
    /// Names the passage that is not understood, or the fact that is in none of its sentences.
    pub fn read(data: &Path) -> Result<Self> {
        let sections = all_sections(data, "passages")?;
        let passages = sections.iter().map(|(path, section)| {
            let place = || format!("{}: passage '{}'", path.display(), section.title);
            passage(&section.title, &section.lines).with_context(place)
        });
        Ok(Self(passages.collect::<Result<_>>()?))
    }

    /// How many there are: to learn from, held out.
    pub fn len(&self) -> (usize, usize) {
        let held = self.0.iter().filter(|passage| passage.held).count();
        (self.0.len() - held, held)
    }

    /// A passage with up to `questions` questions; now and then followed by another one.
    ///
    /// # Errors
    /// When a slot is unknown.
    pub fn reading(
        &self,
        split: Split,
        questions: usize,
        slots: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<Reading> {
        let of: Vec<&Passage> =
            self.0.iter().filter(|passage| passage.held == (split == Split::Held)).collect();
        let first = of[rng.usize(..of.len())].filled(split, slots, rng)?;
        let mut sentences = first.sentences;
        if rng.u8(..6) == 0 && sentences.iter().flatten().count() < 4 {
            let other = of[rng.usize(..of.len())].filled(split, slots, rng)?;
            let at = if rng.bool() { 0 } else { sentences.len() };
            sentences.splice(at..at, other.sentences.into_iter().take(3));
        }
        let passage = sentences.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let mut asked: Vec<Asked> = Vec::new();
        for question in first.questions {
            let silent = asked.iter().filter(|asked| asked.1.is_none()).count();
            let enough = question.1.is_none() && (silent > 0 || rng.u8(..5) > 2);
            if asked.len() < questions && !enough && asked.iter().all(|other| other.0 != question.0) {
                asked.push(question);
            }
        }
        Ok(Reading { passage, questions: asked })
    }
}

impl Passage {
    /// With values in its slots, some sentences left out or joined, and its questions in another order.
    fn filled(&self, split: Split, slots_: &Slots, rng: &mut fastrand::Rng) -> Result<Filled> {
        let values = self.values(split, slots_, rng)?;
        let mut sentences = Vec::new();
        for (index, sentence) in self.sentences.iter().enumerate() {
            let told = index == 0 || rng.u8(..4) > 0;
            let text = capital(&fill(sentence, &values, rng)?);
            sentences.push(told.then_some(text));
        }
        join(&mut sentences, rng);
        let mut questions = Vec::new();
        for (question, fact, index) in &self.questions {
            let text = typed(&fill(question, &values, rng)?, rng);
            let sentence = answering(&sentences, *index);
            questions.push((text, sentence, fill(fact, &values, rng)?));
        }
        for question in &self.unanswered {
            questions.push((typed(&fill(question, &values, rng)?, rng), None, String::new()));
        }
        rng.shuffle(&mut questions);
        Ok(Filled {
            sentences: sentences.into_iter().map(|text| text.filter(|text| !text.is_empty())).collect(),
            questions,
        })
    }

    /// A value for every slot; slots of one kind get different ones.
    fn values(
        &self,
        split: Split,
        slots_: &Slots,
        rng: &mut fastrand::Rng,
    ) -> Result<HashMap<String, String>> {
        let mut values: HashMap<String, String> = HashMap::new();
        let questions = self.questions.iter().map(|(question, ..)| question).chain(&self.unanswered);
        for slot in self.sentences.iter().chain(questions).flat_map(|text| slots(text)) {
            let name = slot.split(':').next().unwrap_or_default().to_string();
            let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
            for _ in 0..8 {
                if values.contains_key(&name) {
                    break;
                }
                let value = slots_.value(kind, split, rng)?;
                if !values.values().any(|other| *other == value) {
                    values.insert(name.clone(), value);
                }
            }
            let value = values.get(&name).with_context(|| format!("no two values for {{{name}}}"))?;
            let part = match slot.split_once(':') {
                Some((_, "first")) => value.split(' ').next(),
                Some(_) => value.split(' ').next_back(),
                None => Some(value.as_str()),
            };
            let part = part.unwrap_or_default().to_string();
            values.insert(slot, part);
        }
        Ok(values)
    }
}

/// The sentence that was told, or the one it was joined to.
fn answering(sentences: &[Option<String>], index: usize) -> Option<String> {
    let told = sentences[index].as_ref()?;
    match told.is_empty() {
        true => sentences[..index].iter().rev().flatten().find(|text| !text.is_empty()).cloned(),
        false => Some(told.clone()),
    }
}

/// Joins some neighbours to one sentence; the second becomes empty.
fn join(sentences: &mut [Option<String>], rng: &mut fastrand::Rng) {
    const STARTS: [&str; 14] = [
        "It ", "The ", "He ", "She ", "His ", "Her ", "On ", "In ", "Its ", "After ", "Every ", "Today ",
        "At ", "They ",
    ];
    for at in 1..sentences.len() {
        let (before, rest) = sentences.split_at_mut(at);
        let (Some(Some(first)), Some(second)) = (before.last_mut(), rest.first_mut()) else { continue };
        let may = second.as_ref().is_some_and(|text| STARTS.iter().any(|start| text.starts_with(start)));
        if may && first.ends_with('.') && rng.u8(..7) == 0 {
            let text = second.take().unwrap_or_default();
            let link = [", and ", "; ", ", and ", ", but ", ", while "][rng.usize(..5)];
            let small = text[..1].to_lowercase() + &text[1..];
            *first = format!("{}{link}{small}", first.trim_end_matches('.'));
            *second = Some(String::new());
        }
    }
}

/// As somebody may type it.
fn typed(question: &str, rng: &mut fastrand::Rng) -> String {
    match rng.u8(..12) {
        0 => question.to_lowercase(),
        1 => question.trim_end_matches('?').to_string(),
        _ => question.to_string(),
    }
}

fn passage(title: &str, lines: &[(usize, String)]) -> Result<Passage> {
    let of = |mark: &str| -> Vec<String> {
        lines
            .iter()
            .filter_map(|(_, line)| line.strip_prefix(mark))
            .map(|text| text.trim().to_string())
            .collect()
    };
    let sentences = of("p ");
    ensure!(!sentences.is_empty() && !of("q ").is_empty(), "a passage needs a sentence and a question");
    let questions = of("q ").iter().map(|line| question(line, &sentences)).collect::<Result<_>>()?;
    Ok(Passage { held: held(title).0, sentences, questions, unanswered: of("n ") })
}

/// Question, fact, and the first sentence that states it.
fn question(line: &str, sentences: &[String]) -> Result<(String, String, usize)> {
    let (question, fact) = line.split_once(" | ").with_context(|| format!("no fact: {line}"))?;
    let at = sentences.iter().position(|sentence| sentence.contains(fact.trim()));
    let at = at.with_context(|| format!("'{fact}' is in none of the sentences"))?;
    Ok((question.trim().to_string(), fact.trim().to_string(), at))
}
