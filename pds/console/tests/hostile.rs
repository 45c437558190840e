//! Random typing and random messages: nothing panics, nothing hangs, and the prompt can always be had back.
mod common;
use common::{World, name, server};
use ipc_protocol::Piece;
use ipc_protocol::console_session::{Level, StopReason, ToConsole, Work};
use ipc_protocol::console_supervisor::{State, ToConsole as FromSupervisor};
use ipc_protocol::session_compute::{Cost, Stop};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Type(Vec<u8>),
    Session(ToConsole),
    Supervisor(FromSupervisor),
    Wait(u64),
    Appetite(usize),
}

fn typing() -> impl Strategy<Value = Vec<u8>> {
    let keys = prop_oneof![
        Just(b"\x1b[A".to_vec()),
        Just(b"\x1b[D".to_vec()),
        Just(b"\x1b[200~".to_vec()),
        Just(b"\x1b[201~".to_vec()),
        Just(b"\"\"\"".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\x03".to_vec()),
        Just(b"/status\r".to_vec()),
        Just("\u{6f22}\u{5b57}".as_bytes().to_vec()),
        any::<u8>().prop_filter("Ctrl-D leaves", |byte| *byte != 4).prop_map(|byte| vec![byte]),
    ];
    proptest::collection::vec(keys, 0..20).prop_map(|keys| keys.concat())
}

fn from_session() -> impl Strategy<Value = ToConsole> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| Piece::new(&bytes));
    let id = || 0u32..6;
    prop_oneof![
        (id(), bytes()).prop_map(|(id, piece)| ToConsole::Answer { id, piece }),
        (id(), bytes(), any::<bool>()).prop_map(|(id, piece, last)| ToConsole::Notice {
            id,
            level: Level::Error,
            piece,
            last
        }),
        (id(), any::<u64>(), any::<u64>()).prop_map(|(id, done, total)| ToConsole::Progress {
            id,
            what: Work::Prompt,
            done,
            total
        }),
        (id(), any::<u32>(), any::<u64>()).prop_map(|(id, number, micros)| ToConsole::Answered {
            id,
            stop: StopReason::Compute(Stop::Limit),
            cost: Cost {
                prompt: number,
                cached: u32::MAX,
                prompt_us: micros,
                generate_us: micros,
                ..Cost::default()
            },
            used: number,
            context: number / 2,
        }),
        (id(), any::<bool>()).prop_map(|(id, ok)| ToConsole::End { id, ok }),
        (any::<u32>(), any::<u64>()).prop_map(|(context, cache_bytes)| ToConsole::Model {
            name: name("\u{1b}[31m"),
            description: name("x"),
            context,
            cache_bytes: cache_bytes >> 32,
            workers: 1
        }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => typing().prop_map(Step::Type),
        4 => from_session().prop_map(Step::Session),
        1 => Just(Step::Supervisor(FromSupervisor::StatusEnd)),
        1 => Just(Step::Supervisor(server("compute", State::Busy))),
        1 => (0u64..60).prop_map(Step::Wait),
        1 => prop_oneof![Just(0usize), 1usize..5000, Just(usize::MAX)].prop_map(Step::Appetite),
    ];
    proptest::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn random_typing_and_messages_never_take_the_prompt_away(steps in steps()) {
        let mut world = World::cold();
        for step in steps {
            match step {
                Step::Type(bytes) => world.types(bytes),
                Step::Session(message) => world.try_session(&message),
                Step::Supervisor(message) => world.try_supervisor(&message),
                Step::Wait(seconds) => world.wait(seconds),
                Step::Appetite(bytes) => world.wire.borrow_mut().appetite = bytes,
            }
            world.requests();
            world.orders();
        }
        world.wire.borrow_mut().appetite = usize::MAX;
        world.run();
        world.types("\x1b[201~");
        for _ in 0..8 {
            // Whatever it waits for is given up; whatever is typed ahead is acted on.
            world.wait(60);
            world.types("\x03");
            world.requests();
            world.orders();
        }
        world.take();
        world.types("version\r");
        world.wait(1);
        prop_assert!(world.take().contains("Cloister 0.1.0"));
    }
}
