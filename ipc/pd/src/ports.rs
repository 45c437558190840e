//! x86 I/O ports that the system description gives this PD. Each access is a call of the kernel.

use crate::backend;
use crate::message::{MessageInfo, get_mr, set_mr};
use ipc_abi::{label, slot};
use memory_mmio::Ports;

/// The ports of one `<ioport>`. On machines without I/O ports nobody has one.
#[derive(Debug)]
pub struct PortRange {
    first: u16,
    id: u8,
}

impl PortRange {
    /// The ports from `first` on, by the id that the description gives them. An access changes message words 0 and 1.
    pub const fn new(first: u16, id: u8) -> Self {
        assert!(id < 62, "port ids are below 62");
        Self { first, id }
    }

    fn call(&self, labels: [u64; 3], words: usize, bytes: u16) -> bool {
        let label = labels[usize::from(bytes.trailing_zeros() as u8).min(2)];
        let answer = backend::call(slot::PORT_BASE + u64::from(self.id), MessageInfo::new(label, words));
        answer.label() == 0
    }
}

impl Ports for PortRange {
    fn read(&mut self, offset: u16, bytes: u16) -> u32 {
        set_mr(0, u64::from(self.first.wrapping_add(offset)));
        if self.call(label::PORT_IN, 1, bytes) { get_mr(0) as u32 } else { u32::MAX }
    }

    fn write(&mut self, offset: u16, bytes: u16, value: u32) {
        set_mr(0, u64::from(self.first.wrapping_add(offset)));
        set_mr(1, u64::from(value));
        self.call(label::PORT_OUT, 2, bytes);
    }
}
