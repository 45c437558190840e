//! Instruction sets without such a timer.

use crate::Comparator;

/// There is none, and no value of this type.
#[derive(Debug)]
pub enum PhysicalTimer {}

impl PhysicalTimer {
    /// The timer, which is not there.
    pub fn find() -> Option<Self> {
        None
    }
}

impl Comparator for PhysicalTimer {
    fn arm(&mut self, _: u64) {
        match *self {}
    }
    fn disarm(&mut self) {
        match *self {}
    }
}
