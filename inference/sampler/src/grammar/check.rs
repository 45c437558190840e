// SPDX-License-Identifier: MIT
//! Left recursion: a rule from which one comes back to it without consuming a character.

use alloc::vec;
use alloc::vec::Vec;

use super::{Element, Grammar};

/// What is known of a rule during the search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the path from the start of the search.
    Open,
    Done,
}

/// # Errors
/// The place of a rule that recurs on its left.
pub(super) fn no_left_recursion(grammar: &Grammar, places: &[usize]) -> Result<(), usize> {
    let nullable = nullable(grammar);
    let mut states = vec![State::New; grammar.starts.len()];
    for rule in 0..grammar.starts.len() as u32 {
        search(grammar, &nullable, &mut states, rule).map_err(|rule| places[rule as usize])?;
    }
    Ok(())
}

/// Depth first from `start`, with a stack of our own: rules may be nested thousands deep.
fn search(grammar: &Grammar, nullable: &[bool], states: &mut [State], start: u32) -> Result<(), u32> {
    let mut path = vec![(start, false)];
    while let Some((rule, left)) = path.pop() {
        let state = &mut states[rule as usize];
        if left {
            *state = State::Done;
            continue;
        }
        match *state {
            State::Open => return Err(rule),
            State::Done => continue,
            State::New => *state = State::Open,
        }
        path.push((rule, true));
        for next in leftmost(grammar, nullable, rule) {
            match states[next as usize] {
                State::Open => return Err(next),
                State::New => path.push((next, false)),
                State::Done => {}
            }
        }
    }
    Ok(())
}

/// The rules that can stand at the start of `rule`, each once.
fn leftmost(grammar: &Grammar, nullable: &[bool], rule: u32) -> Vec<u32> {
    let mut rules = Vec::new();
    for start in grammar.alternatives(rule) {
        for at in start.. {
            let Element::Rule(next) = grammar.element(at) else { break };
            rules.push(next);
            if !nullable[next as usize] {
                break;
            }
        }
    }
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Which rules match the empty text: repeated until nothing changes, later rules first because repetitions and
/// groups are numbered after what they contain.
fn nullable(grammar: &Grammar) -> Vec<bool> {
    let mut nullable = vec![false; grammar.starts.len()];
    loop {
        let mut changed = false;
        for rule in 0..nullable.len() {
            if !nullable[rule] && is_nullable(grammar, &nullable, rule as u32) {
                nullable[rule] = true;
                changed = true;
            }
        }
        if !changed {
            return nullable;
        }
    }
}

fn is_nullable(grammar: &Grammar, nullable: &[bool], rule: u32) -> bool {
    grammar.alternatives(rule).any(|start| {
        let first = (start..).map(|at| grammar.element(at)).find(|element| match element {
            Element::Rule(rule) => !nullable[*rule as usize],
            _ => true,
        });
        matches!(first, Some(Element::End | Element::Alternative))
    })
}
