//! Protected calls: who runs on whose time, and what is left when one side is stopped.

use super::invariants::check;
use super::system::{Running, System, id};
use crate::State;
use ipc_abi::{MessageTag, badge, slot};
use kernel_spec::Pd;

/// A client, an outer and an inner passive server, and a parent of all, on one core.
fn nested() -> (Running, [u16; 4]) {
    let mut system = System::new(1);
    let parent = system.pd(200, 0, 0);
    let inner = system.pd(120, 0, Pd::PASSIVE);
    let outer = system.pd(110, 0, Pd::PASSIVE);
    let client = system.pd(100, 0, 0);
    system.call(client, outer, 1);
    system.call(outer, inner, 1);
    for child in [inner, outer, client] {
        system.child(parent, child, child as u8);
        system.notify(parent, child, child as u8);
        system.notify(client, child, 10 + child as u8);
    }
    system.notify(client, parent, 30);
    let mut running = system.start();
    running.receive(0);
    running.receive_passively(0);
    running.receive_passively(0);
    assert_eq!(running.runs(0), Some(client));
    (running, [parent, inner, outer, client])
}

fn holder(running: &Running, context: u16) -> Option<u16> {
    running.kernel.contexts[id(context)].thread.map(|id| id.pd() as u16)
}

#[test]
fn nested_servers_run_on_the_clients_time_and_give_it_back() {
    let (mut running, [_, inner, outer, client]) = nested();
    assert_eq!((holder(&running, inner), holder(&running, outer)), (None, None));
    running.call(0, slot::CALL_BASE + 1, MessageTag::new(5, 2));
    assert_eq!(running.runs(0), Some(outer));
    let got = running.registers(outer);
    assert_eq!((got.first, got.tag), (badge::CALL | u64::from(client), MessageTag::new(5, 2).0));
    assert_eq!(&got.words[..2], &[11, 12]);
    running.call(0, slot::CALL_BASE + 1, MessageTag::new(6, 0));
    assert_eq!((running.runs(0), holder(&running, client)), (Some(inner), Some(inner)));
    check(&running);
    running.reply_receive(0, MessageTag::new(7, 1), [70, 0, 0, 0]);
    assert_eq!((running.runs(0), holder(&running, client)), (Some(outer), Some(outer)));
    assert_eq!(
        (running.registers(outer).tag, running.registers(outer).words[0]),
        (MessageTag::new(7, 1).0, 70)
    );
    running.reply_receive(0, MessageTag::new(8, 0), [0; 4]);
    assert_eq!((running.runs(0), holder(&running, client)), (Some(client), Some(client)));
    assert_eq!(running.registers(client).first, 0);
    check(&running);
}

#[test]
fn a_signal_runs_a_passive_server_on_its_own_time() {
    let (mut running, [_, inner, _, client]) = nested();
    running.notify(0, 10 + u64::from(inner));
    assert_eq!((running.runs(0), holder(&running, inner)), (Some(inner), Some(inner)));
    assert_eq!(running.registers(inner).first, 1 << client);
    running.receive(0);
    assert_eq!((running.runs(0), holder(&running, inner)), (Some(client), None));
    check(&running);
}

#[test]
fn a_client_that_is_stopped_meanwhile_loses_its_time_to_the_server() {
    let (mut running, [parent, _, outer, client]) = nested();
    running.call(0, slot::CALL_BASE + 1, MessageTag::new(5, 0));
    assert_eq!(running.runs(0), Some(outer));
    running.kernel.enter(0);
    running.kernel.suspend(id(client));
    running.kernel.schedule();
    check(&running);
    assert_eq!(running.state(client), State::Inactive);
    running.reply_receive(0, MessageTag::new(8, 0), [0; 4]);
    check(&running);
    assert_eq!((running.state(client), holder(&running, client)), (State::Inactive, Some(outer)));
    let _ = parent;
}

#[test]
fn a_server_that_is_restarted_cancels_the_call_it_was_serving() {
    let (mut running, [_, _, outer, client]) = nested();
    running.call(0, slot::CALL_BASE + 1, MessageTag::new(5, 0));
    running.kernel.enter(0);
    running.kernel.suspend(id(outer));
    running.kernel.restart(id(outer));
    running.kernel.schedule();
    assert_eq!(running.runs(0), Some(outer), "it goes on on the client's time");
    running.receive(0);
    assert_eq!(running.state(client), State::Inactive, "as on seL4: the reply object is used again");
    check(&running);
}

#[test]
fn the_highest_waiting_caller_is_served_first() {
    let mut system = System::new(1);
    let server = system.pd(100, 0, 0);
    let clients = [system.pd(90, 0, 0), system.pd(95, 0, 0), system.pd(95, 0, 0)];
    for client in clients {
        system.call(client, server, 1);
    }
    let starter = system.pd(10, 0, 0);
    system.notify(starter, server, 1);
    let mut running = system.start();
    // The server waits on an empty slot's worth of time: it is stopped while the callers queue up.
    running.kernel.enter(0);
    running.kernel.suspend(id(server));
    running.kernel.schedule();
    for _ in clients {
        running.call(0, slot::CALL_BASE + 1, MessageTag::new(0, 0));
        check(&running);
    }
    running.kernel.restart(id(server));
    running.kernel.schedule();
    running.receive(0);
    let mut served = std::vec::Vec::new();
    for _ in clients {
        served.push(running.registers(server).first & 0x3f);
        running.reply_receive(0, MessageTag::new(0, 0), [0; 4]);
        while running.runs(0) != Some(server) && running.state(server) == State::Running {
            running.receive(0);
        }
    }
    assert_eq!(served[0], u64::from(clients[1]));
    check(&running);
}
