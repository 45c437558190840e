// SPDX-License-Identifier: MIT
//! Passages for an answer: asked for before the answer is made, fitted to the context, counted.

use crate::language::Language;
use crate::library::{Found, Purpose, Search};
use crate::request::Kind;
use crate::retriever_side::SILENCE;
use crate::session::{Session, pieces};
use crate::sources;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use inference_sampler::Grammar;
use ipc_protocol::console_session::Level;
use ipc_protocol::session_retriever::{Embedding, Task, ToRetriever};
use retrieval::prompt::{self, Form, Material};

/// Most passages, and most bytes of them, for an answer.
pub(crate) const PASSAGES: u8 = 6;
pub(crate) const BYTES: u32 = 8 * 1024;
/// Most tokens of passages in a prompt.
const TOKENS: usize = 1536;
/// Of a small context passages may fill what question and answer leave; of a large one half, for the conversation's sake.
const SMALL: usize = 512;
/// Tokens that a template may add.
const TEMPLATE: usize = 32;

impl Session {
    /// Asks for passages before `message` is answered; gives it back where there is nobody or nothing to ask.
    pub(crate) fn ask_for_passages(&mut self, message: String) -> Option<String> {
        self.library.injected.clear();
        self.library.figures = None;
        self.library.quotations = None;
        if !self.library.on || !self.library.has_something(&message) {
            return Some(message);
        }
        if self.has_learnt(&message) {
            self.library.figures = Some("[Retrieval none | you gave the answer to this question]".into());
            return Some(message);
        }
        let purpose = Purpose::Answer(message.clone());
        self.search(purpose, &message);
        if let Some(request) = self.request.as_mut() {
            request.kind = Kind::Retrieve;
        }
        None
    }

    pub(crate) fn search(&mut self, purpose: Purpose, question: &str) {
        self.library.search = Some(Search { purpose, found: Vec::new() });
        self.send_text(Task::Search { passages: PASSAGES, bytes: BYTES }, question);
    }

    pub(crate) fn send_text(&mut self, task: Task, whole: &str) {
        let id = self.next_id();
        self.library.request = id;
        for (piece, last) in pieces(whole) {
            self.library.push(ToRetriever::Text { id, task, piece, last });
        }
        self.patience.start(SILENCE);
    }

    pub(crate) fn retrieval_done(&mut self, ok: bool, embedding: Embedding, micros: u64) {
        let label = self.library.embedding(embedding);
        match self.library.search.take() {
            Some(Search { purpose: Purpose::Answer(message), found }) => {
                let message = self.with_passages(message, &found, &label, micros);
                self.say_and_answer(message);
            }
            Some(Search { purpose: Purpose::Show, found }) => {
                let lines = sources::found(&found, &label);
                self.say(Level::Plain, &lines);
                self.end(ok);
            }
            None => self.end(ok),
        }
    }

    /// The message with the passages that fit the context, as one text.
    fn with_passages(
        &mut self,
        message: String,
        found: &[Found],
        label: &str,
        micros: u64,
    ) -> (String, Option<String>) {
        let materials: Vec<Material<'_>> = found
            .iter()
            .map(|found| Material {
                source: &found.source,
                heading: &found.heading,
                score: found.score,
                text: &found.text,
            })
            .collect();
        let count = |text: &str| self.tokens_of(text);
        let context = self.context() as usize;
        let room = context.saturating_sub(context / 4).saturating_sub(count(&message) + TEMPLATE);
        let budget = room.min(SMALL) + room.saturating_sub(SMALL) / 2;
        let form = if self.quotes() { Form::Sentences } else { Form::Passages };
        let assembly =
            prompt::assemble(&message, &materials, form, budget.min(TOKENS), |segment| count(segment.text()));
        self.hold_to(assembly.quotations.as_deref());
        let bytes: usize = assembly.injected.iter().map(|injected| injected.bytes).sum();
        let (count, left_out) = (assembly.injected.len(), assembly.left_out);
        let left = if left_out > 0 { format!(", {left_out} did not fit") } else { String::new() };
        let unfinished = self.library.unfinished();
        let quoted = if self.library.quotations.is_some() { " | quoted" } else { "" };
        self.library.figures = Some(format!(
            "[Retrieval {label} | {count} passage(s), {bytes} bytes{left} | {} ms{unfinished}{quoted}]",
            micros / 1000
        ));
        (self.library.injected, self.library.left_out) = (assembly.injected, left_out);
        let whole: String = assembly.segments.iter().map(prompt::Segment::text).collect();
        let whole = (!whole.is_empty()).then_some(whole);
        (message, whole)
    }

    /// Whether answers from passages are to be quotations.
    fn quotes(&self) -> bool {
        let taught = || self.model.language.as_ref().is_some_and(Language::quotes);
        self.library.quote.unwrap_or_else(taught)
    }

    /// Holds the answer to the closest sentences, if it is to be a quotation.
    fn hold_to(&mut self, quotations: Option<&str>) {
        if self.quotes() {
            self.library.quotations = quotations.and_then(|grammar| Grammar::parse(grammar).ok());
        }
    }

    fn tokens_of(&self, text: &str) -> usize {
        let Some(language) = &self.model.language else { return text.len() };
        let mut tokens = Vec::new();
        match language.tokenizer.encode(text, false, false, &mut tokens) {
            Ok(()) => tokens.len(),
            Err(_) => text.len(),
        }
    }

    /// The line of figures about passages that stands above an answer's own.
    pub(crate) fn say_retrieval_figures(&mut self) {
        if let Some(figures) = self.library.figures.take() {
            self.say(Level::Plain, &figures);
        }
    }
}
