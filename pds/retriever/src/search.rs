// SPDX-License-Identifier: MIT
//! Questions: passages, facts and episodes for an answer, and episodes for people.

use crate::embedding::{Embedding, Purpose};
use crate::inbox::{pieces, short};
use crate::retriever::Retriever;
use crate::shelf::Store;
use crate::time;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use inference_kernels::Kernels;
use ipc_protocol::session_retriever::ToSession;
use retrieval::embed::Embedder;
use retrieval::episodes::{Event, Recency, is_about_events};
use retrieval::index::{Filter, Query8, RowDots};
use retrieval::memory::{MemoryError, Mode, Query, Recalled};

/// Episodes that `/recall` shows, and that an answer is given.
const RECALLED: usize = 8;
const FOR_AN_ANSWER: usize = 4;
/// A passage whose meaning is farther from the question's does not help to answer it.
const LEAST_COSINE: f32 = 0.2;
/// The kernels of the inference engine.
pub(crate) struct KernelDots(pub Kernels);

impl RowDots for KernelDots {
    fn dots(&self, query: &Query8, rows: &[i8], out: &mut [i32]) {
        self.0.row_dots_i8(&query.bytes, rows, out);
    }
}

/// Something for an answer.
struct Material {
    source: String,
    heading: String,
    score: f32,
    text: String,
}

impl Retriever {
    /// Finds passages for a question: at most so many, and so many bytes.
    pub(crate) fn search(
        &mut self,
        id: u32,
        most: usize,
        bytes: usize,
        question: &str,
    ) -> Result<(), String> {
        let kernel = KernelDots(self.kernels);
        let (store, embedding) = self.open_store()?;
        embedding.purpose = Purpose::Request(id);
        let found = gather(store, embedding, &kernel, question, most);
        let found = found.map_err(|error| self.failed(error))?;
        let (mut left, mut told) = (bytes, 0);
        for material in found {
            if material.text.len() > left || told == most {
                continue;
            }
            left -= material.text.len();
            told += 1;
            self.tell(id, &material);
        }
        Ok(())
    }

    fn tell(&self, id: u32, material: &Material) {
        let mut inbox = self.inbox.borrow_mut();
        let (source, heading) = (short(&material.source), short(&material.heading));
        inbox.say(ToSession::Passage { id, source, heading, score: material.score });
        for (piece, last) in pieces(&material.text) {
            inbox.say(ToSession::Text { id, piece, last });
        }
    }

    /// Finds what happened.
    pub(crate) fn recall(&mut self, id: u32, question: &str) -> Result<(), String> {
        // What has just happened, too. At most as many as can wait.
        for _ in 0..32 {
            if self.inbox.borrow().is_cancelled(id) || !self.store_event(Purpose::Request(id)) {
                break;
            }
        }
        let kernel = KernelDots(self.kernels);
        let (store, embedding) = self.open_store()?;
        embedding.purpose = Purpose::Request(id);
        let found = match question.trim() {
            "" => store.recent(RECALLED),
            text => store.recall(text, time::now(), RECALLED, Recency::default(), embedding, &kernel),
        };
        let found = found.map_err(|error| self.failed(error))?;
        let mut inbox = self.inbox.borrow_mut();
        if found.is_empty() {
            inbox.line(id, "nothing is remembered yet");
        }
        found.iter().for_each(|episode| inbox.line(id, &line(episode)));
        Ok(())
    }
}

fn line(episode: &Recalled) -> String {
    format!("  {}  {}", time::shown(episode.time), episode.text)
}

fn gather(
    store: &mut Store,
    embedding: &mut Embedding,
    kernel: &KernelDots,
    question: &str,
    most: usize,
) -> Result<Vec<Material>, MemoryError> {
    let query = Query { text: question, limit: most, mode: Mode::Hybrid, filter: Filter::default() };
    let meaning = embedding.finds_meaning();
    let answer = store.search(&query, embedding, kernel)?;
    let near = answer
        .passages
        .into_iter()
        .filter(|found| !meaning || found.cosine.is_none_or(|cosine| cosine >= LEAST_COSINE));
    let mut all: Vec<Material> = near
        .map(|found| Material {
            score: found.cosine.filter(|_| meaning).unwrap_or(found.score),
            source: found.path,
            heading: found.heading,
            text: found.text,
        })
        .collect();
    if !answer.facts.is_empty() {
        // What the question or a passage names, exactly.
        let facts =
            answer.facts.iter().map(|fact| format!("{} {} {}\n", fact.subject, fact.relation, fact.object));
        all.push(Material {
            source: "facts".into(),
            heading: String::new(),
            score: 1.0,
            text: facts.collect(),
        });
    }
    if is_about_events(question) {
        let mut found =
            store.recall(question, time::now(), FOR_AN_ANSWER, Recency::default(), embedding, kernel)?;
        // That the same was asked before is no answer.
        let asked = Event::Conversation { question, answer: "" }.summary();
        found.retain(|episode| !episode.text.starts_with(asked.trim_end()));
        let score = found.first().map_or(0.0, |episode| episode.score);
        let text: String = found.iter().map(|episode| line(episode) + "\n").collect();
        if !text.is_empty() {
            all.push(Material { source: "episodes".into(), heading: String::new(), score, text });
        }
    }
    Ok(all)
}
