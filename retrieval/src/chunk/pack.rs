// SPDX-License-Identifier: MIT
//! Blocks to chunks: small neighbours are joined, long blocks are cut where it hurts least.
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::blocks::Block;
use super::{Chunk, Limits, content_hash};

struct Packer<'a> {
    text: &'a str,
    limits: Limits,
    chunks: Vec<Chunk>,
    /// The chunk being filled.
    open: Option<(Range<usize>, &'a str)>,
}

pub(super) fn pack(text: &str, blocks: &[Block], limits: Limits) -> Vec<Chunk> {
    let limits = Limits { max: limits.max.max(16), target: limits.target.min(limits.max.max(16)) };
    let mut packer = Packer { text, limits, chunks: Vec::new(), open: None };
    for block in blocks {
        packer.add(block);
    }
    packer.close();
    packer.chunks
}

impl<'a> Packer<'a> {
    fn add(&mut self, block: &'a Block) {
        if let Some((range, heading)) = &mut self.open
            && !block.begins_section
            && block.range.end - range.start <= joined_limit(heading, &block.heading, self.limits)
        {
            range.end = block.range.end;
            *heading = if heading.is_empty() { &block.heading } else { heading };
            return;
        }
        self.close();
        let mut range = block.range.clone();
        while range.len() > self.limits.max {
            let cut = range.start + cut_point(&self.text[range.clone()], self.limits);
            self.emit(range.start..cut, &block.heading);
            range.start = cut;
        }
        self.open = Some((range, &block.heading));
    }

    fn close(&mut self) {
        if let Some((range, heading)) = self.open.take() {
            self.emit(range, heading);
        }
    }

    /// Adds a chunk without surrounding blanks; nothing if there is nothing else.
    fn emit(&mut self, range: Range<usize>, heading: &str) {
        let text = &self.text[range.clone()];
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return;
        }
        let start = range.start + (text.len() - text.trim_start().len());
        let hash = content_hash(&[heading.as_bytes(), trimmed.as_bytes()]);
        self.chunks.push(Chunk { range: start..start + trimmed.len(), heading: String::from(heading), hash });
    }
}

/// Blocks with different names (two functions) are joined only if they are small.
fn joined_limit(open: &str, next: &str, limits: Limits) -> usize {
    if open == next { limits.target } else { limits.target / 2 }
}

/// Where to cut a text that is too long: behind a blank line, a line, a sentence, a word, or at the limit.
fn cut_point(text: &str, limits: Limits) -> usize {
    let end = floor_boundary(text, limits.max);
    let window = &text[..end];
    let earliest = limits.max / 3;
    let behind = |mark: &str| window.rfind(mark).map(|at| at + mark.len()).filter(|at| *at >= earliest);
    let sentence = || [". ", "? ", "! ", ".\n"].into_iter().filter_map(behind).max();
    let paragraph = behind("\n\n").or_else(|| behind("\n\r\n"));
    let cut = paragraph.or_else(sentence).or_else(|| behind("\n")).or_else(|| behind(" "));
    cut.unwrap_or(end).max(first_boundary(text))
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The end of the first character, so that a cut always moves on.
fn first_boundary(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}
