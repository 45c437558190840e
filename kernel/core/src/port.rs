//! x86 I/O ports: a PD reads and writes those that the description gives it, by invocation, as on seL4.

use crate::invoke::{Mode, Refusal};
use crate::{Arch, Frame, Id, Kernel};
use ipc_abi::{MessageTag, label};

/// Ports from `first` on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PortRange {
    pub first: u16,
    pub count: u16,
}

impl PortRange {
    fn holds(self, port: u16, bytes: u16) -> bool {
        let (first, end) = (u32::from(self.first), u32::from(self.first) + u32::from(self.count));
        u32::from(port) >= first && u32::from(port) + u32::from(bytes) <= end
    }
}

impl<A: Arch> Kernel<A> {
    /// Reads or writes a port; gives the words of the answer.
    pub(crate) fn invoke_ports(
        &mut self,
        caller: Id,
        range: u8,
        tag: MessageTag,
        mode: Mode,
    ) -> Result<usize, Refusal> {
        let width =
            |labels: [u64; 3]| labels.iter().position(|label| *label == tag.label()).map(|at| 1 << at);
        let (bytes, write) = match (width(label::PORT_IN), width(label::PORT_OUT)) {
            (Some(bytes), _) => (bytes, false),
            (_, Some(bytes)) => (bytes, true),
            _ => return Err(Refusal::IllegalOperation),
        };
        if tag.length() < 1 + usize::from(write) {
            return Err(Refusal::TruncatedMessage);
        }
        let [port, value, ..] = self.arch.frame(caller).messages();
        let port = port as u16;
        if !self.ports.get(usize::from(range)).is_some_and(|range| range.holds(port, bytes)) {
            return Err(Refusal::IllegalOperation);
        }
        if write {
            self.arch.write_port(port, bytes, value as u32);
            return Ok(0);
        }
        let value = self.arch.read_port(port, bytes);
        if mode.call {
            self.arch.frame(caller).set_message(0, value.into());
        }
        Ok(1)
    }
}
