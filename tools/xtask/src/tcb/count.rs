//! What is counted: lines, and the kinds of `unsafe`.

use proc_macro2::{Delimiter, TokenTree};
use std::ops::AddAssign;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Lines with code.
    pub lines: usize,
    /// `unsafe { … }`.
    pub blocks: usize,
    /// `unsafe fn`.
    pub functions: usize,
    /// `unsafe impl`, `unsafe trait` and `unsafe extern`.
    pub others: usize,
}

impl Count {
    /// Everything `unsafe`.
    pub fn unsafes(self) -> usize {
        self.blocks + self.functions + self.others
    }

    /// Counts what begins here, if it is `unsafe`.
    pub fn add_unsafe(&mut self, tokens: &[TokenTree]) {
        let [TokenTree::Ident(word), rest @ ..] = tokens else { return };
        if *word != "unsafe" {
            return;
        }
        match rest {
            [TokenTree::Group(block), ..] if block.delimiter() == Delimiter::Brace => self.blocks += 1,
            [TokenTree::Ident(what), TokenTree::Ident(_), ..] if *what == "fn" => self.functions += 1,
            [
                TokenTree::Ident(what),
                TokenTree::Literal(_),
                TokenTree::Ident(function),
                TokenTree::Ident(_),
                ..,
            ] if *what == "extern" && *function == "fn" => {
                self.functions += 1;
            }
            [TokenTree::Ident(what), ..] if ["impl", "trait", "extern"].iter().any(|word| *what == word) => {
                self.others += 1;
            }
            _ => {}
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, more: Self) {
        self.lines += more.lines;
        self.blocks += more.blocks;
        self.functions += more.functions;
        self.others += more.others;
    }
}
