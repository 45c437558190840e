//! Random system calls, interrupts, faults and clocks on a system that has everything, under the invariants; and the
//! short paths against the general one.

use super::invariants::check;
use super::machine::Registers;
use super::system::{Running, System, id};
use crate::Fault;
use ipc_abi::{label, slot, syscall};
use kernel_spec::Pd;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// Two cores; a parent of all, two passive servers (one calls the other), an active one, clients, a budgeted PD.
fn system() -> System {
    let mut system = System::new(2);
    let parent = system.pd(200, 0, 0);
    let inner = system.pd(150, 0, Pd::PASSIVE);
    let outer = system.pd(140, 1, Pd::PASSIVE);
    let active = system.pd(130, 1, 0);
    let near = system.pd(100, 0, 0);
    let far = system.pd(100, 1, 0);
    let budgeted = system.budgeted(120, 0, 0, (200, 1000));
    let low = system.pd(100, 0, 0);
    system.call(outer, inner, 1);
    for client in [near, far, budgeted, low] {
        system.call(client, inner, 1);
        system.call(client, outer, 2);
        system.call(client, active, 3);
        system.call(client, parent, 4);
    }
    for from in 0..8u16 {
        for to in (0..8u16).filter(|to| *to != from) {
            system.notify(from, to, to as u8);
        }
    }
    for child in 1..8u16 {
        system.child(parent, child, child as u8);
    }
    system.irq(active, 40, 20);
    system.irq(inner, 41, 20);
    system
}

/// The system after its servers' init: all wait, and the passive ones have given their time away.
fn started() -> Running {
    let mut running = system().start();
    running.receive(0);
    running.receive_passively(0);
    running.receive_passively(1);
    running.receive(1);
    assert_eq!((running.runs(0), running.runs(1)), (Some(6), Some(5)));
    running
}

#[derive(Clone, Debug)]
enum Step {
    Syscall(usize, Registers),
    /// What the PD that the core runs would sensibly do, of a few choices.
    Sensible(usize, u8, u64),
    Fault(usize),
    Interrupt(usize, u32),
    Pass(u64),
}

fn any_slot() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => Just(slot::INPUT),
        1 => 0u64..10,
        3 => (0u64..8).prop_map(|channel| slot::NOTIFY_BASE + channel),
        4 => (0u64..5).prop_map(|channel| slot::CALL_BASE + channel),
        1 => Just(slot::IRQ_BASE + 20),
        2 => (0u64..9).prop_map(|child| slot::CHILD_BASE + child),
        1 => prop_oneof![Just(511u64), Just(512), Just(1 << 60), Just(u64::MAX)],
    ]
}

fn any_tag() -> impl Strategy<Value = u64> {
    let labels = prop_oneof![
        Just(0u64),
        Just(label::TCB_SUSPEND),
        Just(label::TCB_RESUME),
        Just(label::TCB_WRITE_REGISTERS),
        Just(label::IRQ_ACK),
        Just(2),
        any::<u64>(),
    ];
    (labels, 0u64..128, 0u64..32).prop_map(|(label, length, rest)| label << 12 | rest << 7 | length)
}

fn any_call() -> impl Strategy<Value = Registers> {
    let number = prop_oneof![
        4 => Just(syscall::CALL),
        5 => Just(syscall::REPLY_RECV),
        3 => Just(syscall::NB_SEND_RECV),
        2 => Just(syscall::SEND),
        3 => Just(syscall::RECV),
        1 => -14i64..2,
    ];
    let reply = prop_oneof![9 => Just(slot::REPLY), 1 => any_slot()];
    (number, any_slot(), any_tag(), [0u64..4, 0u64..4, 0u64..4, 0u64..4], reply, any_slot()).prop_map(
        |(number, first, tag, words, reply, second)| {
            let second = if second == slot::INPUT { slot::MONITOR } else { second };
            Registers { number, first, tag, words, reply, second, ..Registers::default() }
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => (0usize..2, any::<u8>(), 0u64..7).prop_map(|(core, choice, words)| Step::Sensible(core, choice, words)),
        3 => (0usize..2, any_call()).prop_map(|(core, call)| Step::Syscall(core, call)),
        1 => (0usize..2).prop_map(Step::Fault),
        4 => (0usize..2, 39u32..43).prop_map(|(core, irq)| Step::Interrupt(core, irq)),
        8 => (1u64..700).prop_map(Step::Pass),
    ]
}

/// Servers wait, reply and wait, and the outer one calls the inner one; clients call and signal.
fn sensible(pd: u16, choice: u8, words: u64) -> Registers {
    let input =
        Registers { first: slot::INPUT, reply: slot::REPLY, second: slot::MONITOR, ..Registers::default() };
    let tag = 5 << 12 | words;
    let call = |channel: u64| Registers {
        number: syscall::CALL,
        first: slot::CALL_BASE + channel,
        tag,
        words: [1, 2, 3, 4],
        ..Registers::default()
    };
    let signal = Registers {
        number: syscall::SEND,
        first: slot::NOTIFY_BASE + u64::from(choice % 8),
        ..Registers::default()
    };
    match (pd, choice % 16) {
        (_, 0) => signal,
        (1 | 2, 1) => Registers { number: syscall::NB_SEND_RECV, ..input },
        (2, 2..6) => call(1),
        (0..4, 6) => Registers { number: syscall::RECV, ..input },
        (0..4, _) => Registers { number: syscall::REPLY_RECV, tag, words: [9, 8, 7, 6], ..input },
        (_, 1) => Registers { number: syscall::RECV, ..input },
        (_, 2..9) => call(2),
        (_, 9..12) => call(1),
        (_, 12..15) => call(3),
        _ => call(4),
    }
}

fn make(running: &mut Running, core: usize, registers: Registers, fast: bool) -> bool {
    if fast {
        return running.fast_syscall(core, registers);
    }
    running.syscall(core, registers);
    false
}

/// Applies a step; whether it took a short path.
fn apply(running: &mut Running, step: &Step, fast: bool) -> bool {
    match step {
        Step::Sensible(core, choice, words) => {
            let Some(pd) = running.runs(*core) else { return false };
            return make(running, *core, sensible(pd, *choice, *words), fast);
        }
        Step::Syscall(core, registers) if running.runs(*core).is_some() => {
            return make(running, *core, *registers, fast);
        }
        Step::Fault(core) => {
            running.kernel.enter(*core);
            if let Some(current) = running.kernel.current() {
                running.kernel.fault(current, Fault::Vm { address: 1, instruction: false, status: 2 });
            }
            running.kernel.schedule();
            running.settle();
        }
        Step::Interrupt(core, irq) => {
            running.kernel.enter(*core);
            running.kernel.interrupt(*irq);
            running.kernel.schedule();
            running.settle();
        }
        Step::Pass(ticks) => running.pass(*ticks),
        Step::Syscall(..) => {}
    }
    false
}

/// Everything that a later operation could see.
fn picture(running: &Running) -> std::string::String {
    let mut text = std::string::String::new();
    for pd in 0..8u16 {
        let (kernel, id) = (&running.kernel, id(pd));
        text += &std::format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}\n",
            kernel.threads[id],
            kernel.endpoints[id],
            kernel.notifications[id],
            kernel.replies[id],
            kernel.contexts[id],
            kernel.arch.frames[id.slot()],
        );
    }
    text + &std::format!("{:?} {:?}", running.runs(0), running.runs(1))
}

#[test]
fn the_random_steps_take_the_short_paths() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut short = 0;
    for _ in 0..50 {
        let steps = prop::collection::vec(any_step(), 200).new_tree(&mut runner).unwrap().current();
        let mut running = started();
        short += steps.iter().filter(|step| apply(&mut running, step, true)).count();
    }
    assert!(short > 300, "{short} of 10000");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_operation_breaks_an_invariant(steps in prop::collection::vec(any_step(), 1..200)) {
        let mut running = started();
        check(&running);
        for step in &steps {
            apply(&mut running, step, true);
            check(&running);
        }
    }

    #[test]
    fn the_short_paths_do_what_the_general_path_does(steps in prop::collection::vec(any_step(), 1..200)) {
        let (mut short, mut general) = (started(), started());
        for step in &steps {
            apply(&mut short, step, true);
            apply(&mut general, step, false);
            let (left, right) = (picture(&short), picture(&general));
            for (left, right) in left.lines().zip(right.lines()) {
                prop_assert_eq!(left, right, "after {:?}", step);
            }
        }
    }
}
