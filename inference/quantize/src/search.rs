// SPDX-License-Identifier: MIT
//! Searches for scales: candidates around the obvious one, the best by weighted squared error.
//!
//! For given integers `q` the best scale is a quotient of sums (least squares), so every candidate is: divide by a trial
//! scale, round, fit. What the fit reaches decides; `w` weighs large elements more, because errors there cost more.

/// Below this everything is zero (ggml's `GROUP_MAX_EPS`).
const TINY: f32 = 1e-15;

/// To the nearest integer, ties to even. Holds for |x| < 2^22; larger ones are clamped by every caller anyway.
#[inline(always)]
pub(crate) fn nearest(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    if x.abs() < 4_194_304.0 { (x + SHIFT) - SHIFT } else { x }
}

/// 1 / x, or 0 where that is no number: a scale of 0 makes every element 0.
#[inline(always)]
pub(crate) fn inverse(x: f32) -> f32 {
    if x.abs() < TINY { 0.0 } else { 1.0 / x }
}

/// The element farthest from 0, with its sign.
pub(crate) fn farthest(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |far: f32, x| if x.abs() > far.abs() { *x } else { far })
}

/// What the error of an element counts.
pub(crate) type Weigh = fn(f32) -> f32;

/// Sums of a fit through 0.
#[derive(Clone, Copy, Default)]
struct Fit {
    product: f32,
    square: f32,
}

impl Fit {
    fn of<const N: usize>(x: &[f32; N], weigh: Weigh, quantise: impl Fn(f32) -> f32) -> Self {
        x.iter().fold(Self::default(), |sum, x| {
            let (q, w) = (quantise(*x), weigh(*x));
            Self { product: sum.product + w * x * q, square: sum.square + w * q * q }
        })
    }

    /// How much of the weighted square of the elements is explained.
    fn gain(&self) -> f32 {
        if self.square > 0.0 { self.product * self.product / self.square } else { 0.0 }
    }

    fn scale(&self) -> f32 {
        self.product * inverse(self.square)
    }
}

/// The scale for values `table(x / scale)`, whose extreme one `-reach` the farthest element gets: the best of
/// `2 * tries + 1` candidates that are `step` apart.
pub(crate) fn through_zero<const N: usize>(
    x: &[f32; N],
    reach: f32,
    tries: i32,
    step: f32,
    weigh: Weigh,
    table: impl Fn(f32) -> f32,
) -> f32 {
    let far = farthest(x);
    if far.abs() < TINY {
        return 0.0;
    }
    let (mut best, mut scale) = (0.0, 0.0);
    for i in -tries..=tries {
        let trial = -(reach + step * i as f32) / far;
        let fit = Fit::of(x, weigh, |x| table(x * trial));
        if fit.gain() > best {
            (best, scale) = (fit.gain(), fit.scale());
        }
    }
    scale
}

/// As [`through_zero`] for the integers from `-reach` to `reach - 1`, refined: round with the scale that was found, fit
/// again, as long as that helps.
pub(crate) fn symmetric<const N: usize>(x: &[f32; N], reach: f32, weigh: Weigh) -> f32 {
    let table = |x: f32| nearest(x).clamp(-reach, reach - 1.0);
    let mut scale = through_zero(x, reach, 9, 0.1, weigh, table);
    let mut gain = 0.0;
    for _ in 0..4 {
        let by = inverse(scale);
        let fit = Fit::of(x, weigh, |x| table(x * by));
        if fit.gain() <= gain {
            break;
        }
        (gain, scale) = (fit.gain(), fit.scale());
    }
    scale
}

/// Which candidates [`affine`] tries: `steps + 1` of them, from `most + from` levels on, 0.1 apart.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) most: f32,
    pub(crate) from: f32,
    pub(crate) steps: u32,
}

/// Scale, and the minimum to subtract (not negative), for integers from 0 to `grid.most`. `base` is what every element
/// weighs besides its magnitude.
pub(crate) fn affine<const N: usize>(x: &[f32; N], base: f32, grid: Grid) -> (f32, f32) {
    let low = x.iter().fold(0.0f32, |m, x| m.min(*x));
    let high = x.iter().fold(low, |m, x| m.max(*x));
    if high - low < TINY {
        return (0.0, -low);
    }
    let most = grid.most;
    let mut best = ((high - low) / most, low);
    let mut least = affine_error(x, base, most, best);
    for i in 0..=grid.steps {
        let by = (most + grid.from + 0.1 * i as f32) / (high - low);
        let found = line(x, base, |x| nearest(by * (x - low)).clamp(0.0, most));
        let error = affine_error(x, base, most, found);
        if found.0 > 0.0 && error < least {
            (best, least) = (found, error);
        }
    }
    (best.0, -best.1)
}

/// The weighted squared error of a scale and a minimum, with the integers that suit them best.
fn affine_error<const N: usize>(x: &[f32; N], base: f32, most: f32, (scale, low): (f32, f32)) -> f32 {
    let by = inverse(scale);
    let term = |x: &f32| {
        let difference = scale * nearest(by * (x - low)).clamp(0.0, most) + low - x;
        (base + x.abs()) * difference * difference
    };
    x.iter().map(term).sum()
}

/// The weighted least-squares line through (integer, element): slope and intercept, the latter at most 0.
fn line<const N: usize>(x: &[f32; N], base: f32, quantise: impl Fn(f32) -> f32) -> (f32, f32) {
    let [mut w1, mut wq, mut wqq, mut wx, mut wqx] = [0f32; 5];
    for x in x {
        let (q, w) = (quantise(*x), base + x.abs());
        (w1, wq, wqq, wx, wqx) = (w1 + w, wq + w * q, wqq + w * q * q, wx + w * x, wqx + w * q * x);
    }
    let determinant = w1 * wqq - wq * wq;
    if determinant <= 0.0 {
        return (0.0, 0.0);
    }
    let intercept = (wqq * wx - wq * wqx) / determinant;
    if intercept > 0.0 { (wqx * inverse(wqq), 0.0) } else { ((w1 * wqx - wx * wq) / determinant, intercept) }
}
