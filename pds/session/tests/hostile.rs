//! Random messages from all three peers: nothing panics, nothing hangs, and a fresh request is always answered.
mod common;
use common::model::chat_model;
use common::{World, ended, name};
use ipc_protocol::Piece;
use ipc_protocol::console_session::{Show, ToSession};
use ipc_protocol::session_compute::{Cost, ModelFacts, Refusal, Stop, ToSession as FromCompute};
use ipc_protocol::session_supervisor::ToSession as FromSupervisor;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Console(ToSession),
    Compute(FromCompute),
    Supervisor(FromSupervisor),
    Ready,
    ComputeRestarts,
    ConsoleRestarts,
    Wait(u64),
}

fn from_console() -> impl Strategy<Value = ToSession> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| Piece::new(&bytes));
    let id = || 1u32..9;
    let names = || prop_oneof![Just("top_k"), Just("stop"), Just("num_ctx"), Just("template"), Just("x")];
    let values = || prop_oneof![Just("16"), Just("none"), Just("ab"), Just("\""), Just("")];
    prop_oneof![
        (id(), bytes(), any::<bool>()).prop_map(|(id, piece, last)| ToSession::Text { id, piece, last }),
        (id(), bytes(), any::<bool>()).prop_map(|(id, piece, last)| ToSession::System { id, piece, last }),
        id().prop_map(|id| ToSession::Cancel { id }),
        (id(), names(), values()).prop_map(|(id, of, value)| ToSession::Set {
            id,
            name: name(of),
            value: name(value)
        }),
        id().prop_map(|id| ToSession::Show { id, what: Show::Info }),
        id().prop_map(|id| ToSession::Clear { id }),
        id().prop_map(|id| ToSession::Regenerate { id }),
        id().prop_map(|id| ToSession::Models { id }),
        id().prop_map(|id| ToSession::Load { id, name: name("b") }),
        id().prop_map(|id| ToSession::Unload { id }),
        id().prop_map(|id| ToSession::Benchmark { id }),
    ]
}

fn from_compute() -> impl Strategy<Value = FromCompute> {
    let id = || 0u32..6;
    let stop = prop_oneof![Just(Stop::Limit), Just(Stop::Cancelled), Just(Stop::ContextFull)];
    let facts = (0u32..300).prop_map(|context| {
        let (trained_context, vocabulary, cache_bytes, workers) = (context, 261, u64::MAX, 1);
        ModelFacts { generation: 1, context, trained_context, vocabulary, cache_bytes, workers }
    });
    prop_oneof![
        proptest::option::of(facts).prop_map(FromCompute::Model),
        (id(), any::<u32>()).prop_map(|(id, done)| FromCompute::Progress { id, done, total: 5 }),
        (id(), 0u32..4, 0u32..270).prop_map(|(id, sequence, token)| FromCompute::Token {
            id,
            sequence,
            token
        }),
        (id(), stop).prop_map(|(id, stop)| FromCompute::Done { id, stop, cost: Cost::default() }),
        id().prop_map(|id| FromCompute::Refused { id, why: Refusal::NotFinite }),
        Just(FromCompute::Erased),
    ]
}

fn from_supervisor() -> impl Strategy<Value = FromSupervisor> {
    prop_oneof![
        Just(FromSupervisor::Model { name: name("m"), bytes: u64::MAX, loaded: false }),
        Just(FromSupervisor::ListEnd { count: 1 }),
        Just(FromSupervisor::Progress { done: 5, total: 0 }),
        Just(FromSupervisor::ReleaseVocabulary),
        Just(FromSupervisor::NoModel { why: Piece::new(b"\xff lost") }),
        any::<bool>().prop_map(|kept| FromSupervisor::LoadFailed { why: Piece::new(b"bad"), kept }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => from_console().prop_map(Step::Console),
        6 => from_compute().prop_map(Step::Compute),
        2 => from_supervisor().prop_map(Step::Supervisor),
        2 => Just(Step::Ready),
        1 => Just(Step::ComputeRestarts),
        1 => Just(Step::ConsoleRestarts),
        1 => (0u64..70).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn random_messages_never_stop_the_session(steps in steps()) {
        let mut world = World::ready(chat_model(), 256);
        for step in steps {
            match step {
                Step::Console(message) => world.try_console(&message),
                Step::Compute(message) => world.try_compute(&message),
                Step::Supervisor(message) => world.try_supervisor(&message),
                Step::Ready => world.supervisor_ready(),
                Step::ComputeRestarts => world.compute_restarts(),
                Step::ConsoleRestarts => world.console_restarts(),
                Step::Wait(seconds) => world.wait(seconds),
            }
            world.heard();
            world.commands();
            world.orders();
        }
        for id in 1..9 {
            world.try_console(&ToSession::Cancel { id });
        }
        world.wait(70);
        world.heard();
        let id = 1000;
        world.try_console(&ToSession::Show { id, what: Show::Parameters });
        let heard = world.heard();
        prop_assert!(matches!(ended(&heard), Some((1000, Err(true)))), "{heard:?}");
    }
}
