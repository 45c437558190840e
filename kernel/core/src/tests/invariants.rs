//! What must hold between any two operations.

use super::system::Running;
use crate::object::{Above, Waiting};
use crate::{Id, OBJECTS, State};
use std::collections::BTreeSet;

fn ids() -> impl Iterator<Item = Id> {
    (1..OBJECTS).filter_map(Id::of_slot)
}

/// Panics with the broken invariant's name.
pub fn check(running: &Running) {
    contexts(running);
    replies(running);
    endpoints(running);
    ready(running);
    nobody_is_lost(running);
}

fn contexts(running: &Running) {
    let kernel = &running.kernel;
    for id in ids() {
        if let Some(sc) = kernel.threads[id].sc {
            assert_eq!(kernel.contexts[sc].thread, Some(id), "a thread's context knows it");
            assert_eq!(kernel.contexts[sc].core, kernel.threads[id].core, "a thread is where its context is");
        }
        if let Some(thread) = kernel.contexts[id].thread {
            assert_eq!(kernel.threads[thread].sc, Some(id), "a context's thread knows it");
        }
        let refills = &kernel.contexts[id].refills;
        assert_eq!(refills.total(), refills.budget(), "refills add up to the budget");
        let core = usize::from(kernel.contexts[id].core);
        let bit = kernel.cores[core].postponed >> id.slot() & 1 == 1;
        assert_eq!(bit, kernel.contexts[id].postponed, "a core knows which contexts wait for a refill");
    }
}

fn replies(running: &Running) {
    let kernel = &running.kernel;
    for id in ids() {
        let reply = &kernel.replies[id];
        if let Some(thread) = reply.thread {
            assert_eq!(kernel.threads[thread].reply, Some(id), "a reply's thread knows it");
        }
        if let Some(object) = kernel.threads[id].reply {
            assert_eq!(kernel.replies[object].thread, Some(id), "a thread's reply knows it");
            let state = kernel.threads[id].state;
            assert!(matches!(state, State::BlockedOnReply | State::BlockedOnReceive), "{state:?}");
        }
        match reply.above {
            Above::Context(sc) => assert_eq!(kernel.contexts[sc].reply, Some(id), "top of its stack"),
            Above::Reply(above) => assert_eq!(kernel.replies[above].below, Some(id), "stack upwards"),
            Above::Nothing => {}
        }
        if let Some(below) = reply.below {
            assert_eq!(kernel.replies[below].above, Above::Reply(id), "stack downwards");
        }
        if let Some(top) = kernel.contexts[id].reply {
            assert_eq!(kernel.replies[top].above, Above::Context(id), "a stack's top");
        }
    }
}

fn endpoints(running: &Running) {
    let kernel = &running.kernel;
    for id in ids() {
        let endpoint = &kernel.endpoints[id];
        let expected = match endpoint.waiting {
            Waiting::Nobody => {
                assert!(endpoint.head.is_none() && endpoint.tail.is_none());
                continue;
            }
            Waiting::Senders => State::BlockedOnSend,
            Waiting::Receivers => State::BlockedOnReceive,
        };
        let (mut at, mut before, mut count) = (endpoint.head, None, 0);
        while let Some(thread) = at {
            assert_eq!(kernel.threads[thread].state, expected);
            assert_eq!(kernel.threads[thread].endpoint, Some(id));
            assert_eq!(kernel.threads[thread].prev, before);
            if let Some(before) = before {
                assert!(kernel.threads[before].priority >= kernel.threads[thread].priority, "in order");
            }
            (before, at) = (at, kernel.threads[thread].next);
            count += 1;
            assert!(count < OBJECTS, "no ring");
        }
        assert_eq!(endpoint.tail, before);
    }
}

fn ready(running: &Running) {
    let kernel = &running.kernel;
    let mut queued = BTreeSet::new();
    for (number, core) in kernel.cores.iter().enumerate() {
        for priority in 0..=255u8 {
            let (mut at, mut before) = (core.ready.head(priority), None);
            while let Some(thread) = at {
                let entry = &kernel.threads[thread];
                assert!(queued.insert(thread.slot()), "in one ready queue, once");
                assert_eq!((entry.priority, usize::from(entry.core)), (priority, number));
                assert_eq!(entry.prev, before);
                assert!(kernel.is_schedulable(thread), "ready threads can run");
                (before, at) = (at, entry.next);
            }
        }
    }
    for id in ids() {
        assert_eq!(kernel.threads[id].queued, queued.contains(&id.slot()));
    }
}

fn nobody_is_lost(running: &Running) {
    let kernel = &running.kernel;
    for id in ids().filter(|id| kernel.is_schedulable(*id)) {
        let core = &kernel.cores[usize::from(kernel.threads[id].core)];
        assert!(kernel.threads[id].queued || core.current == Some(id), "{id:?} can run but nobody runs it");
    }
    for core in kernel.cores.iter().take(running.cores) {
        let Some(current) = core.current else {
            assert_eq!(core.ready.highest(), None, "a core idles only when nobody can run");
            continue;
        };
        assert!(kernel.is_schedulable(current), "{current:?} runs");
        assert!(!kernel.threads[current].queued, "a running thread is in no queue");
        assert_eq!(kernel.threads[current].sc, core.sc, "its context is charged");
        let highest = core.ready.highest();
        assert!(highest.is_none_or(|highest| highest <= kernel.threads[current].priority));
    }
}
