// SPDX-License-Identifier: MIT
//! Sampling parameters and limits, as the user sets them.
//!
//! One design rule: a value that is refused changes nothing, and the message names the range.

use crate::stops::{MOST, Stops};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use inference_sampler::{ParameterError, Parameters};
use ipc_protocol::session_compute::Sampling;

/// Smallest context that can be asked for.
pub const LEAST_CONTEXT: u32 = 16;

/// What the user can set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    parameters: Parameters,
    /// `None`: another one for each answer.
    seed: Option<u64>,
    last_seed: Option<u64>,
    /// Most tokens of an answer; `None`: as many as the context holds.
    pub predict: Option<u32>,
    /// Tokens of context to use; `None`: what the model and the cache hold.
    pub context: Option<u32>,
    /// Texts at which an answer ends.
    pub stops: Stops,
}

impl Settings {
    /// Sets what is called `name`; the answer says what it is now.
    ///
    /// # Errors
    /// A message for the user that names what is right.
    pub fn set(&mut self, name: &str, value: &str) -> Result<String, String> {
        match name {
            "seed" => self.set_seed(value)?,
            "num_predict" => self.predict = limit(name, value, "-1 (no limit)", 1)?,
            "num_ctx" => self.context = limit(name, value, "0 (all there is)", LEAST_CONTEXT)?,
            "stop" => self.set_stop(value)?,
            _ => self.parameters.set(name, value).map_err(|error| self.explain(error))?,
        }
        Ok(format!("{name} is {}", self.value(name)))
    }

    fn explain(&self, error: ParameterError) -> String {
        match error {
            ParameterError::UnknownName => {
                let names: Vec<_> = NAMES.to_vec();
                format!("unknown parameter; there are {}", names.join(", "))
            }
            other => other.to_string(),
        }
    }

    fn set_seed(&mut self, value: &str) -> Result<(), String> {
        self.seed = match value {
            "random" | "-1" => None,
            number => Some(
                number
                    .parse()
                    .map_err(|_| String::from("seed must be a whole number from 0 to 2^64-1, or random"))?,
            ),
        };
        Ok(())
    }

    fn set_stop(&mut self, value: &str) -> Result<(), String> {
        let text = value.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(value);
        if text.is_empty() {
            self.stops.clear();
        } else if !self.stops.add(text) {
            return Err(format!("there are {MOST} stop strings already; /set stop \"\" forgets them"));
        }
        Ok(())
    }

    /// How to choose tokens; `random` is the seed where none is set.
    pub fn sampling(&mut self, random: u64) -> Sampling {
        let seed = self.seed.unwrap_or(random);
        self.last_seed = Some(seed);
        let Parameters { temperature, top_k, top_p, min_p, repeat_penalty, repeat_last_n, .. } =
            self.parameters;
        Sampling { temperature, top_k, top_p, min_p, repeat_penalty, repeat_last_n, seed }
    }

    /// The value of what is called `name`, for people.
    pub fn value(&self, name: &str) -> String {
        let p = &self.parameters;
        match name {
            "temperature" => format!("{}", p.temperature),
            "top_k" => format!("{}", p.top_k),
            "top_p" => format!("{}", p.top_p),
            "min_p" => format!("{}", p.min_p),
            "repeat_penalty" => format!("{}", p.repeat_penalty),
            "repeat_last_n" => format!("{}", p.repeat_last_n),
            "seed" => self.shown_seed(),
            "num_predict" => self.predict.map_or("-1 (no limit)".into(), |limit| format!("{limit}")),
            "num_ctx" => self.context.map_or("0 (all there is)".into(), |limit| format!("{limit}")),
            "stop" if self.stops.texts().is_empty() => "not set".into(),
            "stop" => {
                self.stops.texts().iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ")
            }
            _ => String::new(),
        }
    }

    fn shown_seed(&self) -> String {
        match (self.seed, self.last_seed) {
            (Some(seed), _) => format!("{seed}"),
            (None, Some(last)) => format!("random (the last one was {last})"),
            (None, None) => "random".into(),
        }
    }
}

pub use ipc_protocol::console_session::PARAMETERS as NAMES;

fn limit(name: &str, value: &str, none: &str, least: u32) -> Result<Option<u32>, String> {
    let all = none.split(' ').next().unwrap_or("");
    if value == all {
        return Ok(None);
    }
    let refused = || format!("{name} must be a whole number from {least} to {}, or {none}", u32::MAX);
    value.parse().ok().filter(|number| *number >= least).map(Some).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_set_and_shown() {
        let mut settings = Settings::default();
        for name in NAMES.iter().filter(|name| **name != "template") {
            let value = if *name == "num_ctx" { "64" } else { "1" };
            let answer = settings.set(name, value).unwrap();
            assert!(answer.starts_with(&format!("{name} is ")) && answer.len() > name.len() + 4, "{answer}");
        }
    }

    #[test]
    fn refusals_name_the_range() {
        let mut settings = Settings::default();
        for (name, value, range) in [
            ("temperature", "-1", "from 0 to 10"),
            ("temperature", "hot", "from 0 to 10"),
            ("top_p", "2", "from 0 to 1"),
            ("seed", "x", "from 0 to 2^64-1"),
            ("num_predict", "0", "from 1 to 4294967295, or -1"),
            ("num_ctx", "3", "from 16 to 4294967295, or 0"),
            ("heat", "1", "there are temperature, top_k"),
        ] {
            let message = settings.set(name, value).unwrap_err();
            assert!(message.contains(range), "{message}");
        }
    }

    #[test]
    fn a_seed_holds_until_it_is_random_again() {
        let mut settings = Settings::default();
        assert_eq!(settings.sampling(5).seed, 5);
        assert_eq!(settings.value("seed"), "random (the last one was 5)");
        settings.set("seed", "7").unwrap();
        assert_eq!((settings.sampling(5).seed, settings.sampling(6).seed), (7, 7));
        settings.set("seed", "random").unwrap();
        assert_eq!(settings.sampling(6).seed, 6);
    }
}
