//! From Microkit's system description to a bootable image for Cloister's kernel.
//!
//! One design rule: what is checked is what is built. A [`Description`] is edited by overlays, resolved once into a
//! checked [`System`], and only a [`System`] becomes an [`Image`] or a file for Microkit's own tool.
//! Bad input is the normal case: every problem says where it is and what to do, and one run reports as many as it can.
//! Limits: those of Microkit 2.3.0; virtual machines, extra capabilities and scheduling domains are refused by name.
#![forbid(unsafe_code)]

mod attribute;
mod description;
mod domain;
mod elf;
mod grammar;
mod image;
mod inputs;
mod kernel;
mod layout;
mod lint;
mod loader;
pub mod model;
mod overlay;
mod parse;
mod pci;
mod plan;
mod problem;
mod regions;
mod report;
mod search;
mod spec;
mod survey;
mod symbols;
mod xml;

pub use description::Description;
pub use elf::ProgramImage;
pub use image::{Image, build_image};
pub use model::System;
pub use problem::{Place, Problem, Problems};
pub use search::SearchPath;
pub use xml::{Attribute, Element, Node};

use board_description::Board;

/// All boards that images can be built for.
pub const BOARDS: &[Board] = &[board_qemu_virt_aarch64::BOARD, board_x86_64_generic::BOARD];

/// A board by its Microkit name.
///
/// # Errors
/// Names the known boards.
pub fn board(name: &str) -> Result<Board, Problems> {
    let found = BOARDS.iter().find(|board| board.name == name).copied();
    found.ok_or_else(|| {
        let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
        let close = problem::did_you_mean(name, names.iter().copied());
        Problems::one(format!("there is no board '{name}'{close}; known are {}", names.join(", ")))
    })
}
