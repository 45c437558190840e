// SPDX-License-Identifier: MIT
//! Which positions some neighbouring tokens attend to: those that all of them see, which are computed together, and each
//! token's own before and after them.

use core::ops::Range;

use crate::Model;

/// Tokens whose attention is computed together.
pub(crate) const QUERIES: usize = 8;

/// Tokens of a batch and the positions they see.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) tokens: Range<usize>,
    /// Positions that some token sees.
    pub(crate) seen: Range<usize>,
    /// Positions that every token sees.
    pub(crate) common: Range<usize>,
    position: usize,
    window: usize,
    /// Encoders see the whole batch.
    all: Option<usize>,
}

impl Span {
    /// `tokens` of a batch of `n` from `position` on. There must be at least one token; `window` 0 is none.
    pub(crate) fn new(
        model: &Model<'_>,
        window: usize,
        tokens: Range<usize>,
        n: usize,
        position: usize,
    ) -> Self {
        let all = model.family.encoder.then_some(position + n);
        Self::of_tokens(tokens, position, window, all)
    }

    fn of_tokens(tokens: Range<usize>, position: usize, window: usize, all: Option<usize>) -> Self {
        let mut span = Self { seen: 0..0, common: 0..0, position, window, all, tokens };
        let (first, last) = (span.of(0), span.of(span.tokens.len().saturating_sub(1)));
        span.seen = first.start..last.end;
        // With a short window the last token may see nothing of what the first one does.
        span.common = last.start..first.end.max(last.start);
        span
    }

    /// What the `t`-th token sees.
    pub(crate) fn of(&self, t: usize) -> Range<usize> {
        let next = self.position + self.tokens.start + t + 1;
        let start = if self.window == 0 { 0 } else { next.saturating_sub(self.window) };
        start..self.all.unwrap_or(next)
    }

    /// What the `t`-th token sees before and after what all see.
    pub(crate) fn edges(&self, t: usize) -> [Range<usize>; 2] {
        let own = self.of(t);
        let before = own.start..self.common.start.min(own.end);
        [before, self.common.end.min(own.end).max(self.common.start.min(own.end))..own.end]
    }

    /// Where `positions` are in a row of scores.
    pub(crate) fn at(&self, positions: &Range<usize>) -> Range<usize> {
        positions.start - self.seen.start..positions.end - self.seen.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every token's positions are those before, common ones and those after, each once and in order.
    #[test]
    fn spans_cover_what_each_token_sees() {
        for window in [0, 1, 2, 3, 5, 8, 20] {
            for (position, first, count) in [(0, 0, 1), (0, 0, 8), (3, 2, 4), (40, 8, 8), (5, 0, 7)] {
                for all in [None, Some(position + first + count + 3)] {
                    let span = Span::of_tokens(first..first + count, position, window, all);
                    for t in 0..count {
                        let [before, after] = span.edges(t);
                        let joined: std::vec::Vec<usize> =
                            before.chain(span.common.clone()).chain(after).collect();
                        assert!(joined.iter().copied().eq(span.of(t)), "{span:?} token {t}");
                        assert!(span.seen.start <= span.of(t).start && span.of(t).end <= span.seen.end);
                    }
                }
            }
        }
    }
}
