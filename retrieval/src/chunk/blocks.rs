// SPDX-License-Identifier: MIT
//! Lines, and the blocks that a format's reader makes of them.
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// Text that belongs together: a paragraph, a list, a code fence, a function.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) range: Range<usize>,
    /// What it stands under.
    pub(super) heading: String,
    /// A new section: never joined with what came before.
    pub(super) begins_section: bool,
}

/// Collects lines into blocks.
#[derive(Default)]
pub(super) struct Builder {
    blocks: Vec<Block>,
    open: Option<Block>,
}

impl Builder {
    /// Adds a line to the open block, or opens one.
    pub(super) fn line(&mut self, line: &Line<'_>, heading: &str) {
        match &mut self.open {
            Some(block) => block.range.end = line.end,
            None => self.begin(line, heading, false),
        }
    }

    /// Closes the open block and begins another with this line.
    pub(super) fn begin(&mut self, line: &Line<'_>, heading: &str, begins_section: bool) {
        self.close();
        self.open = Some(Block { range: line.start..line.end, heading: heading.into(), begins_section });
    }

    /// Names the open block, if it has no heading yet.
    pub(super) fn name(&mut self, heading: &str) {
        if let Some(block) = self.open.as_mut().filter(|block| block.heading.is_empty()) {
            block.heading = heading.into();
        }
    }

    /// True if a block is open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The next line opens a new block.
    pub(super) fn close(&mut self) {
        self.blocks.extend(self.open.take());
    }

    pub(super) fn finish(mut self) -> Vec<Block> {
        self.close();
        self.blocks
    }
}

/// One line and where it lies.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// Without its end and trailing blanks.
    pub(super) text: &'a str,
    pub(super) start: usize,
    /// Behind the line's end.
    pub(super) end: usize,
}

impl Line<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// True if the line does not begin with a blank.
    pub(super) fn is_flush_left(&self) -> bool {
        self.text.starts_with(|c: char| !c.is_whitespace())
    }
}

/// The lines of a text.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let begin = start;
        start += line.len();
        Line { text: line.trim_end(), start: begin, end: start }
    })
}
