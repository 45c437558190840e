//! What is wrong with an input, where, and what to do about it.
//!
//! One design rule: checks collect [`Problem`]s instead of stopping, so one run teaches everything it can.
//! A message reads `file:line:column: <element> attribute 'name': what is wrong; what to do`.

use std::fmt;
use std::sync::Arc;

/// A place in a text file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the caller named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it has a place in a file.
    pub place: Option<Place>,
    /// What is wrong and what to do, naming element and attribute.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Problems that are shown: a file with more is not a description with mistakes.
const SHOWN: usize = 60;

/// Everything found wrong in one run; as an error it is never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem at a place.
    pub fn at(&mut self, place: &Place, message: impl Into<String>) {
        self.0.push(Problem { place: Some(place.clone()), message: message.into() });
    }

    /// Notes a problem that has no place in a text file.
    pub fn general(&mut self, message: impl Into<String>) {
        self.0.push(Problem { place: None, message: message.into() });
    }

    /// A single problem without a place, as an error.
    pub fn one(message: impl Into<String>) -> Self {
        let mut problems = Self::default();
        problems.general(message);
        problems
    }

    /// A single problem at a place, as an error.
    pub fn one_at(place: &Place, message: impl Into<String>) -> Self {
        let mut problems = Self::default();
        problems.at(place, message);
        problems
    }

    /// Takes over the problems of another run.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The problems, in the order found.
    pub fn list(&self) -> &[Problem] {
        &self.0
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` where nothing was found.
    ///
    /// # Errors
    /// The problems, where there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, problem) in self.0.iter().take(SHOWN).enumerate() {
            let end = if line == 0 { "" } else { "\n" };
            write!(f, "{end}error: {problem}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nerror: and {more} more; mend these first"),
        }
    }
}

impl std::error::Error for Problems {}

/// The candidate closest to a mistyped word, where one is close enough to be meant; looks at the first 200.
pub fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let likely =
        candidates.into_iter().take(200).filter(|candidate| candidate.len().abs_diff(word.len()) < 8);
    let (cost, best) =
        likely.map(|candidate| (distance(word, candidate), candidate)).min_by_key(|(cost, _)| *cost)?;
    (cost * 3 <= word.len()).then_some(best)
}

/// "; did you mean 'x'?" or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    suggestion(word, candidates).map_or_else(String::new, |best| format!("; did you mean '{best}'?"))
}

/// Levenshtein distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.bytes().enumerate() {
            let replace = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        assert_eq!(suggestion("prioritty", ["name", "priority"]), Some("priority"));
        assert_eq!(suggestion("colour", ["name", "priority"]), None);
    }
}
