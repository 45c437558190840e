// SPDX-License-Identifier: MIT
//! Super-blocks of 256 elements as integers and scales: element `i` is `d * scale[i / 16] * q[i] - dmin * min[i / 16]`.
//! Types with sub-blocks of 32 repeat each scale.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::blocks::{BlockIQ4XS, BlockQ2K, BlockQ3K, BlockQ4K, BlockQ5K, BlockQ6K, IQ4_VALUES};

/// Scales and minima of the 16 sub-blocks of a super-block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SubScales {
    pub(crate) scale: [i16; 16],
    pub(crate) min: [i16; 16],
}

/// A block type of 256 elements.
pub(crate) trait Block256: FromBytes + Immutable + KnownLayout + Unaligned + Copy {
    /// Added to every integer, it makes them unsigned.
    #[allow(dead_code, reason = "only instruction sets with unsigned products need it")]
    const OFFSET: i32;
    /// Whether minima are anything but 0.
    const HAS_MIN: bool;

    fn d(&self) -> f32;

    #[inline(always)]
    fn dmin(&self) -> f32 {
        0.0
    }

    fn scales(&self) -> SubScales;

    /// The 256 integers.
    fn unpack(&self, q: &mut [i8; 256]);
}

/// The eight 6-bit scales and minima of Q4_K and Q5_K (`get_scale_min_k4`).
#[inline(always)]
pub(crate) fn scales_k4(s: &[u8; 12]) -> ([u8; 8], [u8; 8]) {
    let (mut scale, mut min) = ([0; 8], [0; 8]);
    for j in 0..4 {
        scale[j] = s[j] & 63;
        min[j] = s[j + 4] & 63;
        scale[j + 4] = (s[j + 8] & 15) | (s[j] >> 6 << 4);
        min[j + 4] = (s[j + 8] >> 4) | (s[j + 4] >> 6 << 4);
    }
    (scale, min)
}

#[inline(always)]
fn doubled(values: [u8; 8]) -> [i16; 16] {
    // No `array::from_fn` nor `map` here: they are not inlined into functions for an instruction set.
    let mut out = [0; 16];
    for i in 0..16 {
        out[i] = i16::from(values[i / 2]);
    }
    out
}

impl Block256 for BlockQ4K {
    const OFFSET: i32 = 0;
    const HAS_MIN: bool = true;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn dmin(&self) -> f32 {
        self.dmin.get()
    }

    #[inline(always)]
    fn scales(&self) -> SubScales {
        let (scale, min) = scales_k4(&self.scales);
        SubScales { scale: doubled(scale), min: doubled(min) }
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 256]) {
        for (q, qs) in q.as_chunks_mut::<64>().0.iter_mut().zip(self.qs.as_chunks::<32>().0) {
            for i in 0..32 {
                q[i] = (qs[i] & 15) as i8;
                q[i + 32] = (qs[i] >> 4) as i8;
            }
        }
    }
}

impl Block256 for BlockQ5K {
    const OFFSET: i32 = 0;
    const HAS_MIN: bool = true;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn dmin(&self) -> f32 {
        self.dmin.get()
    }

    #[inline(always)]
    fn scales(&self) -> SubScales {
        let (scale, min) = scales_k4(&self.scales);
        SubScales { scale: doubled(scale), min: doubled(min) }
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 256]) {
        for (j, (q, qs)) in q.as_chunks_mut::<64>().0.iter_mut().zip(self.qs.as_chunks::<32>().0).enumerate()
        {
            for i in 0..32 {
                let high = self.qh[i] >> (2 * j);
                q[i] = (qs[i] & 15 | (high & 1) << 4) as i8;
                q[i + 32] = (qs[i] >> 4 | (high >> 1 & 1) << 4) as i8;
            }
        }
    }
}

impl Block256 for BlockQ6K {
    const OFFSET: i32 = 32;
    const HAS_MIN: bool = false;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn scales(&self) -> SubScales {
        let mut sub = SubScales::default();
        for (scale, s) in sub.scale.iter_mut().zip(self.scales) {
            *scale = i16::from(s);
        }
        sub
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 256]) {
        let parts = self.ql.as_chunks::<64>().0.iter().zip(self.qh.as_chunks::<32>().0);
        for (q, (ql, qh)) in q.as_chunks_mut::<128>().0.iter_mut().zip(parts) {
            for i in 0..32 {
                let high = qh[i];
                q[i] = (ql[i] & 15 | (high & 3) << 4) as i8 - 32;
                q[i + 32] = (ql[i + 32] & 15 | (high >> 2 & 3) << 4) as i8 - 32;
                q[i + 64] = (ql[i] >> 4 | (high >> 4 & 3) << 4) as i8 - 32;
                q[i + 96] = (ql[i + 32] >> 4 | (high >> 6) << 4) as i8 - 32;
            }
        }
    }
}

impl Block256 for BlockQ2K {
    const OFFSET: i32 = 0;
    const HAS_MIN: bool = true;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn dmin(&self) -> f32 {
        self.dmin.get()
    }

    #[inline(always)]
    fn scales(&self) -> SubScales {
        let mut sub = SubScales::default();
        for ((scale, min), s) in sub.scale.iter_mut().zip(&mut sub.min).zip(self.scales) {
            (*scale, *min) = (i16::from(s & 15), i16::from(s >> 4));
        }
        sub
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 256]) {
        for (q, qs) in q.as_chunks_mut::<128>().0.iter_mut().zip(self.qs.as_chunks::<32>().0) {
            for (j, q) in q.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                for i in 0..32 {
                    q[i] = (qs[i] >> (2 * j) & 3) as i8;
                }
            }
        }
    }
}

impl Block256 for BlockQ3K {
    const OFFSET: i32 = 4;
    const HAS_MIN: bool = false;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn scales(&self) -> SubScales {
        let s = &self.scales;
        let mut bits = [0; 16];
        for i in 0..8 {
            (bits[i], bits[i + 8]) = (s[i] & 15, s[i] >> 4);
        }
        for j in 0..4 {
            for i in 0..4 {
                bits[4 * j + i] |= (s[8 + i] >> (2 * j) & 3) << 4;
            }
        }
        let mut sub = SubScales::default();
        for (scale, bits) in sub.scale.iter_mut().zip(bits) {
            *scale = i16::from(bits) - 32;
        }
        sub
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 256]) {
        for (n, (q, qs)) in q.as_chunks_mut::<128>().0.iter_mut().zip(self.qs.as_chunks::<32>().0).enumerate()
        {
            for (j, q) in q.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                for i in 0..32 {
                    let high = self.hmask[i] >> (4 * n + j) & 1;
                    q[i] = (qs[i] >> (2 * j) & 3 | high << 2) as i8 - 4;
                }
            }
        }
    }
}

impl Block256 for BlockIQ4XS {
    const OFFSET: i32 = 128;
    const HAS_MIN: bool = false;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn scales(&self) -> SubScales {
        let high = u16::from_le_bytes(self.scales_h);
        let mut sub = SubScales::default();
        for (i, scale) in sub.scale.iter_mut().enumerate() {
            let j = i / 2;
            let low = self.scales_l[j / 2] >> (4 * (j % 2)) & 15;
            *scale = i16::from(low) + ((high >> (2 * j) & 3) << 4) as i16 - 32;
        }
        sub
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 256]) {
        for (q, qs) in q.as_chunks_mut::<32>().0.iter_mut().zip(self.qs.as_chunks::<16>().0) {
            for i in 0..16 {
                q[i] = IQ4_VALUES[usize::from(qs[i] & 15)];
                q[i + 16] = IQ4_VALUES[usize::from(qs[i] >> 4)];
            }
        }
    }
}
