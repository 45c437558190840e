// SPDX-License-Identifier: MIT
//! Copies blocks into panels, in the order in which a tile reads them.

use crate::gemm::Operand;

/// Packs all rows of `block` with `pack`, `rows` to a panel of `size` elements.
#[inline(always)]
pub(super) fn panels(
    block: Operand<'_>,
    rows: usize,
    size: usize,
    out: &mut [f32],
    pack: impl Fn(Operand<'_>, usize, usize, &mut [f32]),
) {
    for (first, panel) in (0..block.rows).step_by(rows).zip(out.chunks_exact_mut(size)) {
        pack(block, first, rows.min(block.rows - first), panel);
    }
}

/// Packs rows `first..first + height` of `block` into a panel (column, `W`); missing rows are zero.
#[inline(always)]
pub(crate) fn panel<const W: usize>(block: Operand<'_>, first: usize, height: usize, panel: &mut [f32]) {
    let slots = panel.as_chunks_mut::<W>().0;
    match block.row(first) {
        Some(_) => by_rows(block, first, height, slots),
        None => by_columns(block, first, height, slots),
    }
}

/// Elements of a row follow one another: each goes to its own slot.
#[inline(always)]
fn by_rows<const W: usize>(block: Operand<'_>, first: usize, height: usize, slots: &mut [[f32; W]]) {
    for i in 0..W {
        if i >= height {
            slots.iter_mut().for_each(|slot| slot[i] = 0.0);
            continue;
        }
        let from = block.row(first + i).unwrap_or(&[]);
        slots.iter_mut().zip(from).for_each(|(slot, x)| slot[i] = *x);
    }
}

/// Elements of a column follow one another: slots are copied whole.
#[inline(always)]
pub(crate) fn by_columns<const W: usize>(
    block: Operand<'_>,
    first: usize,
    height: usize,
    slots: &mut [[f32; W]],
) {
    for (col, slot) in slots.iter_mut().enumerate() {
        let from = block.column(col, first);
        match from.first_chunk::<W>() {
            Some(whole) if height == W => *slot = *whole,
            _ => {
                slot.fill(0.0);
                slot[..height].copy_from_slice(&from[..height]);
            }
        }
    }
}
