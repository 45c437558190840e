// SPDX-License-Identifier: MIT
//! Following a text through a grammar, along all ways at once.
//!
//! A way is a stack of positions: what must come next, and after that, and after that. Stacks share their lower parts:
//! each is a node that names its position and the node below. Ways that meet again are one way.

use alloc::vec::Vec;
use core::fmt;

use super::{Element, Grammar};

/// Below the last position: nothing more is to come.
const BOTTOM: u32 = u32::MAX;
/// Most nodes and ways at a time, and most steps between two characters.
const MOST_NODES: usize = 8192;
const MOST_STEPS: usize = 16_384;

/// Why a text could not be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchError {
    /// The text does not follow the grammar.
    Mismatch,
    /// There are too many ways to read the text so far, or it is nested too deeply: simplify the grammar.
    TooAmbiguous,
}

impl fmt::Display for MatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mismatch => "the text does not follow the grammar",
            Self::TooAmbiguous => "the grammar can be read in too many ways here: simplify it",
        })
    }
}

impl core::error::Error for MatchError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// What comes next: a character or set while it is the top, any element below.
    at: u32,
    below: u32,
}

/// A UTF-8 sequence of which bytes are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Partial {
    value: u32,
    missing: u32,
    /// The least value that is not an overlong form.
    least: u32,
}

/// A position in a grammar.
#[derive(Clone, Debug)]
pub struct Matcher<'g> {
    grammar: &'g Grammar,
    pub(super) nodes: Vec<Node>,
    /// The tops of all ways; `BOTTOM` is a way that is complete.
    tops: Vec<u32>,
    partial: Partial,
    /// The tops before the character in progress, and the positions still to be unfolded; kept for their memory.
    previous: Vec<u32>,
    open: Vec<Node>,
    /// Tops saved by `allows`.
    saved: Vec<u32>,
}

impl<'g> Matcher<'g> {
    /// At the start of `grammar`.
    ///
    /// # Errors
    /// [`MatchError::TooAmbiguous`].
    pub fn new(grammar: &'g Grammar) -> Result<Self, MatchError> {
        let mut this = Self {
            grammar,
            nodes: Vec::new(),
            tops: Vec::new(),
            partial: Partial::default(),
            previous: Vec::new(),
            open: Vec::new(),
            saved: Vec::new(),
        };
        this.enter(grammar.root, BOTTOM)?;
        this.unfold()?;
        Ok(this)
    }

    /// Whether the text may end here.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.partial.missing == 0 && self.tops.contains(&BOTTOM)
    }

    /// Whether `bytes` may come next; they may end inside a character. The position does not change.
    pub fn allows(&mut self, bytes: &[u8]) -> bool {
        let (nodes, partial) = (self.nodes.len(), self.partial);
        let mut saved = core::mem::take(&mut self.saved);
        saved.clear();
        saved.extend_from_slice(&self.tops);
        let allowed = self.follow(bytes).is_ok();
        self.nodes.truncate(nodes);
        self.partial = partial;
        core::mem::swap(&mut self.tops, &mut saved);
        self.saved = saved;
        allowed
    }

    /// Moves past `bytes`.
    ///
    /// # Errors
    /// [`MatchError`]; the position is then undefined.
    pub fn accept(&mut self, bytes: &[u8]) -> Result<(), MatchError> {
        // In parts, so that what long texts leave behind is dropped on the way.
        for part in bytes.chunks(32) {
            self.follow(part)?;
            self.forget_the_past();
        }
        Ok(())
    }

    /// Forbids (with minus infinity) every token that cannot come next. `piece` writes the bytes of a token, none for
    /// tokens that are not text; `is_end` tells which tokens end the text.
    pub fn mask(
        &mut self,
        logits: &mut [f32],
        mut piece: impl FnMut(u32, &mut Vec<u8>),
        is_end: impl Fn(u32) -> bool,
    ) {
        let mut bytes = Vec::new();
        for (token, logit) in logits.iter_mut().enumerate() {
            if *logit == f32::NEG_INFINITY {
                continue;
            }
            bytes.clear();
            piece(token as u32, &mut bytes);
            let allowed = if is_end(token as u32) {
                self.is_complete()
            } else {
                !bytes.is_empty() && self.allows(&bytes)
            };
            if !allowed {
                *logit = f32::NEG_INFINITY;
            }
        }
    }

    fn follow(&mut self, bytes: &[u8]) -> Result<(), MatchError> {
        for byte in bytes {
            self.partial = self.partial.next(*byte).ok_or(MatchError::Mismatch)?;
            if self.partial.missing == 0 {
                let c = char::from_u32(self.partial.value).ok_or(MatchError::Mismatch)?;
                self.advance(c)?;
            }
        }
        if self.partial.missing > 0 && !self.may_go_on() {
            return Err(MatchError::Mismatch);
        }
        Ok(())
    }

    /// Whether some way takes a character that begins with the bytes seen.
    fn may_go_on(&self) -> bool {
        let (low, high) = self.partial.bounds();
        self.tops.iter().filter_map(|top| self.nodes.get(*top as usize)).any(|node| {
            match self.grammar.element(node.at) {
                Element::Character(c) => (low..=high).contains(&u32::from(c)),
                Element::Set(set) => self.grammar.sets[set as usize].meets(low, high),
                _ => false,
            }
        })
    }

    /// Takes every way on that `c` can follow.
    fn advance(&mut self, c: char) -> Result<(), MatchError> {
        core::mem::swap(&mut self.tops, &mut self.previous);
        self.tops.clear();
        self.open.clear();
        for index in 0..self.previous.len() {
            let Some(node) = self.nodes.get(self.previous[index] as usize).copied() else { continue };
            let taken = match self.grammar.element(node.at) {
                Element::Character(wanted) => wanted == c,
                Element::Set(set) => self.grammar.sets[set as usize].has(c),
                _ => false,
            };
            if taken {
                self.open.push(Node { at: node.at + 1, below: node.below });
            }
        }
        self.unfold()?;
        if self.tops.is_empty() { Err(MatchError::Mismatch) } else { Ok(()) }
    }

    /// Follows rules from all `open` positions to the characters that they start with.
    fn unfold(&mut self) -> Result<(), MatchError> {
        let mut steps = 0;
        while let Some(Node { at, below }) = self.open.pop() {
            steps += 1;
            if steps > MOST_STEPS {
                self.open.clear();
                return Err(MatchError::TooAmbiguous);
            }
            match self.grammar.element(at) {
                Element::Character(_) | Element::Set(_) => {
                    let top = self.node(Node { at, below })?;
                    self.add_top(top);
                }
                Element::Rule(rule) => {
                    let after = Node { at: at + 1, below };
                    // Nothing comes after the last rule of a sequence: its end is the end of the sequence.
                    let below = if self.ends(at + 1) { below } else { self.node(after)? };
                    self.enter(rule, below)?;
                }
                Element::Alternative | Element::End => match self.nodes.get(below as usize) {
                    Some(node) => self.open.push(*node),
                    None => self.add_top(BOTTOM),
                },
            }
        }
        Ok(())
    }

    fn ends(&self, at: u32) -> bool {
        matches!(self.grammar.element(at), Element::Alternative | Element::End)
    }

    fn enter(&mut self, rule: u32, below: u32) -> Result<(), MatchError> {
        let grammar = self.grammar;
        self.open.extend(grammar.alternatives(rule).map(|at| Node { at, below }));
        if self.open.len() > MOST_STEPS { Err(MatchError::TooAmbiguous) } else { Ok(()) }
    }

    fn add_top(&mut self, top: u32) {
        if !self.tops.contains(&top) {
            self.tops.push(top);
        }
    }

    /// The number of `node`, which is added where it is new.
    fn node(&mut self, node: Node) -> Result<u32, MatchError> {
        if let Some(known) = self.nodes.iter().rposition(|other| *other == node) {
            return Ok(known as u32);
        }
        if self.nodes.len() >= MOST_NODES || self.nodes.try_reserve(1).is_err() {
            self.open.clear();
            return Err(MatchError::TooAmbiguous);
        }
        self.nodes.push(node);
        Ok(self.nodes.len() as u32 - 1)
    }

    /// Drops the nodes that no way stands on any more. A node is always numbered after the one below it.
    fn forget_the_past(&mut self) {
        let mut used = alloc::vec![false; self.nodes.len()];
        for top in &self.tops {
            let mut at = *top;
            while let Some(mark) = used.get_mut(at as usize).filter(|mark| !**mark) {
                *mark = true;
                at = self.nodes[at as usize].below;
            }
        }
        let mut numbers = Vec::with_capacity(self.nodes.len());
        let mut kept = 0u32;
        for (index, used) in used.iter().enumerate() {
            numbers.push(kept);
            if *used {
                let Node { at, below } = self.nodes[index];
                let below = numbers.get(below as usize).copied().unwrap_or(BOTTOM);
                self.nodes[kept as usize] = Node { at, below };
                kept += 1;
            }
        }
        self.nodes.truncate(kept as usize);
        for top in &mut self.tops {
            *top = numbers.get(*top as usize).copied().unwrap_or(BOTTOM);
        }
    }
}

impl Partial {
    /// After one more byte; `None` where that is no UTF-8.
    fn next(self, byte: u8) -> Option<Self> {
        if self.missing > 0 {
            let next =
                Self { value: self.value << 6 | u32::from(byte & 0x3f), missing: self.missing - 1, ..self };
            let valid = byte & 0xc0 == 0x80 && (next.missing > 0 || next.value >= next.least);
            return valid.then_some(next);
        }
        let (value, missing, least) = match byte {
            0x00..=0x7f => (byte, 0, 0),
            0xc2..=0xdf => (byte & 0x1f, 1, 0x80),
            0xe0..=0xef => (byte & 0x0f, 2, 0x800),
            0xf0..=0xf4 => (byte & 0x07, 3, 0x1_0000),
            _ => return None,
        };
        Some(Self { value: value.into(), missing, least })
    }

    /// The least and greatest character that the bytes can become.
    fn bounds(self) -> (u32, u32) {
        let bits = 6 * self.missing;
        let low = self.value << bits;
        (low.max(self.least), (low | ((1 << bits) - 1)).min(0x10_ffff))
    }
}
