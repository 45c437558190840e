//! Faults and what their handler can do.

use super::invariants::check;
use super::machine::Registers;
use super::system::{Running, System, id};
use crate::{Fault, State};
use ipc_abi::{MessageTag, badge, fault, slot};

fn family() -> (Running, u16, u16) {
    let mut system = System::new(1);
    let parent = system.pd(200, 0, 0);
    let child = system.pd(100, 0, 0);
    system.child(parent, child, 9);
    let mut running = system.start();
    running.receive(0);
    (running, parent, child)
}

fn fault(running: &mut Running, fault: Fault) {
    running.kernel.enter(0);
    let current = running.kernel.current().unwrap();
    running.kernel.fault(current, fault);
    running.kernel.schedule();
    check(running);
}

#[test]
fn a_memory_fault_reaches_the_parent_and_its_answer_restarts_the_child() {
    let (mut running, parent, child) = family();
    running.kernel.arch.frames[id(child).slot()].restart_pc = 0x1234;
    fault(&mut running, Fault::Vm { address: 0x99, instruction: true, status: 0x82 });
    let got = running.registers(parent);
    assert_eq!((got.first, got.tag), (badge::FAULT | 9, MessageTag::new(fault::VM, 4).0));
    assert_eq!(got.words, [0x1234, 0x99, 1, 0x82]);
    assert_eq!(running.state(child), State::BlockedOnReply);
    running.reply_receive(0, MessageTag::new(0, 0), [0; 4]);
    assert_eq!((running.runs(0), running.registers(child).pc), (Some(child), 0x1234));
}

#[test]
fn a_trapped_instruction_is_one_word_and_the_parent_can_ask_where() {
    let (mut running, parent, child) = family();
    running.kernel.arch.frames[id(child).slot()].restart_pc = 0x1234;
    fault(&mut running, Fault::Vcpu { status: 0x1fe0_0000 });
    let got = running.registers(parent);
    assert_eq!((got.tag, got.words[0]), (MessageTag::new(fault::VCPU, 1).0, 0x1fe0_0000));
    let mut ask =
        Registers { number: ipc_abi::syscall::CALL, first: slot::CHILD_BASE + 9, ..Default::default() };
    ask.tag = MessageTag::new(ipc_abi::label::TCB_READ_REGISTERS, 2).0;
    ask.words = [0, 1, 0, 0];
    running.syscall(0, ask);
    let got = running.registers(parent);
    assert_eq!((got.tag, got.words[0]), (MessageTag::new(0, 1).0, 0x1234));
    running.reply_receive(0, MessageTag::new(7, 0), [0; 4]);
    assert_eq!(running.runs(0), Some(child), "whatever the answer says");
}

#[test]
fn an_answer_with_a_label_leaves_the_child_stopped() {
    let (mut running, _, child) = family();
    fault(&mut running, Fault::UserException { number: 1, code: 2 });
    running.reply_receive(0, MessageTag::new(1, 0), [0; 4]);
    assert_eq!((running.runs(0), running.state(child)), (None, State::Inactive));
    check(&running);
}

#[test]
fn an_unknown_system_call_goes_on_where_the_answer_says() {
    let (mut running, parent, child) = family();
    running.syscall(0, Registers { number: -12, first: 65, ..Registers::default() });
    assert_eq!(running.registers(parent).tag, MessageTag::new(fault::UNKNOWN_SYSCALL, 13).0);
    assert_eq!(running.kernel.arch.buffers[id(parent).slot()][1 + 12], -12i64 as u64);
    running.kernel.arch.buffers[id(parent).slot()][1 + 8] = 0x4444;
    running.reply_receive(0, MessageTag::new(0, 9), [0; 4]);
    assert_eq!(running.registers(child).pc, 0x4444);
}

#[test]
fn without_a_parent_a_fault_is_reported_and_others_go_on() {
    let mut system = System::new(1);
    let (faulty, other) = (system.pd(100, 0, 0), system.pd(50, 0, 0));
    let mut running = system.start();
    fault(&mut running, Fault::UserException { number: 7, code: 0 });
    assert_eq!(running.kernel.arch.reports, [(id(faulty), Fault::UserException { number: 7, code: 0 })]);
    assert_eq!((running.runs(0), running.state(faulty)), (Some(other), State::Inactive));
}

#[test]
fn a_fault_while_the_parent_is_busy_waits_for_it() {
    let (mut running, parent, child) = family();
    fault(&mut running, Fault::UserException { number: 1, code: 0 });
    assert_eq!(running.runs(0), Some(parent));
    let mut restart =
        Registers { number: ipc_abi::syscall::CALL, first: slot::CHILD_BASE + 9, ..Default::default() };
    restart.tag = MessageTag::new(ipc_abi::label::TCB_WRITE_REGISTERS, 3).0;
    restart.words = [1, 1, 0x8000, 0];
    running.syscall(0, restart);
    check(&running);
    assert_eq!((running.registers(parent).tag, running.state(child)), (0, State::Restart));
    running.receive(0);
    assert_eq!((running.runs(0), running.registers(child).pc), (Some(child), 0x8000));
    assert!(running.kernel.threads[id(child)].fault == Fault::None);
}
