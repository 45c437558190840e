// SPDX-License-Identifier: MIT
//! Sums and functions over sixteen lanes: the definition of every `f32` result, in code that compilers turn into
//! vectors of any width without changing a bit (no operation is fused or reordered).

/// Partial sums per reduction.
pub const LANES: usize = 16;

/// Adds lanes in halves: 8 apart, then 4, 2 and 1.
#[inline(always)]
#[must_use]
pub fn fold(l: [f32; LANES]) -> f32 {
    let mut a = [0.0; 8];
    for i in 0..8 {
        a[i] = l[i] + l[i + 8];
    }
    let b = [a[0] + a[4], a[1] + a[5], a[2] + a[6], a[3] + a[7]];
    (b[0] + b[2]) + (b[1] + b[3])
}

/// Sum over pairs of `term(a, b)`, lane by lane. A rest is filled up with `fill`, whose term must be 0.
///
/// The sums never meet an index that is not constant: that is what lets compilers keep them in registers.
#[inline(always)]
fn sum_pairs<A: Copy, B: Copy>(a: &[A], b: &[B], fill: (A, B), term: impl Fn(A, B) -> f32) -> f32 {
    fold(add_pairs([0f32; LANES], a, b, fill, term))
}

/// `lanes`, to which the terms of `a` and `b` were added.
#[inline(always)]
fn add_pairs<A: Copy, B: Copy>(
    mut lanes: [f32; LANES],
    a: &[A],
    b: &[B],
    fill: (A, B),
    term: impl Fn(A, B) -> f32,
) -> [f32; LANES] {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += term(a[i], b[i]);
        }
    }
    if !a_rest.is_empty() && !b_rest.is_empty() {
        let (a, b) = (padded(a_rest, fill.0), padded(b_rest, fill.1));
        for i in 0..LANES {
            lanes[i] += term(a[i], b[i]);
        }
    }
    lanes
}

/// [`dot`] in parts of whole [`LANES`]: `fold` of the lanes after the last part is the dot product.
#[inline(always)]
#[must_use]
pub fn dot_part(lanes: [f32; LANES], a: &[f32], b: &[f32]) -> [f32; LANES] {
    add_pairs(lanes, a, b, (0.0, 0.0), |a, b| a * b)
}

/// `rest`, then `fill`.
#[inline(always)]
fn padded<T: Copy>(rest: &[T], fill: T) -> [T; LANES] {
    let mut out = [fill; LANES];
    out[..rest.len()].copy_from_slice(rest);
    out
}

/// Dot product of `f32` rows.
#[inline(always)]
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_pairs(a, b, (0.0, 0.0), |a, b| a * b)
}

/// Dot product of a row of bytes (`N` per element, `convert` makes them `f32`) and `f32`.
#[inline(always)]
pub(crate) fn dot_bytes<const N: usize>(a: &[[u8; N]], b: &[f32], convert: impl Fn([u8; N]) -> f32) -> f32 {
    sum_pairs(a, b, ([0; N], 0.0), |a, b| convert(a) * b)
}

/// Sum of elements.
#[inline(always)]
#[must_use]
pub fn sum(a: &[f32]) -> f32 {
    sum_pairs(a, a, (0.0, 0.0), |a, _| a)
}

/// Sum of squared distances from `centre`.
#[inline(always)]
#[must_use]
pub fn sum_squares(a: &[f32], centre: f32) -> f32 {
    sum_pairs(a, a, (centre, centre), |a, _| (a - centre) * (a - centre))
}

/// Largest element; negative infinity for none. NaN is passed over.
#[inline(always)]
#[must_use]
pub fn max(a: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = a.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] = if chunk[i] > lanes[i] { chunk[i] } else { lanes[i] };
        }
    }
    let of_chunks = lanes.into_iter().fold(f32::NEG_INFINITY, |m, a| if a > m { a } else { m });
    rest.iter().fold(of_chunks, |m, a| if *a > m { *a } else { m })
}

/// `y[i] += scale * x[i]`.
#[inline(always)]
pub fn add_scaled(y: &mut [f32], x: &[f32], scale: f32) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += scale * x;
    }
}

/// e^x within 2 units in the last place for results that are normal numbers; 0 below -87.3, finite above 88.3.
///
/// Range reduction by ln 2 in two parts, then the polynomial of Cephes' `expf`.
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.3, 88.3);
    let shifted = clamped * core::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = (clamped - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let value = p * r * r + r + 1.0;
    let exponent = (shifted.to_bits() as i32).wrapping_sub(MAGIC.to_bits() as i32);
    let scaled = f32::from_bits((value.to_bits() as i32).wrapping_add(exponent << 23) as u32);
    if x < -87.3 { 0.0 } else { scaled }
}

/// Hyperbolic tangent by [`exp`], within 1e-6.
#[inline(always)]
#[must_use]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        for i in -870_000..880_000 {
            let x = i as f32 / 10_000.0;
            let (ours, reference) = (exp(x), f64::from(x).exp());
            let error = (f64::from(ours) - reference).abs() / reference;
            assert!(error < 2.5e-7, "exp({x}) = {ours}, error {error}");
        }
        assert_eq!(exp(-1000.0), 0.0);
        assert!(exp(1000.0).is_finite() && exp(0.0) == 1.0);
    }

    #[test]
    fn tanh_is_within_a_millionth() {
        for i in -100_000..100_000 {
            let x = i as f32 / 5_000.0;
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 1e-6, "tanh({x})");
        }
    }
}
