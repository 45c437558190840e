// SPDX-License-Identifier: MIT
//! Blocks of 32 elements as integers and scales: element `i` is `d * q[i] + m`.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::blocks::{BlockIQ4NL, BlockQ4_0, BlockQ4_1, BlockQ5_0, BlockQ5_1, BlockQ8_0, IQ4_VALUES};

/// A block type of 32 elements.
pub(crate) trait Block32: FromBytes + Immutable + KnownLayout + Unaligned + Copy {
    /// Added to every integer, it makes them unsigned.
    #[allow(dead_code, reason = "only instruction sets with unsigned products need it")]
    const OFFSET: i32;
    /// Whether `m` is anything but 0.
    const HAS_MIN: bool = false;

    fn d(&self) -> f32;

    #[inline(always)]
    fn m(&self) -> f32 {
        0.0
    }

    /// The 32 integers.
    fn unpack(&self, q: &mut [i8; 32]);
}

#[inline(always)]
fn nibbles(qs: &[u8; 16], q: &mut [i8; 32], offset: i8) {
    for i in 0..16 {
        q[i] = (qs[i] & 15) as i8 - offset;
        q[i + 16] = (qs[i] >> 4) as i8 - offset;
    }
}

#[inline(always)]
fn five_bits(qs: &[u8; 16], qh: [u8; 4], q: &mut [i8; 32], offset: i8) {
    let high = u32::from_le_bytes(qh);
    for i in 0..16 {
        let (low, up) = (((high >> i) & 1) << 4, ((high >> (i + 16)) & 1) << 4);
        q[i] = (qs[i] & 15 | low as u8) as i8 - offset;
        q[i + 16] = (qs[i] >> 4 | up as u8) as i8 - offset;
    }
}

impl Block32 for BlockQ8_0 {
    const OFFSET: i32 = 128;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 32]) {
        *q = self.qs;
    }
}

impl Block32 for BlockQ4_0 {
    const OFFSET: i32 = 8;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 32]) {
        nibbles(&self.qs, q, 8);
    }
}

impl Block32 for BlockQ4_1 {
    const OFFSET: i32 = 0;
    const HAS_MIN: bool = true;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn m(&self) -> f32 {
        self.m.get()
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 32]) {
        nibbles(&self.qs, q, 0);
    }
}

impl Block32 for BlockQ5_0 {
    const OFFSET: i32 = 16;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 32]) {
        five_bits(&self.qs, self.qh, q, 16);
    }
}

impl Block32 for BlockQ5_1 {
    const OFFSET: i32 = 0;
    const HAS_MIN: bool = true;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn m(&self) -> f32 {
        self.m.get()
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 32]) {
        five_bits(&self.qs, self.qh, q, 0);
    }
}

impl Block32 for BlockIQ4NL {
    const OFFSET: i32 = 128;

    #[inline(always)]
    fn d(&self) -> f32 {
        self.d.get()
    }

    #[inline(always)]
    fn unpack(&self, q: &mut [i8; 32]) {
        for i in 0..16 {
            q[i] = IQ4_VALUES[usize::from(self.qs[i] & 15)];
            q[i + 16] = IQ4_VALUES[usize::from(self.qs[i] >> 4)];
        }
    }
}
