// SPDX-License-Identifier: MIT
//! Byte-pair merges (Sennrich and others, 2016): again and again the most frequent pair of neighbours becomes a piece.
//! Among equals the pair that is first in the alphabet wins, so a vocabulary repeats exactly.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// A pair of neighbouring symbols.
type Pair = (u32, u32);

/// A pair that may be next: how often it occurs, and its texts, the first in the alphabet winning.
type Proposal = (i64, Reverse<(String, String)>, Pair);

/// A word as symbols, and how often it occurs.
struct Word {
    symbols: Vec<u32>,
    count: u64,
}

/// Words, symbols and pairs while pieces are merged.
#[derive(Default)]
pub struct Merges {
    texts: Vec<String>,
    words: Vec<Word>,
    counts: HashMap<Pair, i64>,
    places: HashMap<Pair, HashSet<usize>>,
    heap: BinaryHeap<Proposal>,
}

impl Merges {
    /// Begins with the characters of `words`; characters outside `alphabet` part a word.
    #[must_use]
    pub fn new(words: &[(String, u64)], alphabet: &[char]) -> Self {
        let ids: HashMap<char, u32> = alphabet.iter().zip(0..).map(|(c, id)| (*c, id)).collect();
        let texts = alphabet.iter().map(char::to_string).collect();
        let mut merges = Self { texts, ..Self::default() };
        for (word, count) in words {
            for part in word.split(|c: char| !ids.contains_key(&c)) {
                let symbols: Vec<u32> = part.chars().map(|c| ids[&c]).collect();
                if symbols.len() > 1 {
                    merges.words.push(Word { symbols, count: *count });
                }
            }
        }
        for word in 0..merges.words.len() {
            merges.count(word, 1);
        }
        let pairs: Vec<Pair> = merges.counts.keys().copied().collect();
        pairs.into_iter().for_each(|pair| merges.propose(pair));
        merges
    }

    /// Adds the pairs of a word to the counts (`sign` 1), or takes them away (-1).
    fn count(&mut self, word: usize, sign: i64) {
        let Word { symbols, count } = &self.words[word];
        for pair in symbols.windows(2) {
            let pair = (pair[0], pair[1]);
            *self.counts.entry(pair).or_default() += sign * *count as i64;
            if sign > 0 {
                self.places.entry(pair).or_default().insert(word);
            }
        }
    }

    fn propose(&mut self, pair: Pair) {
        let count = self.counts.get(&pair).copied().unwrap_or(0);
        if count > 0 {
            let name = |id: u32| self.texts[id as usize].clone();
            self.heap.push((count, Reverse((name(pair.0), name(pair.1))), pair));
        }
    }

    /// Merges the most frequent pair that occurs at least `least` times; the result is the new piece.
    pub fn next(&mut self, least: u64) -> Option<String> {
        loop {
            let (count, _, pair) = self.heap.pop()?;
            if self.counts.get(&pair) != Some(&count) {
                continue;
            }
            if count < least as i64 {
                return None;
            }
            return Some(self.merge(pair));
        }
    }

    fn merge(&mut self, pair: Pair) -> String {
        let text = format!("{}{}", self.texts[pair.0 as usize], self.texts[pair.1 as usize]);
        let new = self.texts.len() as u32;
        self.texts.push(text.clone());
        let mut changed = HashSet::new();
        for word in self.places.remove(&pair).unwrap_or_default() {
            changed.extend(self.pairs(word));
            self.count(word, -1);
            replace(&mut self.words[word].symbols, pair, new);
            self.count(word, 1);
            changed.extend(self.pairs(word));
        }
        self.counts.remove(&pair);
        changed.into_iter().for_each(|pair| self.propose(pair));
        text
    }

    fn pairs(&self, word: usize) -> Vec<Pair> {
        self.words[word].symbols.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }
}

fn replace(symbols: &mut Vec<u32>, pair: Pair, new: u32) {
    let mut out = Vec::with_capacity(symbols.len());
    let mut at = 0;
    while at < symbols.len() {
        if symbols[at..].starts_with(&[pair.0, pair.1]) {
            out.push(new);
            at += 2;
        } else {
            out.push(symbols[at]);
            at += 1;
        }
    }
    *symbols = out;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_pair_comes_first_and_words_are_not_joined() {
        let words = [("abab".to_string(), 3), ("ba".to_string(), 4), ("x".to_string(), 99)];
        let mut merges = Merges::new(&words, &['a', 'b', 'x']);
        // "ba" occurs 3 + 4 times, "ab" 6 times; then "ab" is left only as a-ba-b.
        assert_eq!(merges.next(1).as_deref(), Some("ba"));
        assert_eq!(merges.next(1).as_deref(), Some("aba"));
        assert_eq!(merges.next(1).as_deref(), Some("abab"));
        assert_eq!(merges.next(1), None);
    }

    #[test]
    fn pairs_that_are_too_rare_are_not_merged() {
        let mut merges = Merges::new(&[("ab".to_string(), 2)], &['a', 'b']);
        assert_eq!(merges.next(3), None);
    }
}
