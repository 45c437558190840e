// SPDX-License-Identifier: MIT
//! Attention of this worker's heads, and what goes to the cache for it.

use inference_kernels::{Rows, RowsMut};

use super::Worker;
use super::norm::norm_heads;
use super::product::{Source, Target};
use crate::adapter::Part;
use crate::attend::Head;
use crate::graph::Layer;
use crate::memory::Scratch;
use crate::span::{QUERIES, Span};

impl Worker<'_, '_> {
    /// Q, K and V of this worker's heads.
    pub(super) fn qkv(&mut self, layer: &Layer<'_>, index: usize, n: usize) {
        let (hyper, heads) = (&self.model.hyper, self.heads.clone());
        let (key, value) = (hyper.key_len, hyper.value_len);
        let q = heads.q.start * key..heads.q.end * key;
        let k = heads.kv.start * key..heads.kv.end * key;
        let v = heads.kv.start * value..heads.kv.end * value;
        self.apply_part(&layer.q, (index, Part::Q, q), Source::Normed, Target::Q, n);
        self.apply_part(&layer.k, (index, Part::K, k), Source::Normed, Target::K, n);
        self.apply_part(&layer.v, (index, Part::V, v), Source::Normed, Target::V, n);
    }

    /// Head norms and rotation, then keys and values go to the cache.
    pub(super) fn rotate_and_store(&mut self, layer: &Layer<'_>, index: usize, n: usize, position: usize) {
        let (model, hyper) = (self.model, &self.model.hyper);
        let (q_width, k_width) = (self.heads.q.len() * hyper.key_len, self.heads.kv.len() * hyper.key_len);
        let v_width = self.heads.kv.len() * hyper.value_len;
        for t in 0..n {
            let q = &mut self.scratch.q[t * q_width..][..q_width];
            let k = &mut self.scratch.k[t * k_width..][..k_width];
            norm_heads(self.kernels, model, layer.q_norm.as_ref(), q, self.scratch.delta);
            norm_heads(self.kernels, model, layer.k_norm.as_ref(), k, self.scratch.delta);
            let table = self.rope.row(self.scratch.rope, n, t, layer.window > 0);
            self.rope.rotate(self.kernels, model, q, table);
            self.rope.rotate(self.kernels, model, k, table);
            let v = &self.scratch.v[t * v_width..][..v_width];
            let rows = k.chunks_exact(hyper.key_len).zip(v.chunks_exact(hyper.value_len));
            for (head, (k, v)) in rows.enumerate() {
                self.cache.store(self.kernels, [index, head, position + t], k, v);
            }
        }
    }

    /// Attention of this worker's heads, into its columns of `attention`.
    pub(super) fn attend(&mut self, layer: &Layer<'_>, index: usize, n: usize, position: usize) {
        let hyper = &self.model.hyper;
        let (key, value, all) = (hyper.key_len, hyper.value_len, hyper.attention_width());
        let q_width = self.heads.q.len() * key;
        let Scratch { q, scores, attention, .. } = &mut self.scratch;
        for (local, index_of_head) in self.heads.q.clone().enumerate() {
            let kv = index_of_head / hyper.group() - self.heads.kv.start;
            let head = Head { kernels: self.kernels, cache: &self.cache, layer: index, kv, hyper };
            for first in (0..n).step_by(QUERIES) {
                let span = Span::new(self.model, layer.window, first..n.min(first + QUERIES), n, position);
                let q = &q[first * q_width + local * key..];
                let queries = Rows { values: q, width: key, stride: q_width, count: span.tokens.len() };
                head.weigh(&span, queries, scores);
                let out = &mut attention[first * all + index_of_head * value..];
                head.mix(&span, scores, &mut RowsMut { values: out, width: value, stride: all });
            }
        }
    }
}
