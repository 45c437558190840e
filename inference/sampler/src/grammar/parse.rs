// SPDX-License-Identifier: MIT
//! From text to rules, by recursive descent; only groups recurse, to a limited depth.

use alloc::vec::Vec;

use super::error::{GrammarError, Problem};
use super::repeat;
use super::scan::Scanner;
use super::{Element, Grammar, Set};

const DEEPEST: usize = 64;
const MOST_RULES: usize = 8192;
pub(super) const MOST_ELEMENTS: usize = 65_536;

/// A grammar and where each of its rules stands in the text.
pub(super) struct Parsed {
    pub grammar: Grammar,
    pub places: Vec<usize>,
}

/// A rule while the text is read.
struct Rule<'t> {
    /// Empty for groups and repetitions.
    name: &'t str,
    /// Where it was first mentioned or defined.
    place: usize,
    elements: Option<Vec<Element>>,
}

pub(super) struct Parser<'t> {
    scanner: Scanner<'t>,
    rules: Vec<Rule<'t>>,
    sets: Vec<Set>,
    elements: usize,
}

/// # Errors
/// As [`Grammar::parse`].
pub(super) fn parse(text: &str) -> Result<Parsed, GrammarError> {
    let scanner = Scanner { text, at: 0 };
    let mut parser = Parser { scanner, rules: Vec::new(), sets: Vec::new(), elements: 0 };
    parser.scanner.skip_space(true);
    while parser.scanner.peek().is_some() {
        parser.rule()?;
        parser.scanner.skip_space(true);
    }
    parser.finish()
}

impl<'t> Parser<'t> {
    /// `name ::= alternatives`
    fn rule(&mut self) -> Result<(), GrammarError> {
        let place = self.scanner.at;
        let name = self.scanner.name();
        if name.is_empty() {
            return self.scanner.error(Problem::Expected("a rule's name"));
        }
        self.scanner.skip_space(false);
        if !self.scanner.eat("::=") {
            return self.scanner.error(Problem::Expected("'::='"));
        }
        let id = self.rule_id(name, place)?;
        if self.rules[id as usize].elements.is_some() {
            return Err(GrammarError::at(self.scanner.text, place, Problem::DuplicateRule));
        }
        self.rules[id as usize].place = place;
        self.scanner.skip_space(true);
        let elements = self.alternatives(0)?;
        if !matches!(self.scanner.peek(), None | Some('\n')) {
            return self.scanner.error(Problem::Expected("'|', an item or the end of the line"));
        }
        self.rules[id as usize].elements = Some(elements);
        Ok(())
    }

    /// Sequences separated by `|`. Inside groups they may go over several lines.
    fn alternatives(&mut self, depth: usize) -> Result<Vec<Element>, GrammarError> {
        let mut elements = Vec::new();
        loop {
            self.sequence(depth, &mut elements)?;
            if !self.scanner.eat("|") {
                return Ok(elements);
            }
            self.push(&mut elements, Element::Alternative)?;
            self.scanner.skip_space(true);
        }
    }

    /// Items, each perhaps repeated.
    fn sequence(&mut self, depth: usize, elements: &mut Vec<Element>) -> Result<(), GrammarError> {
        let mut last = None;
        loop {
            let start = elements.len();
            match self.scanner.peek() {
                Some('"') => self.literal(elements)?,
                Some('[') => self.class(elements)?,
                Some('.') => self.any(elements)?,
                Some('(') => self.group(depth, elements)?,
                Some('*' | '+' | '?' | '{') => {
                    let Some(item) = last.take() else { return self.scanner.error(Problem::NothingToRepeat) };
                    repeat::apply(self, item, elements)?;
                    self.scanner.skip_space(depth > 0);
                    continue;
                }
                Some(c) if c.is_ascii_alphanumeric() => self.reference(elements)?,
                _ => return Ok(()),
            }
            last = Some(start);
            self.scanner.skip_space(depth > 0);
        }
    }

    fn literal(&mut self, elements: &mut Vec<Element>) -> Result<(), GrammarError> {
        self.scanner.at += 1;
        while !self.scanner.eat("\"") {
            let c = self.scanner.character()?;
            self.push(elements, Element::Character(c))?;
        }
        Ok(())
    }

    /// `[a-z_]` or `[^a-z_]`
    fn class(&mut self, elements: &mut Vec<Element>) -> Result<(), GrammarError> {
        let place = self.scanner.at;
        self.scanner.at += 1;
        let negated = self.scanner.eat("^");
        let mut ranges = Vec::new();
        while !self.scanner.eat("]") {
            let range = self.range()?;
            self.reserve(&mut ranges)?;
            ranges.push(range);
        }
        if ranges.is_empty() && !negated {
            return Err(GrammarError::at(self.scanner.text, place, Problem::EmptyClass));
        }
        self.set(Set { negated, ranges: joined(ranges) }, elements)
    }

    fn range(&mut self) -> Result<(char, char), GrammarError> {
        let place = self.scanner.at;
        let low = self.scanner.character()?;
        let rest = self.scanner.rest();
        if !rest.starts_with('-') || rest.starts_with("-]") {
            return Ok((low, low));
        }
        self.scanner.at += 1;
        let high = self.scanner.character()?;
        if high < low {
            return Err(GrammarError::at(self.scanner.text, place, Problem::EmptyRange));
        }
        Ok((low, high))
    }

    fn any(&mut self, elements: &mut Vec<Element>) -> Result<(), GrammarError> {
        self.scanner.at += 1;
        self.set(Set { negated: true, ranges: Vec::new() }, elements)
    }

    fn set(&mut self, set: Set, elements: &mut Vec<Element>) -> Result<(), GrammarError> {
        let id = self.sets.len() as u32;
        self.sets.try_reserve(1).or_else(|_| self.scanner.error(Problem::OutOfMemory))?;
        self.sets.push(set);
        self.push(elements, Element::Set(id))
    }

    fn group(&mut self, depth: usize, elements: &mut Vec<Element>) -> Result<(), GrammarError> {
        if depth == DEEPEST {
            return self.scanner.error(Problem::TooDeep);
        }
        self.scanner.at += 1;
        self.scanner.skip_space(true);
        let inner = self.alternatives(depth + 1)?;
        if !self.scanner.eat(")") {
            return self.scanner.error(Problem::Expected("')', '|' or an item of the group"));
        }
        let rule = self.add_rule("", self.scanner.at, Some(inner))?;
        self.push(elements, Element::Rule(rule))
    }

    fn reference(&mut self, elements: &mut Vec<Element>) -> Result<(), GrammarError> {
        let place = self.scanner.at;
        let name = self.scanner.name();
        let rule = self.rule_id(name, place)?;
        self.push(elements, Element::Rule(rule))
    }

    /// The rule called `name`, added where it is new.
    fn rule_id(&mut self, name: &'t str, place: usize) -> Result<u32, GrammarError> {
        match self.rules.iter().position(|rule| !name.is_empty() && rule.name == name) {
            Some(id) => Ok(id as u32),
            None => self.add_rule(name, place, None),
        }
    }

    /// Adds a rule.
    pub(super) fn add_rule(
        &mut self,
        name: &'t str,
        place: usize,
        elements: Option<Vec<Element>>,
    ) -> Result<u32, GrammarError> {
        if self.rules.len() == MOST_RULES {
            return self.scanner.error(Problem::TooLarge);
        }
        self.rules.try_reserve(1).or_else(|_| self.scanner.error(Problem::OutOfMemory))?;
        self.rules.push(Rule { name, place, elements });
        Ok(self.rules.len() as u32 - 1)
    }

    /// Gives a rule its elements.
    pub(super) fn define(&mut self, rule: u32, elements: Vec<Element>) {
        self.rules[rule as usize].elements = Some(elements);
    }

    /// Appends an element, counting it.
    pub(super) fn push(&mut self, elements: &mut Vec<Element>, element: Element) -> Result<(), GrammarError> {
        self.elements += 1;
        if self.elements > MOST_ELEMENTS {
            return self.scanner.error(Problem::TooLarge);
        }
        self.reserve(elements)?;
        elements.push(element);
        Ok(())
    }

    fn reserve<T>(&self, list: &mut Vec<T>) -> Result<(), GrammarError> {
        list.try_reserve(1).or_else(|_| self.scanner.error(Problem::OutOfMemory))
    }

    pub(super) fn scanner(&mut self) -> &mut Scanner<'t> {
        &mut self.scanner
    }

    /// Puts all rules into one list.
    fn finish(self) -> Result<Parsed, GrammarError> {
        let text = self.scanner.text;
        let failed = |at, problem| GrammarError::at(text, at, problem);
        let root = self.rules.iter().position(|rule| rule.name == "root");
        let root = root.ok_or(failed(text.len(), Problem::NoRoot))? as u32;
        let (mut elements, mut starts, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for Rule { place, elements: rule, .. } in self.rules {
            let rule = rule.ok_or(failed(place, Problem::UndefinedRule))?;
            let reserved =
                elements.try_reserve(rule.len() + 1).and(starts.try_reserve(1)).and(places.try_reserve(1));
            reserved.map_err(|_| failed(place, Problem::OutOfMemory))?;
            starts.push(elements.len() as u32);
            places.push(place);
            elements.extend(rule);
            elements.push(Element::End);
        }
        Ok(Parsed { grammar: Grammar { elements, starts, sets: self.sets, root }, places })
    }
}

/// The same characters as sorted ranges that do not touch.
fn joined(mut ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let touches = u32::from(next.0) <= u32::from(kept.1) + 1;
        if touches {
            kept.1 = kept.1.max(next.1);
        }
        touches
    });
    ranges
}
