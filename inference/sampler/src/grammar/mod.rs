// SPDX-License-Identifier: MIT
//! Grammars that an answer must follow: a subset of llama.cpp's GBNF, and the matcher that forbids other tokens.
//!
//! ```text
//! root   ::= object                       # the grammar starts at `root`
//! object ::= "{" pair ("," pair)* "}"     # literals, groups, repetition * + ? {m} {m,} {m,n}
//! pair   ::= "\"" [a-z_]+ "\":" (number | .)
//! number ::= "-"? [0-9]{1,9}              # classes [a-z], [^"\n], any character .
//! ```
//!
//! The one rule: **a grammar costs a bounded amount of work per character**. Rules that could repeat without consuming
//! anything (left recursion) are refused when the grammar is read; sizes, nesting and ambiguity have limits.
//!
//! Not in the subset: token references (`<[id]>`).

mod check;
mod error;
mod matcher;
mod parse;
mod repeat;
mod scan;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

pub use error::{GrammarError, Problem};
pub use matcher::{MatchError, Matcher};

/// One element of a rule. Alternatives of a rule are separated by `Alternative`, groups are rules of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    /// This character.
    Character(char),
    /// A character of this set.
    Set(u32),
    /// What this rule matches.
    Rule(u32),
    /// The next alternative begins after this.
    Alternative,
    /// The rule is over.
    End,
}

/// Ranges of characters, or all characters outside of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    fn has(&self, c: char) -> bool {
        self.negated != self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c))
    }

    /// Whether any character from `low` to `high` is in the set.
    fn meets(&self, low: u32, high: u32) -> bool {
        let inside = |range: &(char, char)| (u32::from(range.0), u32::from(range.1));
        if !self.negated {
            return self.ranges.iter().map(inside).any(|(first, last)| first <= high && low <= last);
        }
        // The ranges are sorted and apart: look for a hole.
        let mut next = low;
        for (first, last) in self.ranges.iter().map(inside) {
            if next < first.min(high + 1) {
                return true;
            }
            next = next.max(last + 1);
        }
        next <= high
    }
}

/// A grammar, ready for matching.
#[derive(Clone, Debug)]
pub struct Grammar {
    /// All rules, each ending with [`Element::End`].
    elements: Vec<Element>,
    /// Where each rule starts in `elements`.
    starts: Vec<u32>,
    sets: Vec<Set>,
    root: u32,
}

impl Grammar {
    /// Reads a grammar.
    ///
    /// # Errors
    /// [`GrammarError`] says what is wrong and in which line and column.
    pub fn parse(text: &str) -> Result<Self, GrammarError> {
        let grammar = parse::parse(text)?;
        check::no_left_recursion(&grammar.grammar, &grammar.places)
            .map_err(|at| GrammarError::at(text, at, Problem::LeftRecursion))?;
        Ok(grammar.grammar)
    }

    fn element(&self, at: u32) -> Element {
        self.elements.get(at as usize).copied().unwrap_or(Element::End)
    }

    fn start(&self, rule: u32) -> u32 {
        self.starts.get(rule as usize).copied().unwrap_or(u32::MAX)
    }

    /// Where each alternative of `rule` starts.
    fn alternatives(&self, rule: u32) -> impl Iterator<Item = u32> {
        let start = self.start(rule);
        let rest = self.elements.get(start as usize..).unwrap_or(&[]);
        let rest = rest.iter().take_while(|element| **element != Element::End).zip(start + 1..);
        let more = rest.filter(|(element, _)| **element == Element::Alternative).map(|(_, at)| at);
        core::iter::once(start).chain(more)
    }
}
