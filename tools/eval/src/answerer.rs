// SPDX-License-Identifier: MIT
//! A model that is asked one thing at a time, and answers with its best tokens.

use anyhow::{Context, Result};
use inference_gguf::Gguf;
use inference_model::{CacheKind, Config, CpuFeatures, Engine, Kernels, Model, Team, Worker};
use inference_sampler::{Grammar, Matcher};
use inference_template::{Family, Message, Role};
use inference_tokenizer::{Decoder, Tokenizer};
use retrieval::evidence::{ANSWERS, QUOTATIONS};
use std::path::Path;

/// Most tokens of an answer.
const LONGEST: usize = 256;

/// What a model said.
pub struct Answer {
    pub text: String,
    /// Whether the model ended it, and not the limit.
    pub ended: bool,
}

/// A model, ready to answer.
pub struct Answerer<'a, 'm, 'b> {
    engine: &'a mut Engine<'m, 'b>,
    tokenizer: &'a Tokenizer<'a>,
    family: Family,
    context: usize,
    /// Whether the model was taught to answer from passages by quoting them.
    pub quotes: bool,
}

/// Opens a model and works with it.
///
/// # Errors
/// When the file cannot be used, or what `work` returns.
pub fn with(file: &Path, work: impl FnOnce(&mut Answerer<'_, '_, '_>) -> Result<()>) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let usable = || format!("{} is not usable", file.display());
    let gguf = Gguf::parse(&bytes).with_context(usable)?;
    let model = Model::bind(&gguf).with_context(usable)?;
    let tokenizer = Tokenizer::from_gguf(&gguf).with_context(usable)?;
    let family = inference_template::recognise(gguf.str("tokenizer.chat_template")?)?;
    let context = model.hyper.context.min(2048);
    let config = Config { context, batch: 32, workers: 1, cache: CacheKind::F16 };
    let needs = model.needs(&config, 0)?;
    let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
    let kernels = Kernels::select(CpuFeatures::detect());
    let worker = Worker::new(&model, config, kernels, Team::alone(), &mut cache, &mut scratch)?;
    let mut engine = Engine::new(worker)?;
    let quotes = gguf.str(ANSWERS)? == Some(QUOTATIONS);
    work(&mut Answerer { engine: &mut engine, tokenizer: &tokenizer, family, context, quotes })
}

impl Answerer<'_, '_, '_> {
    /// The answer to a message, held to `grammar` if there is one. A message too long for the context gets none.
    ///
    /// # Errors
    /// When the model cannot compute.
    pub fn answer(&mut self, message: &str, grammar: Option<&Grammar>) -> Result<String> {
        let tokens = self.prompt(&[Message { role: Role::User, text: message }])?;
        Ok(self.go_on(tokens, grammar)?.text)
    }

    /// The answer to the last of `messages`. Where they are too long, the first ones are left out, two at a time.
    ///
    /// # Errors
    /// When the model cannot compute.
    pub fn reply(&mut self, messages: &[Message<'_>]) -> Result<Answer> {
        let mut rest = messages;
        loop {
            let tokens = self.prompt(rest)?;
            if tokens.len() + LONGEST <= self.context || rest.len() < 3 {
                return self.go_on(tokens, None);
            }
            rest = &rest[2..];
        }
    }

    /// The best tokens after `tokens`.
    fn go_on(&mut self, mut tokens: Vec<u32>, grammar: Option<&Grammar>) -> Result<Answer> {
        let mut matcher = grammar.map(Matcher::new).transpose()?;
        let (mut decoder, mut text) = (Decoder::new(), String::new());
        let end = (tokens.len() + LONGEST).min(self.context);
        let mut ended = false;
        while tokens.len() < end {
            self.engine.advance(&tokens, &mut |_| true)?;
            let Some(token) = self.best(matcher.as_mut()) else { break };
            ended = self.family.stops(self.tokenizer, token);
            if ended {
                break;
            }
            if let Some(matcher) = &mut matcher {
                let mut piece = Vec::new();
                self.tokenizer.append_piece(token, false, &mut piece);
                matcher.accept(&piece)?;
            }
            tokens.push(token);
            decoder.push(self.tokenizer, token, &mut text);
        }
        Ok(Answer { text: text.trim().to_string(), ended })
    }

    fn prompt(&self, messages: &[Message<'_>]) -> Result<Vec<u32>> {
        let (mut segments, mut tokens) = (Vec::new(), Vec::new());
        inference_template::render(self.family, messages, true, &mut segments)?;
        inference_template::encode(self.tokenizer, self.family, &segments, &mut tokens)?;
        Ok(tokens)
    }

    /// The best token; with a grammar the best that may come next, looked for from the best one on.
    fn best(&mut self, matcher: Option<&mut Matcher<'_>>) -> Option<u32> {
        let logits = self.engine.logits();
        let Some(matcher) = matcher else { return best_of(logits) };
        let mut piece = Vec::new();
        loop {
            let token = best_of(logits)?;
            piece.clear();
            self.tokenizer.append_piece(token, false, &mut piece);
            let allowed = match self.family.stops(self.tokenizer, token) {
                true => matcher.is_complete(),
                false => !piece.is_empty() && matcher.allows(&piece),
            };
            if allowed {
                return Some(token);
            }
            logits[token as usize] = f32::NEG_INFINITY;
        }
    }
}

fn best_of(logits: &[f32]) -> Option<u32> {
    let usable = logits.iter().enumerate().filter(|(_, logit)| **logit > f32::NEG_INFINITY);
    let best = usable.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(token, _)| token as u32)
}
