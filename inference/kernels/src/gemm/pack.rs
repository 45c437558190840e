// SPDX-License-Identifier: MIT
//! Copies blocks into panels, in the order in which a tile reads them.

use crate::gemm::Operand;

/// Packs all rows of `block` in panels of `M` rows: (panel, column, `M` rows), missing rows being zero.
#[inline(always)]
pub(super) fn panels<const M: usize>(block: Operand<'_>, out: &mut [f32]) {
    let depth = block.cols;
    for (row, panel) in (0..block.rows).step_by(M).zip(out.chunks_exact_mut(depth * M)) {
        let height = M.min(block.rows - row);
        let slots = panel.as_chunks_mut::<M>().0;
        match block.row(row) {
            Some(_) => by_rows(block, row, height, slots),
            None => by_columns(block, row, height, slots),
        }
    }
}

/// Elements of a row follow one another: each goes to its own slot.
#[inline(always)]
fn by_rows<const M: usize>(block: Operand<'_>, row: usize, height: usize, slots: &mut [[f32; M]]) {
    for i in 0..M {
        if i >= height {
            slots.iter_mut().for_each(|slot| slot[i] = 0.0);
            continue;
        }
        let from = block.row(row + i).unwrap_or(&[]);
        slots.iter_mut().zip(from).for_each(|(slot, x)| slot[i] = *x);
    }
}

/// Elements of a column follow one another: slots are copied whole.
#[inline(always)]
fn by_columns<const M: usize>(block: Operand<'_>, row: usize, height: usize, slots: &mut [[f32; M]]) {
    for (col, slot) in slots.iter_mut().enumerate() {
        let from = block.column(col, row);
        match from.first_chunk::<M>() {
            Some(whole) if height == M => *slot = *whole,
            _ => {
                slot.fill(0.0);
                slot[..height].copy_from_slice(&from[..height]);
            }
        }
    }
}
