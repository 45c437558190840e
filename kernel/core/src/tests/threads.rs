//! Control of children, also on another core, signals and interrupts.

use super::invariants::check;
use super::machine::Registers;
use super::system::{Running, System, id};
use crate::State;
use ipc_abi::{MessageTag, label, slot, syscall};

fn control(
    running: &mut Running,
    core: usize,
    child: u64,
    label: u64,
    words: [u64; 4],
    length: usize,
) -> u64 {
    let first = slot::CHILD_BASE + child;
    let tag = MessageTag::new(label, length).0;
    running.syscall(core, Registers { number: syscall::CALL, first, tag, words, ..Registers::default() });
    check(running);
    MessageTag(running.registers(0).tag).label()
}

fn two_cores() -> Running {
    let mut system = System::new(2);
    let parent = system.pd(200, 0, 0);
    let child = system.pd(100, 1, 0);
    system.child(parent, child, 1);
    system.notify(parent, child, 2);
    system.notify(child, parent, 2);
    system.start()
}

#[test]
fn stopping_a_pd_on_another_core_waits_for_that_core() {
    let mut running = two_cores();
    assert_eq!(running.runs(1), Some(1));
    running.kernel.arch.frames[id(1).slot()].restart_pc = 0x1000;
    running.kernel.arch.frames[id(1).slot()].pc = 0x1004;
    assert_eq!(control(&mut running, 0, 1, label::TCB_SUSPEND, [0; 4], 0), 0);
    assert_eq!(running.dropped, [1], "what the thread was about to ask");
    assert_eq!((running.runs(1), running.state(1)), (None, State::Inactive));
    assert_eq!(control(&mut running, 0, 1, label::TCB_RESUME, [0; 4], 0), 0);
    assert_eq!((running.runs(1), running.registers(1).pc), (Some(1), 0x1000), "it asks again");
}

#[test]
fn a_restart_begins_at_the_given_address_from_any_state() {
    let mut running = two_cores();
    running.receive(1);
    assert_eq!(running.state(1), State::BlockedOnNotification);
    assert_eq!(control(&mut running, 0, 1, label::TCB_WRITE_REGISTERS, [1, 1, 0x5000, 0], 3), 0);
    assert_eq!((running.runs(1), running.registers(1).pc), (Some(1), 0x5000));
    assert_eq!(control(&mut running, 0, 1, label::TCB_WRITE_REGISTERS, [1, 1, 0x6000, 0], 3), 0);
    running.kernel.enter(1);
    running.kernel.schedule();
    assert_eq!((running.runs(1), running.registers(1).pc), (Some(1), 0x6000));
}

#[test]
fn wrong_control_messages_are_refused_as_on_sel4() {
    let mut running = two_cores();
    assert_eq!(control(&mut running, 0, 1, label::TCB_WRITE_REGISTERS, [1, 1, 0, 0], 1), 7);
    assert_eq!(control(&mut running, 0, 1, label::TCB_WRITE_REGISTERS, [1, 3, 0, 0], 3), 7);
    assert_eq!(control(&mut running, 0, 1, 99, [0; 4], 0), 3);
    assert_eq!(control(&mut running, 0, 2, label::TCB_SUSPEND, [0; 4], 0), 2);
    assert_eq!(running.state(1), State::Running);
}

#[test]
fn signals_merge_until_they_are_taken() {
    let mut running = two_cores();
    running.notify(0, 2);
    running.notify(0, 2);
    assert!(running.kernel.notifications[id(1)].active);
    running.receive(1);
    assert_eq!((running.registers(1).first, running.state(1)), (1, State::Running));
    running.receive(1);
    assert_eq!((running.runs(1), running.state(1)), (None, State::BlockedOnNotification));
    running.notify(0, 2);
    assert_eq!(running.runs(1), Some(1), "the other core was kicked");
    check(&running);
}

#[test]
fn an_interrupt_signals_its_owner_and_its_acknowledgement_unmasks_it() {
    let mut system = System::new(2);
    let owner = system.pd(100, 1, 0);
    system.irq(owner, 48, 7);
    let mut running = system.start();
    running.receive(1);
    running.kernel.enter(0);
    assert!(running.kernel.interrupt(48));
    assert!(!running.kernel.interrupt(49) && !running.kernel.interrupt(5000));
    running.kernel.schedule();
    running.settle();
    assert_eq!((running.runs(1), running.registers(owner).first), (Some(owner), 1 << 7));
    running.call(1, slot::IRQ_BASE + 7, MessageTag::new(label::IRQ_ACK, 0));
    assert_eq!(running.kernel.arch.unmasked, [(48, 1)]);
    assert_eq!(running.registers(owner).tag, 0);
    running.call(1, slot::IRQ_BASE + 7, MessageTag::new(31, 0));
    assert_eq!(MessageTag(running.registers(owner).tag).label(), 3, "a debug kernel's label is refused");
}

#[test]
fn a_pd_that_stops_itself_goes_on_after_the_call() {
    let mut system = System::new(1);
    let (selfish, other) = (system.pd(100, 0, 0), system.pd(50, 0, 0));
    let mut running = system.start();
    running.call(0, slot::TCB, MessageTag::new(label::TCB_SUSPEND, 0));
    assert_eq!((running.runs(0), running.state(selfish)), (Some(other), State::Inactive));
    running.kernel.restart(id(selfish));
    running.kernel.schedule();
    assert_eq!((running.runs(0), running.registers(selfish).pc), (Some(selfish), 4));
}
