// SPDX-License-Identifier: MIT
//! Norms, as the family has them.

use inference_kernels::Kernels;

use crate::graph::Norm;
use crate::{Model, NormKind};

/// Norms each row of `x` into `out`.
pub(super) fn norm_rows(kernels: Kernels, model: &Model<'_>, norm: &Norm<'_>, x: &[f32], out: &mut [f32]) {
    let (width, eps) = (norm.weight.len(), model.hyper.eps);
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        match model.family.norm {
            NormKind::Rms => kernels.rms_norm(x, norm.weight, eps, out),
            NormKind::Layer => kernels.layer_norm(x, norm.weight, norm.bias, eps, out),
        }
    }
}

/// Norms each head in place, through `spare`.
pub(super) fn norm_heads(
    kernels: Kernels,
    model: &Model<'_>,
    norm: Option<&Norm<'_>>,
    heads: &mut [f32],
    spare: &mut [f32],
) {
    let Some(norm) = norm else { return };
    for head in heads.chunks_exact_mut(model.hyper.key_len) {
        let spare = &mut spare[..head.len()];
        norm_rows(kernels, model, norm, head, spare);
        head.copy_from_slice(spare);
    }
}
