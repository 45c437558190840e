// SPDX-License-Identifier: MIT
//! Attention of one head for some neighbouring tokens. What all of them see is computed together, the rest one by one, in
//! the same order: the result is that of each token alone.

use inference_kernels::{Kernels, Rows, RowsMut};

use crate::Hyper;
use crate::cache::Cache;
use crate::span::Span;

/// A head and what it needs.
pub(crate) struct Head<'a, 'b> {
    pub(crate) kernels: Kernels,
    pub(crate) cache: &'a Cache<'b>,
    pub(crate) layer: usize,
    /// The head of keys and values, among this worker's.
    pub(crate) kv: usize,
    pub(crate) hyper: &'a Hyper,
}

impl Head<'_, '_> {
    /// `scores = softmax(queries * keys)`: row `t` begins at the first position that any token of `span` sees.
    pub(crate) fn weigh(&self, span: &Span, queries: Rows<'_>, scores: &mut [f32]) {
        let (kind, scale) = (self.cache.kind(), self.hyper.attention_scale);
        let (stride, common) = (span.seen.len(), span.at(&span.common));
        let keys = self.cache.keys(self.layer, self.kv, span.common.start, span.common.end);
        let mut block = RowsMut { values: &mut scores[common.start..], width: common.len(), stride };
        self.kernels.scores_block(kind, queries, keys, scale, &mut block);
        for t in 0..queries.count {
            let row = &mut scores[t * stride..][..stride];
            for edge in span.edges(t) {
                let keys = self.cache.keys(self.layer, self.kv, edge.start, edge.end);
                self.kernels.scores(kind, queries.row(t), keys, scale, &mut row[span.at(&edge)]);
            }
            let row = &mut row[span.at(&span.of(t))];
            if self.hyper.attention_cap > 0.0 {
                self.kernels.soft_cap(row, self.hyper.attention_cap);
            }
            self.kernels.softmax(row);
        }
    }

    /// `out = weights * values`, with the weights of [`Head::weigh`].
    pub(crate) fn mix(&self, span: &Span, weights: &[f32], out: &mut RowsMut<'_>) {
        let (stride, count) = (span.seen.len(), span.tokens.len());
        let common = span.at(&span.common);
        for t in 0..count {
            out.row(t).fill(0.0);
            self.mix_edge(span, weights, t, 0, out);
        }
        let values = self.cache.values(self.layer, self.kv, span.common.start, span.common.end);
        let block = Rows { values: &weights[common.start..], width: common.len(), stride, count };
        self.kernels.mix_block(self.cache.kind(), block, values, out);
        for t in 0..count {
            self.mix_edge(span, weights, t, 1, out);
        }
    }

    /// What token `t` sees before (`side` 0) or after (1) what all see.
    fn mix_edge(&self, span: &Span, weights: &[f32], t: usize, side: usize, out: &mut RowsMut<'_>) {
        let edge = &span.edges(t)[side];
        let values = self.cache.values(self.layer, self.kv, edge.start, edge.end);
        let weights = &weights[t * span.seen.len()..][span.at(edge)];
        self.kernels.mix(self.cache.kind(), weights, values, out.row(t));
    }
}
