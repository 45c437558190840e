//! Requests, completions, failures and restarts in any order.

use super::*;

/// What a client or the device does next.
#[derive(Clone, Debug)]
enum Act {
    Say(bool, ToStorage),
    Finish(usize),
    Interrupt,
    Hear,
    RestartLoader,
    Fail(u64),
}

fn act() -> impl proptest::strategy::Strategy<Value = Act> {
    use proptest::prelude::*;
    let sector = prop_oneof![0..FILES + 5, Just(u64::MAX)];
    let offset = prop_oneof![(0u32..140).prop_map(|n| n * 512), any::<u32>()];
    let range = (any::<bool>(), sector, 0u32..6, offset, 0..4);
    let message = range.prop_map(|(files, sector, count, offset, kind)| {
        let partition = if files { Partition::Files } else { Partition::Data };
        match kind {
            0 => ToStorage::Write { id: 0, partition, sector, count, offset },
            1 => ToStorage::Flush { id: 0 },
            _ => ToStorage::Read { id: 0, partition, sector, count, offset },
        }
    });
    prop_oneof![
        6 => (any::<bool>(), message).prop_map(|(loader, message)| Act::Say(loader, message)),
        4 => (0usize..20).prop_map(Act::Finish),
        4 => Just(Act::Interrupt),
        2 => Just(Act::Hear),
        1 => Just(Act::RestartLoader),
        1 => (0u64..300).prop_map(Act::Fail),
    ]
}

fn numbered(message: ToStorage, id: u32) -> ToStorage {
    match message {
        ToStorage::Read { partition, sector, count, offset, .. } => {
            ToStorage::Read { id, partition, sector, count, offset }
        }
        ToStorage::Write { partition, sector, count, offset, .. } => {
            ToStorage::Write { id, partition, sector, count, offset }
        }
        ToStorage::Flush { .. } => ToStorage::Flush { id },
        other => other,
    }
}

/// Every request inside the partition that the client may use in that way.
fn check_pending(system: &System) {
    for (_, operation) in &system.disk.state().pending {
        let (transfer, writes) = match operation {
            drivers_block::Operation::Read(transfer) => (transfer, false),
            drivers_block::Operation::Write(transfer) => (transfer, true),
            drivers_block::Operation::Flush => continue,
        };
        let end = transfer.sector + u64::from(transfer.count);
        let files = (FILES_AT..=FILES_AT + FILES).contains(&transfer.sector) && end <= FILES_AT + FILES;
        let data = (OWN_AT..=OWN_AT + OWN).contains(&transfer.sector) && end <= OWN_AT + OWN;
        let allowed = match transfer.area.0 {
            1 => files && !writes,
            2 => data && !writes,
            3 => data && writes,
            _ => false,
        };
        assert!(allowed, "{operation:?}");
    }
}

fn take_done(peer: &mut Peer, open: &mut Vec<u32>) {
    for message in peer.hear() {
        let ToClient::Done { id, .. } = message else { continue };
        let at = open.iter().position(|other| *other == id);
        open.swap_remove(at.unwrap_or_else(|| panic!("request {id} is answered, but not under way")));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(150))]
    #[test]
    fn every_request_is_answered_once_and_stays_in_its_bounds(
        acts in proptest::collection::vec(act(), 1..150)
    ) {
        let mut system = ready();
        let (mut loader, mut retriever) = (Vec::new(), Vec::new());
        for (id, act) in (0u32..).zip(acts) {
            match act {
                Act::Say(true, message) => system.with(|system| {
                    if system.loader.link.send(&numbered(message, id)).is_ok() {
                        loader.push(id);
                    }
                }),
                Act::Say(false, message) => system.with(|system| {
                    if system.retriever.link.send(&numbered(message, id)).is_ok() {
                        retriever.push(id);
                    }
                }),
                Act::Finish(index) => drop(system.disk.finish(index)),
                Act::Interrupt => system.signal(IRQ),
                Act::Fail(sector) => system.disk.state().bad = sector..sector + 3,
                Act::Hear => {
                    system.with(|system| take_done(&mut system.loader, &mut loader));
                    system.with(|system| take_done(&mut system.retriever, &mut retriever));
                }
                Act::RestartLoader => {
                    loader.clear();
                    system.with(|system| {
                        system.loader.restart(LOADER);
                        system.loader.link.poll();
                    });
                }
            }
            check_pending(&system);
        }
        for _ in 0..6 {
            system.settle();
            system.with(|system| take_done(&mut system.loader, &mut loader));
            system.with(|system| take_done(&mut system.retriever, &mut retriever));
        }
        assert!(loader.is_empty() && retriever.is_empty(), "without answer: {loader:?} {retriever:?}");
        assert_eq!(system.storage.misbehaved, 0);
    }
}
