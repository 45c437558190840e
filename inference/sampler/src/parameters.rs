// SPDX-License-Identifier: MIT
//! The sampling parameters, their defaults and their ranges.

use core::fmt;
use core::ops::RangeInclusive;

const TEMPERATURE: RangeInclusive<f32> = 0.0..=10.0;
const TOP_K: RangeInclusive<u32> = 0..=1_000_000;
const SHARE: RangeInclusive<f32> = 0.0..=1.0;
const REPEAT_PENALTY: RangeInclusive<f32> = 0.1..=10.0;
const REPEAT_LAST_N: RangeInclusive<u32> = 0..=1024;

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// Divides the logits before the draw; 0 takes the best token.
    pub temperature: f32,
    /// Keeps the best so many; 0 keeps all.
    pub top_k: u32,
    /// Keeps the best whose probabilities reach this sum; 1 keeps all.
    pub top_p: f32,
    /// Drops what is less probable than this share of the best; 0 drops nothing.
    pub min_p: f32,
    /// Divides positive and multiplies negative logits of recent tokens; 1 changes nothing.
    pub repeat_penalty: f32,
    /// How many tokens count as recent.
    pub repeat_last_n: u32,
    /// Chooses the sequence of random numbers.
    pub seed: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            temperature: 0.8,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            repeat_penalty: 1.0,
            repeat_last_n: 64,
            seed: 0,
        }
    }
}

impl Parameters {
    /// Always the best token.
    #[must_use]
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::default() }
    }

    /// Whether the best token is taken without a draw.
    #[must_use]
    pub fn is_greedy(&self) -> bool {
        self.temperature <= 0.0 || self.temperature.is_nan()
    }

    /// The names that [`Parameters::set`] knows.
    pub const NAMES: [&str; 7] =
        ["temperature", "top_k", "top_p", "min_p", "repeat_penalty", "repeat_last_n", "seed"];

    /// Checks every value, for parameters that came from another domain.
    ///
    /// # Errors
    /// [`ParameterError`] names the first value that is out of its range.
    pub fn validate(&self) -> Result<(), ParameterError> {
        in_range("temperature", self.temperature, TEMPERATURE)?;
        in_range("top_k", self.top_k, TOP_K)?;
        in_range("top_p", self.top_p, SHARE)?;
        in_range("min_p", self.min_p, SHARE)?;
        in_range("repeat_penalty", self.repeat_penalty, REPEAT_PENALTY)?;
        in_range("repeat_last_n", self.repeat_last_n, REPEAT_LAST_N)?;
        Ok(())
    }

    /// Sets the parameter called `name` to the number written in `value`, or changes nothing.
    ///
    /// # Errors
    /// An unknown name, or a value that is no number or out of range: the message says what is right.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ParameterError> {
        match name {
            "temperature" => self.temperature = number("temperature", value, TEMPERATURE)?,
            "top_k" => self.top_k = number("top_k", value, TOP_K)?,
            "top_p" => self.top_p = number("top_p", value, SHARE)?,
            "min_p" => self.min_p = number("min_p", value, SHARE)?,
            "repeat_penalty" => self.repeat_penalty = number("repeat_penalty", value, REPEAT_PENALTY)?,
            "repeat_last_n" => self.repeat_last_n = number("repeat_last_n", value, REPEAT_LAST_N)?,
            "seed" => self.seed = number("seed", value, 0..=u64::MAX)?,
            _ => return Err(ParameterError::UnknownName),
        }
        Ok(())
    }

    /// How many candidates [`crate::sample`] needs room for, with `vocabulary` tokens.
    #[must_use]
    pub fn candidates(&self, vocabulary: usize) -> usize {
        match (self.is_greedy(), self.top_k as usize) {
            (true, _) => 0,
            (false, 0) => vocabulary,
            (false, top_k) => top_k.min(vocabulary),
        }
    }
}

/// Why a parameter was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParameterError {
    /// There is no parameter of this name; [`Parameters::NAMES`] are the ones there are.
    UnknownName,
    /// The value must be a number from `least` to `most`.
    OutOfRange { name: &'static str, least: f64, most: f64 },
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName => {
                f.write_str("unknown parameter; there are")?;
                let mut names = Parameters::NAMES.iter();
                names.try_for_each(|name| write!(f, " {name}"))
            }
            Self::OutOfRange { name: "seed", .. } => {
                f.write_str("seed must be a whole number from 0 to 2^64-1")
            }
            Self::OutOfRange { name, least, most } => {
                let whole =
                    if matches!(*name, "top_k" | "repeat_last_n") { "whole number" } else { "number" };
                write!(f, "{name} must be a {whole} from {least} to {most}")
            }
        }
    }
}

impl core::error::Error for ParameterError {}

/// A number that can stand in a message.
trait Number: Copy + PartialOrd + core::str::FromStr {
    fn shown(self) -> f64;
}

impl Number for f32 {
    /// The decimal number that was meant: 0.1 rather than the nearest `f32` in full.
    fn shown(self) -> f64 {
        libm::round(f64::from(self) * 1e6) / 1e6
    }
}

impl Number for u32 {
    fn shown(self) -> f64 {
        f64::from(self)
    }
}

impl Number for u64 {
    fn shown(self) -> f64 {
        self as f64
    }
}

fn in_range<T: Number>(name: &'static str, value: T, range: RangeInclusive<T>) -> Result<T, ParameterError> {
    let (least, most) = (range.start().shown(), range.end().shown());
    if range.contains(&value) { Ok(value) } else { Err(ParameterError::OutOfRange { name, least, most }) }
}

fn number<T: Number>(name: &'static str, text: &str, range: RangeInclusive<T>) -> Result<T, ParameterError> {
    let (least, most) = (range.start().shown(), range.end().shown());
    let value = text.trim().parse().map_err(|_| ParameterError::OutOfRange { name, least, most })?;
    in_range(name, value, range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn defaults_are_llama_cpps_and_valid() {
        let defaults = Parameters::default();
        assert_eq!(defaults.validate(), Ok(()));
        assert_eq!((defaults.temperature, defaults.top_k, defaults.top_p), (0.8, 40, 0.95));
        assert_eq!((defaults.min_p, defaults.repeat_penalty, defaults.repeat_last_n), (0.05, 1.0, 64));
    }

    #[test]
    fn a_refused_value_names_the_range_and_changes_nothing() {
        let mut parameters = Parameters::default();
        for (name, value, message) in [
            ("temperature", "-1", "temperature must be a number from 0 to 10"),
            ("temperature", "nan", "temperature must be a number from 0 to 10"),
            ("top_k", "1.5", "top_k must be a whole number from 0 to 1000000"),
            ("top_p", "1.01", "top_p must be a number from 0 to 1"),
            ("min_p", "inf", "min_p must be a number from 0 to 1"),
            ("repeat_penalty", "0", "repeat_penalty must be a number from 0.1 to 10"),
            ("repeat_last_n", "-1", "repeat_last_n must be a whole number from 0 to 1024"),
            ("seed", "x", "seed must be a whole number from 0 to 2^64-1"),
        ] {
            assert_eq!(parameters.set(name, value).unwrap_err().to_string(), message);
        }
        assert_eq!(parameters, Parameters::default());
        assert!(parameters.set("heat", "1").unwrap_err().to_string().contains("repeat_last_n"));
    }

    #[test]
    fn every_name_can_be_set() {
        let mut parameters = Parameters::default();
        for name in Parameters::NAMES {
            parameters.set(name, "1").unwrap();
        }
        assert_eq!(parameters.seed, 1);
    }

    #[test]
    fn values_from_another_domain_are_checked() {
        let nan = Parameters { temperature: f32::NAN, ..Parameters::default() };
        assert!(nan.validate().is_err());
        let many = Parameters { repeat_last_n: u32::MAX, ..Parameters::default() };
        assert!(many.validate().is_err());
    }
}
