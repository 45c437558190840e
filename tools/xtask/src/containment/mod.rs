//! Faults on order: the containment matrix, recovery in the middle of an answer, and the demonstration.
//!
//! One design rule: everything is seen from outside, at the UART and in the machine's memory; no PD is asked whether
//! it contains its faults.

mod canary;
mod cases;
mod cell;
mod demo;
mod matrix;
mod ram;
mod recovery;
mod report;
mod rig;
mod terminal;

pub use canary::test as erasure;
pub use demo::faults as demo;
pub use matrix::{bench, test};
pub use recovery::test as recovery;
pub use rig::add_orders;
