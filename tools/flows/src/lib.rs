//! Who can read, write, call, notify and control whom, as a Microkit system description says: the flow report.
//!
//! One design rule: the report is derived from the same checked description that the image is built from, and from
//! nothing else. What it does not show cannot happen, as far as the kernel does what it promises; what it shows may
//! happen, whatever the PDs' programs are.
//!
//! Limits: a flow is data through memory or message words. Signals (one bit), a parent's control of its children, and
//! timing are listed but are not followed as flows. A device is an end: what it does with memory on its own (DMA) is
//! not in the description.
#![forbid(unsafe_code)]

mod command;
mod draw;
mod flows;
mod paths;
mod policy;
mod print;

pub use command::Options;
pub use draw::{dot, svg};
pub use flows::{Access, Flows, Pair};
pub use paths::{Edge, Node, Paths};
pub use policy::{Difference, Policy, Rule};
pub use print::{json, text};
