// SPDX-License-Identifier: MIT
//! `benchmark`: a fixed number of tokens from a fixed prompt, and how fast that was.
//!
//! One design rule: nothing is served from the cache, nothing ends it early, nothing is shown while it runs.

use crate::request::{Generation, Kind};
use crate::session::Session;
use alloc::format;
use inference_template::{Message, Role};
use ipc_protocol::List;
use ipc_protocol::console_session::Level;
use ipc_protocol::session_compute::{Cost, Sampling, ToCompute};

const TEXT: &str = "Once upon a time there was a little girl who lived in a house near the forest. ";
/// Tokens of the prompt and tokens generated, where the context holds them.
const PROMPT: u32 = 64;
const GENERATED: u32 = 64;

impl Session {
    /// Begins a measurement.
    pub(crate) fn benchmark(&mut self) {
        if let Some(why) = self.why_no_model() {
            return self.refuse(&why);
        }
        let message = Message { role: Role::User, text: TEXT };
        let tokens = match self.model.language.as_ref().map(|language| language.prompt(&[message])) {
            Some(Ok(tokens)) if tokens.len() > 1 => tokens,
            Some(Err(why)) => return self.refuse(&why),
            _ => return self.refuse("the model's vocabulary makes no tokens of the benchmark's text"),
        };
        let context = self.context();
        let prompt = Self::repeated(&tokens, PROMPT.min(context / 2) as usize);
        let limit = GENERATED.min(context.saturating_sub(prompt.len() as u32));
        let greedy = Sampling { temperature: 0.0, ..Sampling::default() };
        self.compute.push(ToCompute::Erase);
        self.generate(Kind::Benchmark, Generation::new(prompt, limit, greedy, List::default()));
    }

    /// Tells what was measured.
    pub(crate) fn finish_benchmark(&mut self, cost: Cost) {
        self.generation = None;
        let facts = self.model.facts;
        let workers = facts.map_or(0, |facts| facts.workers);
        let computed = u64::from(cost.prompt.saturating_sub(cost.cached));
        let steps = u64::from(cost.generated).saturating_sub(1);
        self.say(
            Level::Plain,
            &format!(
                "prompt:      {computed} token(s) in {} ms, {} t/s\n\
                 generation:  {} token(s) in {} ms, {} t/s, with {workers} worker(s)\n\
                 first token: {} ms; p99 between tokens: {} ms\n\
                 weights:     {} bytes copied, {} bytes read in place per token\n\
                 model:       {} {}",
                millis(cost.prompt_us),
                rate(computed, cost.prompt_us),
                cost.generated,
                millis(cost.generate_us),
                rate(steps, cost.generate_us),
                millis(cost.first_token_us),
                millis(cost.p99_us),
                cost.weight_bytes_copied,
                cost.weight_bytes_read,
                crate::session::text(self.model.name.as_slice()),
                self.shown_hash(),
            ),
        );
        self.end(cost.generated > 0);
    }

    /// The first bytes of the model's hash.
    pub(crate) fn shown_hash(&self) -> alloc::string::String {
        crate::models::hex(&self.model.hash)
    }
}

fn millis(micros: u64) -> alloc::string::String {
    format!("{}.{}", micros / 1000, micros % 1000 / 100)
}

fn rate(count: u64, micros: u64) -> alloc::string::String {
    match micros {
        0 => "-".into(),
        _ => {
            let tenths = (u128::from(count) * 10_000_000 + u128::from(micros) / 2) / u128::from(micros);
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    }
}
