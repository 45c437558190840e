// SPDX-License-Identifier: MIT
//! BM25 over compact postings: words that vectors miss (names, numbers, identifiers) are found.
//!
//! A posting list is bytes: per document, the distance from the previous document and the count, as varints. Removed
//! documents stay in the lists, unseen, until a quarter of all is garbage; then the lists are rewritten.
//! Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009).
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::tokens::{for_each_token, token_hash};
use super::{Entry, Filter, Hit, IndexError, TopK};

/// How scores saturate and how length counts.
#[derive(Clone, Copy, Debug)]
pub struct Bm25Parameters {
    /// Saturation of a term's count.
    pub k1: f32,
    /// 0: length does not count, 1: fully.
    pub b: f32,
}

impl Default for Bm25Parameters {
    fn default() -> Self {
        Self { k1: 1.2, b: 0.75 }
    }
}

struct Document {
    entry: Entry,
    /// Terms in it; `None` once it is removed.
    length: Option<u32>,
}

#[derive(Default)]
struct Postings {
    bytes: Vec<u8>,
    last: u32,
}

/// An inverted index of passages.
pub struct Bm25 {
    parameters: Bm25Parameters,
    limit: usize,
    terms: BTreeMap<u64, Postings>,
    documents: Vec<Document>,
    number_of: BTreeMap<u64, u32>,
    /// Sum of the lengths of the documents that are not removed.
    total_length: u64,
}

impl Postings {
    fn push(&mut self, document: u32, count: u32) -> Result<(), IndexError> {
        self.bytes.try_reserve(10).map_err(|_| IndexError::OutOfMemory)?;
        push_varint(&mut self.bytes, document - self.last);
        push_varint(&mut self.bytes, count);
        self.last = document;
        Ok(())
    }

    /// (document, count), in order of documents.
    fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut bytes = self.bytes.iter();
        let mut document = 0;
        core::iter::from_fn(move || {
            document += read_varint(&mut bytes)?;
            Some((document, read_varint(&mut bytes)?))
        })
    }
}

fn push_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<u32> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *bytes.next()?;
        value |= u32::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
    }
}

/// Counts of the terms of a text.
fn count_terms(text: &str) -> BTreeMap<u64, u32> {
    let mut counts = BTreeMap::new();
    for_each_token(text, |token| *counts.entry(token_hash(token.as_bytes())).or_insert(0) += 1);
    counts
}

impl Bm25 {
    /// An empty index for at most `limit` passages.
    pub fn new(limit: usize, parameters: Bm25Parameters) -> Self {
        let limit = limit.min((u32::MAX / 2) as usize);
        let (terms, documents, number_of) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self { parameters, limit, terms, documents, number_of, total_length: 0 }
    }

    /// Number of passages.
    pub fn len(&self) -> usize {
        self.number_of.len()
    }

    /// True if there is no passage.
    pub fn is_empty(&self) -> bool {
        self.number_of.is_empty()
    }

    /// True if there is a passage of this id.
    pub fn contains(&self, id: u64) -> bool {
        self.number_of.contains_key(&id)
    }

    /// The ids of all passages.
    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.number_of.keys().copied()
    }

    /// What is known about a passage.
    pub fn entry(&self, id: u64) -> Option<Entry> {
        self.number_of.get(&id).map(|number| self.documents[*number as usize].entry)
    }

    /// Bytes of all posting lists.
    pub fn postings_bytes(&self) -> usize {
        self.terms.values().map(|postings| postings.bytes.len()).sum()
    }

    /// Adds or replaces a passage.
    ///
    /// # Errors
    /// [`IndexError::Full`], [`IndexError::OutOfMemory`].
    pub fn insert(&mut self, entry: Entry, text: &str) -> Result<(), IndexError> {
        self.remove(entry.id);
        if self.number_of.len() >= self.limit {
            return Err(IndexError::Full { limit: self.limit });
        }
        self.documents.try_reserve(1).map_err(|_| IndexError::OutOfMemory)?;
        let number = self.documents.len() as u32;
        let counts = count_terms(text);
        for (term, count) in &counts {
            self.terms.entry(*term).or_default().push(number, *count)?;
        }
        let length = counts.values().sum();
        self.total_length += u64::from(length);
        self.documents.push(Document { entry, length: Some(length) });
        self.number_of.insert(entry.id, number);
        Ok(())
    }

    /// Removes a passage; `false` if there is none of this id.
    pub fn remove(&mut self, id: u64) -> bool {
        let Some(number) = self.number_of.remove(&id) else { return false };
        let length = self.documents[number as usize].length.take();
        self.total_length -= u64::from(length.unwrap_or(0));
        if self.documents.len() > 64 && self.number_of.len() * 4 < self.documents.len() * 3 {
            self.rewrite();
        }
        true
    }

    /// Drops removed documents and numbers the others anew, in the same order.
    fn rewrite(&mut self) {
        let mut next = 0;
        let renumber = |document: &Document| {
            next += u32::from(document.length.is_some());
            document.length.map(|_| next - 1)
        };
        let numbers: Vec<Option<u32>> = self.documents.iter().map(renumber).collect();
        for postings in self.terms.values_mut() {
            let mut fresh = Postings::default();
            for (document, count) in postings.iter() {
                if let Some(number) = numbers[document as usize] {
                    // A shorter list than before: if this ran out of memory, the old one would have too.
                    let _ = fresh.push(number, count);
                }
            }
            *postings = fresh;
        }
        self.terms.retain(|_, postings| !postings.bytes.is_empty());
        self.documents.retain(|document| document.length.is_some());
        self.number_of = self.documents.iter().enumerate().map(|(n, d)| (d.entry.id, n as u32)).collect();
    }

    /// The `k` passages that fit the query's words best, best first.
    pub fn search(&self, query: &str, k: usize, filter: &Filter<'_>) -> Vec<Hit> {
        let mut scores = alloc::vec![0.0f32; self.documents.len()];
        for (term, times) in count_terms(query) {
            if let Some(postings) = self.terms.get(&term) {
                self.score_term(postings, times as f32, &mut scores);
            }
        }
        let mut top = TopK::new(k);
        for (document, score) in self.documents.iter().zip(&scores) {
            if *score > 0.0 && filter.admits(&document.entry) {
                top.push(*score, document.entry.id);
            }
        }
        top.into_sorted().into_iter().map(|(score, id)| Hit { id, score }).collect()
    }

    fn score_term(&self, postings: &Postings, times: f32, scores: &mut [f32]) {
        let live =
            || postings.iter().filter_map(|(d, count)| Some((d, count, self.documents[d as usize].length?)));
        let (n, with_term) = (self.number_of.len() as f32, live().count() as f32);
        let idf = libm::logf(1.0 + (n - with_term + 0.5) / (with_term + 0.5));
        let average = self.total_length as f32 / n.max(1.0);
        let Bm25Parameters { k1, b } = self.parameters;
        for (document, count, length) in live() {
            let count = count as f32;
            let norm = k1 * (1.0 - b + b * length as f32 / average.max(1.0));
            scores[document as usize] += times * idf * count * (k1 + 1.0) / (count + norm);
        }
    }
}
