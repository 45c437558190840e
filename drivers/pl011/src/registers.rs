//! Offsets and bits, as in ARM DDI 0183G, chapter 3.

pub const DR: usize = 0x00;
pub const FRAMING: u32 = 1 << 8;
pub const PARITY: u32 = 1 << 9;
pub const BREAK: u32 = 1 << 10;
pub const OVERRUN: u32 = 1 << 11;

pub const FR: usize = 0x18;
pub const BUSY: u32 = 1 << 3;
pub const RECEIVE_EMPTY: u32 = 1 << 4;
pub const TRANSMIT_FULL: u32 = 1 << 5;
pub const TRANSMIT_EMPTY: u32 = 1 << 7;

pub const LCR_H: usize = 0x2c;
pub const FIFOS: u32 = 1 << 4;
pub const EIGHT_BITS: u32 = 0b11 << 5;

pub const CR: usize = 0x30;
pub const ENABLE: u32 = 1 << 0;
pub const TRANSMIT_ENABLE: u32 = 1 << 8;
pub const RECEIVE_ENABLE: u32 = 1 << 9;

pub const IFLS: usize = 0x34;
pub const TRANSMIT_AT_ONE_EIGHTH: u32 = 0;
pub const RECEIVE_AT_ONE_EIGHTH: u32 = 0;

pub const IMSC: usize = 0x38;
pub const MIS: usize = 0x40;
pub const ICR: usize = 0x44;
pub const RECEIVE: u32 = 1 << 4;
pub const TRANSMIT: u32 = 1 << 5;
pub const RECEIVE_TIMEOUT: u32 = 1 << 6;
pub const ERRORS: u32 = 0b1111 << 7;
pub const ALL_INTERRUPTS: u32 = 0x7ff;
