// SPDX-License-Identifier: MIT
//! How the learning rate changes over a run.

/// The form after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    Constant,
    /// Half a cosine down to [`Schedule::least`].
    Cosine,
    /// Warm-up, stable, decay: constant until the last fifth, then linearly down to [`Schedule::least`].
    WarmStableDecay,
}

/// The learning rate as a function of steps and progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    pub curve: Curve,
    /// The highest rate.
    pub rate: f32,
    /// The last rate, as a part of the highest.
    pub least: f32,
    /// Steps in which the rate rises linearly.
    pub warmup: u64,
}

impl Schedule {
    /// The rate of step `step` (from 0) of a run of which the part `progress` (0 to 1) is done.
    #[must_use]
    pub fn rate(&self, step: u64, progress: f64) -> f32 {
        if step < self.warmup {
            return self.rate * (step + 1) as f32 / self.warmup as f32;
        }
        let progress = progress.clamp(0.0, 1.0);
        let part = match self.curve {
            Curve::Constant => 1.0,
            Curve::Cosine => 0.5 * (1.0 + libm::cos(core::f64::consts::PI * progress)),
            Curve::WarmStableDecay => ((1.0 - progress) / 0.2).min(1.0),
        };
        self.rate * (self.least + (1.0 - self.least) * part as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_hold_and_fall() {
        let wsd = Schedule { curve: Curve::WarmStableDecay, rate: 1.0, least: 0.1, warmup: 10 };
        assert_eq!(wsd.rate(0, 0.0), 0.1);
        assert_eq!((wsd.rate(9, 0.1), wsd.rate(50, 0.5)), (1.0, 1.0));
        assert!((wsd.rate(90, 0.9) - 0.55).abs() < 1e-6 && (wsd.rate(100, 1.0) - 0.1).abs() < 1e-6);
        let cosine = Schedule { curve: Curve::Cosine, ..wsd };
        assert!((cosine.rate(50, 0.5) - 0.55).abs() < 1e-6 && (cosine.rate(100, 1.5) - 0.1).abs() < 1e-6);
    }
}
