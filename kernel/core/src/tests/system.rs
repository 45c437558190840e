//! Systems for tests: a compiled description made in memory, and a kernel that runs it.

use super::machine::Machine;
use crate::{Id, Kernel, State};
use ipc_abi::{MessageTag, slot, syscall};
use kernel_spec::{CallEnd, ChildEnd, Header, IrqEnd, MAGIC, NO_PD, NotifyEnd, Pd, Spec, Table, VERSION};
use std::boxed::Box;
use std::vec::Vec;
use zerocopy::{FromZeros, Immutable, IntoBytes};

#[derive(Default)]
pub struct System {
    pub cores: u32,
    pub pds: Vec<Pd>,
    pub notifies: Vec<NotifyEnd>,
    pub calls: Vec<CallEnd>,
    pub irqs: Vec<IrqEnd>,
    pub children: Vec<ChildEnd>,
}

impl System {
    pub fn new(cores: u32) -> Self {
        Self { cores, ..Self::default() }
    }

    pub fn pd(&mut self, priority: u8, core: u8, flags: u8) -> u16 {
        self.budgeted(priority, core, flags, (1000, 1000))
    }

    pub fn budgeted(&mut self, priority: u8, core: u8, flags: u8, (budget, period): (u64, u64)) -> u16 {
        let mut pd = Pd::new_zeroed();
        (pd.priority, pd.core, pd.flags) = (priority, core, flags);
        pd.budget_us.set(budget);
        pd.period_us.set(period);
        pd.parent.set(NO_PD);
        self.pds.push(pd);
        self.pds.len() as u16 - 1
    }

    pub fn call(&mut self, from: u16, to: u16, id: u8) {
        let mut end = CallEnd::new_zeroed();
        end.pd.set(from);
        end.target.set(to);
        (end.id, end.badge_id) = (id, from as u8);
        self.pds[usize::from(to)].flags |= Pd::ENDPOINT;
        self.calls.push(end);
    }

    pub fn notify(&mut self, from: u16, to: u16, id: u8) {
        let mut end = NotifyEnd::new_zeroed();
        end.pd.set(from);
        end.target.set(to);
        (end.id, end.badge_id) = (id, from as u8);
        self.notifies.push(end);
    }

    pub fn child(&mut self, parent: u16, child: u16, id: u8) {
        let mut end = ChildEnd::new_zeroed();
        end.parent.set(parent);
        end.child.set(child);
        end.id = id;
        self.pds[usize::from(parent)].flags |= Pd::ENDPOINT;
        self.children.push(end);
    }

    pub fn irq(&mut self, pd: u16, irq: u32, id: u8) {
        let mut end = IrqEnd::new_zeroed();
        end.irq.set(irq);
        end.pd.set(pd);
        end.id = id;
        self.irqs.push(end);
    }

    fn bytes(&self) -> Vec<u8> {
        let mut header = Header::new_zeroed();
        header.magic.set(MAGIC);
        header.version.set(VERSION);
        header.cores.set(self.cores);
        let mut tail = Vec::new();
        header.pds = table(&mut tail, &self.pds);
        header.notifies = table(&mut tail, &self.notifies);
        header.calls = table(&mut tail, &self.calls);
        header.irqs = table(&mut tail, &self.irqs);
        header.children = table(&mut tail, &self.children);
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(tail);
        bytes
    }

    /// A running system: every core has chosen its first thread. One tick is one microsecond.
    pub fn start(&self) -> Running {
        let bytes = self.bytes();
        let mut kernel = Box::new(Kernel::new(Machine::new()));
        kernel.configure(&Spec::parse(&bytes).unwrap(), 1).unwrap();
        let mut running = Running { kernel, cores: self.cores as usize, dropped: Vec::new() };
        for core in 0..running.cores {
            running.kernel.enter(core);
            running.kernel.schedule();
        }
        running.settle();
        running
    }
}

fn table<T: IntoBytes + Immutable>(tail: &mut Vec<u8>, records: &[T]) -> Table {
    let mut table = Table::new_zeroed();
    table.offset.set((size_of::<Header>() + tail.len()) as u32);
    table.count.set(records.len() as u32);
    tail.extend(records.as_bytes());
    table
}

pub fn id(pd: u16) -> Id {
    Id::of_pd(usize::from(pd)).unwrap()
}

pub struct Running {
    pub kernel: Box<Kernel<Machine>>,
    pub cores: usize,
    /// Cores whose thread's system call was dropped.
    pub dropped: Vec<usize>,
}

impl Running {
    /// The PD that a core runs.
    pub fn runs(&self, core: usize) -> Option<u16> {
        self.kernel.cores[core].current.map(|id| id.pd() as u16)
    }

    /// Lets the cores that were kicked or stalled run their schedulers.
    pub fn settle(&mut self) {
        while let Some(core) = self.kernel.arch.kicks.pop().or_else(|| self.kernel.arch.stalls.pop()) {
            if !self.kernel.enter(core) {
                self.dropped.push(core);
            }
            self.kernel.schedule();
        }
    }

    /// A system call of the thread that `core` runs, by the general path.
    pub fn syscall(&mut self, core: usize, registers: super::machine::Registers) {
        self.prepare(core, registers);
        if self.kernel.enter(core) {
            self.kernel.syscall();
        }
        self.kernel.schedule();
        self.settle();
    }

    /// The same by the short path where it applies; whether it did.
    pub fn fast_syscall(&mut self, core: usize, registers: super::machine::Registers) -> bool {
        self.prepare(core, registers);
        let fast = self.kernel.enter(core) && self.kernel.fast_syscall();
        if !fast {
            self.kernel.syscall();
            self.kernel.schedule();
        }
        self.settle();
        fast
    }

    fn prepare(&mut self, core: usize, registers: super::machine::Registers) {
        if let Some(current) = self.kernel.cores[core].current {
            let frame = &mut self.kernel.arch.frames[current.slot()];
            let pc = frame.pc;
            *frame = registers;
            (frame.restart_pc, frame.pc) = (pc, pc + 4);
        }
    }

    pub fn call(&mut self, core: usize, to: u64, tag: MessageTag) {
        let registers = super::machine::Registers {
            number: syscall::CALL,
            first: to,
            tag: tag.0,
            words: [11, 12, 13, 14],
            ..Default::default()
        };
        self.syscall(core, registers);
    }

    pub fn notify(&mut self, core: usize, channel: u64) {
        let first = slot::NOTIFY_BASE + channel;
        let registers = super::machine::Registers { number: syscall::SEND, first, ..Default::default() };
        self.syscall(core, registers);
    }

    pub fn receive(&mut self, core: usize) {
        let registers = super::machine::Registers {
            number: syscall::RECV,
            first: slot::INPUT,
            reply: slot::REPLY,
            ..Default::default()
        };
        self.syscall(core, registers);
    }

    /// As a passive PD's first wait.
    pub fn receive_passively(&mut self, core: usize) {
        let registers = super::machine::Registers {
            number: syscall::NB_SEND_RECV,
            first: slot::INPUT,
            second: slot::MONITOR,
            reply: slot::REPLY,
            ..Default::default()
        };
        self.syscall(core, registers);
    }

    pub fn reply_receive(&mut self, core: usize, tag: MessageTag, words: [u64; 4]) {
        let registers = super::machine::Registers {
            number: syscall::REPLY_RECV,
            first: slot::INPUT,
            tag: tag.0,
            words,
            reply: slot::REPLY,
            ..Default::default()
        };
        self.syscall(core, registers);
    }

    /// Time passes; every core whose deadline may have come looks at the clock.
    pub fn pass(&mut self, ticks: u64) {
        self.kernel.arch.time += ticks;
        for core in 0..self.cores {
            self.kernel.enter(core);
            self.kernel.tick();
            self.kernel.schedule();
            self.settle();
        }
    }

    pub fn state(&self, pd: u16) -> State {
        self.kernel.state(id(pd))
    }

    pub fn registers(&self, pd: u16) -> super::machine::Registers {
        self.kernel.arch.frames[id(pd).slot()]
    }
}
