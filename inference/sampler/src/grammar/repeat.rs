// SPDX-License-Identifier: MIT
//! Repetition, written as rules: `x*` is `r ::= x r |`, `x{0,2}` is `r ::= x (x |) |`.

use alloc::vec::Vec;

use super::Element;
use super::error::{GrammarError, Problem};
use super::parse::Parser;

const MOST: u32 = 1000;

/// Reads a repetition and applies it to the elements from `item` on.
///
/// # Errors
/// A bad count, or limits.
pub(super) fn apply(
    parser: &mut Parser<'_>,
    item: usize,
    elements: &mut Vec<Element>,
) -> Result<(), GrammarError> {
    let (least, most) = bounds(parser)?;
    let repeated = match &elements[item..] {
        // Repeating nothing is nothing.
        [] => return Ok(()),
        [one] => *one,
        several => {
            let several = several.to_vec();
            let place = parser.scanner().at;
            Element::Rule(parser.add_rule("", place, Some(several))?)
        }
    };
    elements.truncate(item);
    for _ in 0..least {
        parser.push(elements, repeated)?;
    }
    match most {
        None => {
            let more = again(parser, repeated)?;
            parser.push(elements, more)
        }
        Some(most) => match up_to(parser, repeated, most - least)? {
            Some(more) => parser.push(elements, more),
            None => Ok(()),
        },
    }
}

/// `*`, `+`, `?`, `{m}`, `{m,}` or `{m,n}`.
fn bounds(parser: &mut Parser<'_>) -> Result<(u32, Option<u32>), GrammarError> {
    let scanner = parser.scanner();
    let place = scanner.at;
    match scanner.next() {
        Some('*') => return Ok((0, None)),
        Some('+') => return Ok((1, None)),
        Some('?') => return Ok((0, Some(1))),
        _ => {}
    }
    let bad = GrammarError::at(scanner.text, place, Problem::BadCount);
    scanner.skip_space(false);
    let least = scanner.number().ok_or(bad)?;
    scanner.skip_space(false);
    let mut most = Some(least);
    if scanner.eat(",") {
        scanner.skip_space(false);
        most = scanner.number();
        scanner.skip_space(false);
    }
    let fits = least <= MOST && most.is_none_or(|most| (least..=MOST).contains(&most));
    if scanner.eat("}") && fits { Ok((least, most)) } else { Err(bad) }
}

/// `r ::= x r |`
fn again(parser: &mut Parser<'_>, repeated: Element) -> Result<Element, GrammarError> {
    let place = parser.scanner().at;
    let rule = parser.add_rule("", place, None)?;
    let mut elements = Vec::new();
    for element in [repeated, Element::Rule(rule), Element::Alternative] {
        parser.push(&mut elements, element)?;
    }
    parser.define(rule, elements);
    Ok(Element::Rule(rule))
}

/// `r1 ::= x |`, `r2 ::= x r1 |`, ..., of which the last repeats `count` times at most.
fn up_to(parser: &mut Parser<'_>, repeated: Element, count: u32) -> Result<Option<Element>, GrammarError> {
    let mut inner = None;
    for _ in 0..count {
        let mut elements = Vec::new();
        for element in [Some(repeated), inner, Some(Element::Alternative)].into_iter().flatten() {
            parser.push(&mut elements, element)?;
        }
        let place = parser.scanner().at;
        inner = Some(Element::Rule(parser.add_rule("", place, Some(elements))?));
    }
    Ok(inner)
}
