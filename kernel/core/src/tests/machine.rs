//! A machine that remembers what it was told.

use crate::{Arch, Fault, Frame, Id};
use std::vec::Vec;

/// Registers by name; messages in `words`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    pub number: i64,
    pub first: u64,
    pub tag: u64,
    pub words: [u64; 4],
    pub reply: u64,
    pub second: u64,
    pub pc: u64,
    pub restart_pc: u64,
}

impl Frame for Registers {
    fn capability(&self) -> u64 {
        self.first
    }
    fn set_badge(&mut self, badge: u64) {
        self.first = badge;
    }
    fn tag(&self) -> u64 {
        self.tag
    }
    fn set_tag(&mut self, tag: u64) {
        self.tag = tag;
    }
    fn message(&self, index: usize) -> u64 {
        self.words[index]
    }
    fn set_message(&mut self, index: usize, value: u64) {
        self.words[index] = value;
    }
    fn messages(&self) -> [u64; 4] {
        self.words
    }
    fn set_messages(&mut self, values: [u64; 4]) {
        self.words = values;
    }
    fn reply(&self) -> u64 {
        self.reply
    }
    fn send_destination(&self) -> u64 {
        self.second
    }
    fn syscall(&self) -> i64 {
        self.number
    }
    fn pc(&self) -> u64 {
        self.pc
    }
    fn set_pc(&mut self, pc: u64) {
        self.pc = pc;
    }
    fn restart_pc(&self) -> u64 {
        self.restart_pc
    }
    fn set_restart_pc(&mut self, pc: u64) {
        self.restart_pc = pc;
    }
    fn write_context(&mut self, index: usize, value: u64) {
        if index == 0 {
            self.restart_pc = value;
        }
    }
    fn read_context(&self, index: usize) -> u64 {
        if index == 0 { self.restart_pc } else { 0 }
    }
    const CONTEXT: usize = 34;
    fn syscall_register(&self, index: usize) -> u64 {
        if index == 8 { self.restart_pc } else { index as u64 }
    }
    fn set_syscall_register(&mut self, index: usize, value: u64) {
        if index == 8 {
            self.restart_pc = value;
        }
    }
    const SYSCALL_REGISTERS: usize = 12;
    fn exception_register(&self, index: usize) -> u64 {
        if index == 0 { self.restart_pc } else { 0 }
    }
    fn set_exception_register(&mut self, index: usize, value: u64) {
        if index == 0 {
            self.restart_pc = value;
        }
    }
    const EXCEPTION_REGISTERS: usize = 3;
}

#[derive(Clone, Debug)]
pub struct Machine {
    pub frames: Vec<Registers>,
    pub buffers: Vec<[u64; 128]>,
    pub time: u64,
    pub deadline: Option<u64>,
    pub kicks: Vec<usize>,
    pub stalls: Vec<usize>,
    pub unmasked: Vec<(u32, usize)>,
    pub reports: Vec<(Id, Fault)>,
}

impl Machine {
    pub fn new() -> Self {
        Self {
            frames: std::vec![Registers::default(); 64],
            buffers: std::vec![[0; 128]; 64],
            time: 1_000,
            deadline: None,
            kicks: Vec::new(),
            stalls: Vec::new(),
            unmasked: Vec::new(),
            reports: Vec::new(),
        }
    }
}

impl Arch for Machine {
    type Frame = Registers;
    fn frame(&mut self, thread: Id) -> &mut Registers {
        &mut self.frames[thread.slot()]
    }
    fn buffer(&self, thread: Id, index: usize) -> u64 {
        self.buffers[thread.slot()][index]
    }
    fn set_buffer(&mut self, thread: Id, index: usize, value: u64) {
        self.buffers[thread.slot()][index] = value;
    }
    fn copy_buffer(&mut self, from: Id, to: Id, length: usize) {
        let words = self.buffers[from.slot()];
        self.buffers[to.slot()][5..=length].copy_from_slice(&words[5..=length]);
    }
    fn now(&mut self) -> u64 {
        self.time
    }
    fn set_deadline(&mut self, time: Option<u64>) {
        self.deadline = time;
    }
    fn switch_to(&mut self, _: Option<Id>) {}
    fn kick(&mut self, core: usize) {
        self.kicks.push(core);
    }
    fn stall(&mut self, core: usize) {
        self.stalls.push(core);
    }
    fn unmask(&mut self, irq: u32, core: usize) {
        self.unmasked.push((irq, core));
    }
    fn report(&mut self, thread: Id, fault: &Fault) {
        self.reports.push((thread, *fault));
    }
}
