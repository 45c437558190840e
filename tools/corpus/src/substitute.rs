// SPDX-License-Identifier: MIT
//! The same passage and questions with other words in them, the same everywhere.
//!
//! A model that has seen a few hundred kinds of passages learns which questions belong to which sentences, and refuses what
//! it has never seen. With other words only the comparison of question and passage helps.

use crate::made::capital;
use crate::reading::Reading;
use crate::words::Words;
use retrieval::evidence::is_function_word;
use std::collections::BTreeMap;

/// Letters of the shortest word that is replaced.
const SHORTEST: usize = 4;

/// Replaces most of the words that a question shares with the passage. The others stay: they carry what connects a question
/// with the sentence that answers it in other words.
pub fn substituted(reading: &mut Reading, words: &Words, rng: &mut fastrand::Rng) {
    let asked: Vec<String> =
        reading.questions.iter().flat_map(|(question, ..)| content(question)).map(String::from).collect();
    let mut others = BTreeMap::new();
    for word in content(&reading.passage) {
        let shared = asked.iter().any(|asked| asked == word);
        if shared && rng.u8(..100) < 80 && !others.contains_key(word) {
            others.insert(word.to_string(), words.plain(rng).to_string());
        }
    }
    reading.passage = replaced(&reading.passage, &others);
    for (question, sentence, fact) in &mut reading.questions {
        for text in [Some(question), sentence.as_mut(), Some(fact)].into_iter().flatten() {
            *text = replaced(text, &others);
        }
    }
}

/// Words in small letters that say what a text is about.
fn content(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |word: &&str| word.len() >= SHORTEST && word.bytes().all(|byte| byte.is_ascii_lowercase());
    text.split(|c: char| !c.is_alphanumeric()).filter(is_word).filter(|word| !is_function_word(word))
}

fn replaced(text: &str, others: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        let small = word.to_ascii_lowercase();
        match others.get(&small) {
            Some(other) if word == small => out.push_str(other),
            Some(other) if word == capital(&small) => out.push_str(&capital(other)),
            _ => out.push_str(word),
        }
        out.push_str(&piece[word.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_everywhere_and_whole() {
        let others = BTreeMap::from([("pump".to_string(), "candle".to_string())]);
        let text = "Pump 4: the pump's oil. Pumps, PUMP and a pump";
        assert_eq!(replaced(text, &others), "Candle 4: the candle's oil. Pumps, PUMP and a candle");
        assert_eq!(content("How old is the Pump-house door?").collect::<Vec<_>>(), ["house", "door"]);
    }
}
