//! Page tables of AArch64 (stage 1, 4 KiB granule) and x86-64: entries and a builder.
//!
//! One design rule: the builder never follows a pointer. Tables are physical addresses behind [`TableMemory`], so the
//! kernel (direct map) and hosted tests (a vector) run the same code, and this crate has no unsafe code.
//!
//! Limits: 4 KiB and 2 MiB leaves, four levels, no unmapping: a table is built once, before it is used.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod attributes;
mod format;
mod tables;

pub use attributes::{Access, Attributes, Format, Memory};
pub use format::{Aarch64, X86_64};
pub use tables::{MapError, TableMemory, map, tables_needed};
