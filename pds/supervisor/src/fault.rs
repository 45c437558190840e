//! What the kernel says about a child's fault, and why else a child may be restarted.
//!
//! Sources: seL4 `sel4_arch/constants.h` (message layouts of aarch64 and x86-64), `ipc_abi::fault` (labels).

use ipc_abi::fault;
use ipc_pd::{Child, MessageInfo, get_mr};

/// Words of an unknown system call's message on x86-64; on aarch64 there are 13.
const X86_SYSCALL_WORDS: usize = 19;

/// Where program counter and system call number lie in an unknown system call's message.
fn syscall_words(count: usize) -> (usize, usize) {
    if count >= X86_SYSCALL_WORDS { (15, 18) } else { (8, 12) }
}

/// A fault as the kernel reports it; zeros where a kind of fault has no such value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// seL4's fault label.
    pub label: u64,
    /// Address for a memory fault, instruction or system call number otherwise.
    pub address: u64,
    /// Program counter.
    pub pc: u64,
    /// Fault status.
    pub status: u64,
}

impl Fault {
    /// Reads the fault message that has just been received.
    pub fn received(message: MessageInfo) -> Self {
        let label = message.label();
        let (address, pc, status) = match label {
            fault::VM => (get_mr(1), get_mr(0), get_mr(3)),
            fault::CAP => (get_mr(1), get_mr(0), get_mr(3)),
            fault::USER_EXCEPTION => (get_mr(3), get_mr(0), get_mr(4)),
            fault::UNKNOWN_SYSCALL => {
                let (pc, number) = syscall_words(message.count());
                (get_mr(number), get_mr(pc), 0)
            }
            fault::VCPU => (0, 0, get_mr(0)),
            _ => (get_mr(0), 0, 0),
        };
        Self { label, address, pc, status }
    }

    /// With the child's program counter where the message does not say it.
    pub fn located(self, child: Child) -> Self {
        let told = self.label != fault::VCPU;
        let pc = if told { self.pc } else { child.program_counter().unwrap_or(0) };
        Self { pc, ..self }
    }
}

/// Why a child is stopped against its will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The kernel reported a fault.
    Fault(Fault),
    /// No heartbeat for this many milliseconds while it worked.
    Hung(u64),
    /// No heartbeat for this many milliseconds after it was asked for one.
    Silent(u64),
    /// It broke the protocol of its link to the supervisor.
    Protocol,
    /// It did not answer a request in time.
    Late,
}

impl Cause {
    /// What happened, for people: completes "console …".
    pub fn describe(&self, f: &mut dyn core::fmt::Write) -> core::fmt::Result {
        match self {
            Self::Fault(_) => f.write_str("faulted"),
            Self::Hung(ms) => write!(f, "worked for {ms} ms without a sign of life"),
            Self::Silent(ms) => write!(f, "gave no sign of life for {ms} ms"),
            Self::Protocol => f.write_str("broke the protocol of its link"),
            Self::Late => f.write_str("did not answer in time"),
        }
    }

    /// The fault to report; a zero label stands for everything that the kernel did not report.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Fault(fault) => *fault,
            _ => Fault::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc_pd::set_mr;

    fn message(words: &[u64]) {
        for (i, word) in words.iter().enumerate() {
            set_mr(i, *word);
        }
    }

    #[test]
    fn a_memory_fault_names_address_pc_and_status() {
        message(&[0x20_0000, 0xdead, 0, 0x9200_0046]);
        let read = Fault::received(MessageInfo::new(fault::VM, 4));
        assert_eq!(read, Fault { label: 6, address: 0xdead, pc: 0x20_0000, status: 0x9200_0046 });
    }

    #[test]
    fn a_trapped_instruction_names_its_syndrome() {
        message(&[0x1fe0_0000]);
        let read = Fault::received(MessageInfo::new(fault::VCPU, 1));
        assert_eq!(read, Fault { label: 8, address: 0, pc: 0, status: 0x1fe0_0000 });
    }

    #[test]
    fn an_exception_names_pc_and_code() {
        message(&[0x20_0010, 0, 0, 7, 0x0200_0000]);
        let read = Fault::received(MessageInfo::new(fault::USER_EXCEPTION, 5));
        assert_eq!(read, Fault { label: 3, address: 7, pc: 0x20_0010, status: 0x0200_0000 });
    }
    #[test]
    fn an_unknown_system_call_names_its_number_in_either_layout() {
        message(&[1, 2, 3, 4, 5, 6, 7, 8, 0x20_0020, 0, 0, 0, 99]);
        let read = Fault::received(MessageInfo::new(fault::UNKNOWN_SYSCALL, 13));
        assert_eq!((read.address, read.pc), (99, 0x20_0020));
        message(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40_0000, 0, 0, 77]);
        let read = Fault::received(MessageInfo::new(fault::UNKNOWN_SYSCALL, 19));
        assert_eq!((read.address, read.pc), (77, 0x40_0000));
    }
}
