// SPDX-License-Identifier: MIT
//! Figures for people: rates, durations, sizes, and the statistics of answers.
//!
//! One design rule: integers only, rounded half up, so that the same figures look the same everywhere.

use crate::say;
use core::fmt::{self, Display, Write};
use ipc_protocol::console_session::StopReason;
use ipc_protocol::session_compute::{Cost, Stop};

/// `count` per second over `micros`; "-" where nothing was measured.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how many microseconds.
    pub micros: u64,
}

impl Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 || self.micros == 0 {
            return f.write_str("-");
        }
        let (count, micros) = (u128::from(self.count), u128::from(self.micros));
        let tenths = (count * 10_000_000 + micros / 2) / micros;
        write!(f, "{}.{}", tenths / 10, tenths % 10)
    }
}

/// A duration in microseconds, shown in the unit that suits it.
#[derive(Clone, Copy, Debug)]
pub struct Micros(pub u64);

impl Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            us @ 0..1_000 => write!(f, "{us} us"),
            us @ 1_000..1_000_000 => write!(f, "{}.{} ms", us / 1_000, us % 1_000 / 100),
            us => write!(f, "{}.{:02} s", us / 1_000_000, us % 1_000_000 / 10_000),
        }
    }
}

/// A size in bytes, in binary units.
#[derive(Clone, Copy, Debug)]
pub struct Bytes(pub u64);

impl Bytes {
    /// As text that can be padded.
    pub fn shown(self) -> heapless::String<24> {
        let mut text = heapless::String::new();
        say!(text, "{self}");
        text
    }
}

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            bytes @ 0..1024 => return write!(f, "{bytes} B"),
            1024..0x10_0000 => (1 << 10, "KiB"),
            0x10_0000..0x4000_0000 => (1 << 20, "MiB"),
            _ => (1 << 30, "GiB"),
        };
        let tenths = (u128::from(self.0) * 10 + unit / 2) / unit;
        write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
    }
}

/// A stop reason in a word or two.
pub fn stop_name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::Compute(Stop::EndOfGeneration) => "eos",
        StopReason::Compute(Stop::Limit) => "limit",
        StopReason::Compute(Stop::ContextFull) => "context full",
        StopReason::Compute(Stop::Cancelled) => "cancelled",
        StopReason::StopString => "stop string",
        StopReason::Failed => "failed",
    }
}

/// Prompt tokens that had to be computed.
fn computed(cost: &Cost) -> u64 {
    u64::from(cost.prompt.saturating_sub(cost.cached))
}

fn prompt_rate(cost: &Cost) -> Rate {
    Rate { count: computed(cost), micros: cost.prompt_us }
}

/// From the first to the last token there is one step less than tokens.
fn generation_rate(cost: &Cost) -> Rate {
    Rate { count: u64::from(cost.generated).saturating_sub(1), micros: cost.generate_us }
}

/// An answer as `Answered` describes it.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Why it ended.
    pub stop: StopReason,
    /// What it cost.
    pub cost: Cost,
    /// Tokens in the context.
    pub used: u32,
    /// Of so many.
    pub context: u32,
    /// From Enter to the end, measured by the console.
    pub total_us: u64,
}

impl Answer {
    /// The line after each answer.
    pub fn line(&self, screen: &mut impl Write) {
        let (prompt, generation) = (prompt_rate(&self.cost), generation_rate(&self.cost));
        say!(*screen, "[Prompt {prompt} t/s | Generation {generation} t/s | ");
        say!(*screen, "ctx {}/{} | stop: {}]\n", self.used, self.context, stop_name(self.stop));
    }

    /// All figures, under ollama's names; `load_us` is what loading the model took, 0 where unknown.
    pub fn all(&self, screen: &mut impl Write, load_us: u64) {
        let cost = &self.cost;
        say!(*screen, "total duration:        {}\n", Micros(self.total_us));
        if load_us > 0 {
            say!(*screen, "load duration:         {}\n", Micros(load_us));
        }
        say!(*screen, "prompt eval count:     {} token(s), {} of them cached\n", cost.prompt, cost.cached);
        say!(*screen, "prompt eval duration:  {}\n", Micros(cost.prompt_us));
        say!(*screen, "prompt eval rate:      {} tokens/s\n", prompt_rate(cost));
        say!(*screen, "eval count:            {} token(s)\n", cost.generated);
        say!(*screen, "eval duration:         {}\n", Micros(cost.generate_us));
        say!(*screen, "eval rate:             {} tokens/s\n", generation_rate(cost));
        say!(*screen, "time to first token:   {}\n", Micros(cost.first_token_us));
        say!(*screen, "p99 between tokens:    {}\n", Micros(cost.p99_us));
        say!(*screen, "weight bytes copied:   {}\n", cost.weight_bytes_copied);
        say!(*screen, "weight bytes read:     {} per token, in place\n", Bytes(cost.weight_bytes_read));
        say!(*screen, "arithmetic:            {}\n", cost.arithmetic.name());
    }
}

/// Figures of all answers since the console started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    answers: u32,
    prompt: u64,
    cached: u64,
    prompt_us: u64,
    generated: u64,
    steps: u64,
    generate_us: u64,
    first_us: u64,
    worst_first_us: u64,
    worst_p99_us: u64,
    copied: u64,
}

impl Totals {
    /// Adds an answer.
    pub fn add(&mut self, cost: &Cost) {
        self.answers = self.answers.saturating_add(1);
        self.prompt = self.prompt.saturating_add(computed(cost));
        self.cached = self.cached.saturating_add(cost.cached.into());
        self.prompt_us = self.prompt_us.saturating_add(cost.prompt_us);
        self.generated = self.generated.saturating_add(cost.generated.into());
        self.steps = self.steps.saturating_add(generation_rate(cost).count);
        self.generate_us = self.generate_us.saturating_add(cost.generate_us);
        self.first_us = self.first_us.saturating_add(cost.first_token_us);
        self.worst_first_us = self.worst_first_us.max(cost.first_token_us);
        self.worst_p99_us = self.worst_p99_us.max(cost.p99_us);
        self.copied = self.copied.saturating_add(cost.weight_bytes_copied);
    }

    /// Shows them.
    pub fn show(&self, screen: &mut impl Write) {
        if self.answers == 0 {
            return say!(*screen, "no answers yet: say something first, or /bench\n");
        }
        let prompt = Rate { count: self.prompt, micros: self.prompt_us };
        let generation = Rate { count: self.steps, micros: self.generate_us };
        let mean = Micros(self.first_us / u64::from(self.answers));
        say!(*screen, "answers:               {}\n", self.answers);
        say!(*screen, "prompt:                {} token(s) computed at {prompt} t/s, ", self.prompt);
        say!(*screen, "{} more were cached\n", self.cached);
        say!(*screen, "generation:            {} token(s) at {generation} t/s\n", self.generated);
        say!(*screen, "time to first token:   mean {mean}, worst {}\n", Micros(self.worst_first_us));
        say!(*screen, "p99 between tokens:    worst {}\n", Micros(self.worst_p99_us));
        say!(*screen, "weight bytes copied:   {}\n", self.copied);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    #[test]
    fn figures_are_short_and_have_units() {
        assert_eq!(Rate { count: 10, micros: 3_000_000 }.to_string(), "3.3");
        assert_eq!(Rate { count: 0, micros: 5 }.to_string(), "-");
        assert_eq!(Micros(999).to_string(), "999 us");
        assert_eq!(Micros(1_234).to_string(), "1.2 ms");
        assert_eq!(Micros(61_239_000).to_string(), "61.23 s");
        assert_eq!(Bytes(1023).to_string(), "1023 B");
        assert_eq!(Bytes(3 << 19).to_string(), "1.5 MiB");
        assert_eq!(Bytes(u64::MAX).to_string(), "17179869184.0 GiB");
    }

    #[test]
    fn one_line_tells_rates_context_and_why_it_stopped() {
        let cost = Cost {
            prompt: 12,
            cached: 2,
            prompt_us: 100_000,
            generated: 11,
            generate_us: 500_000,
            ..Cost::default()
        };
        let stop = StopReason::Compute(Stop::EndOfGeneration);
        let mut out = String::new();
        Answer { stop, cost, used: 23, context: 256, total_us: 1 }.line(&mut out);
        assert_eq!(out, "[Prompt 100.0 t/s | Generation 20.0 t/s | ctx 23/256 | stop: eos]\n");
    }

    #[test]
    fn totals_never_overflow() {
        let (mut totals, most) = (Totals::default(), u64::MAX);
        let cost = Cost {
            prompt: u32::MAX,
            prompt_us: most,
            generate_us: most,
            first_token_us: most,
            ..Cost::default()
        };
        (0..3).for_each(|_| totals.add(&cost));
        let mut out = String::new();
        totals.show(&mut out);
        assert!(out.contains("answers:               3"));
    }
}
