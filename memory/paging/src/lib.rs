//! AArch64 stage-1 page tables with a 4 KiB granule: descriptors and a builder.
//!
//! One design rule: the builder never follows a pointer. Tables are physical addresses behind [`TableMemory`], so the
//! kernel (direct map) and hosted tests (a vector) run the same code, and this crate has no unsafe code.
//!
//! Limits: 4 KiB and 2 MiB leaves, four levels, no unmapping: a table is built once, before it is used.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod descriptor;
mod tables;

pub use descriptor::{Access, Attributes, Memory};
pub use tables::{MapError, TableMemory, map, tables_needed};
