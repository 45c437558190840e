//! Answers, interruptions, faults and silence, as the user sees them.
mod common;
use common::{World, model, name, piece, server};
use ipc_link::Link;
use ipc_pd::hosted::enter;
use ipc_protocol::console_session::{Level, StopReason, ToConsole, ToSession, Work};
use ipc_protocol::console_supervisor::{Action, FaultReport, State, ToConsole as FromSupervisor};
use ipc_protocol::session_compute::Stop;
use pds_console::{SESSION, SUPERVISOR};

const FIGURES: &str = "[Prompt 100.0 t/s | Generation 20.0 t/s | ctx 23/256 | stop: eos]\r\n>>> ";

fn notice(id: u32, level: Level, text: &str) -> ToConsole {
    ToConsole::Notice { id, level, piece: piece(text), last: true }
}

#[test]
fn the_banner_comes_with_the_model_and_the_servers_health() {
    let mut world = World::cold();
    assert_eq!(
        world.take(),
        "\r\nCloister 0.1.0 (3f2a91c) on qemu_virt_aarch64, kernel cloister, 4 core(s), RAM 1.0 GiB\r\n"
    );
    world.session_says(ToConsole::Progress { id: 0, what: Work::Loading, done: 50, total: 100 });
    assert!(world.take().contains("loading the model: 50 %"));
    for pd in ["timer", "loader"] {
        world.supervisor_says(server(pd, State::Stopped));
    }
    world.supervisor_says(FromSupervisor::StatusEnd);
    assert_eq!(world.take(), "", "the model is not there yet");
    world.session_says(model());
    assert_eq!(
        world.take(),
        "\r\x1b[Kmodel: stories3M-q8_0.gguf, llama 3.0M Q8_0, context 256 tokens\r\n\
         servers: 2 of 2 healthy\r\nSend a message (/? for help)\r\n>>> "
    );
}

#[test]
fn without_a_model_the_banner_says_how_to_give_one() {
    let mut world = World::cold();
    world.supervisor_says(server("storage", State::Faulted));
    world.supervisor_says(FromSupervisor::StatusEnd);
    world.session_says(notice(0, Level::Error, "there is no disk"));
    let none =
        ToConsole::Model { name: name(""), description: name(""), context: 0, cache_bytes: 0, workers: 0 };
    world.session_says(none);
    let shown = world.take();
    for text in ["error: there is no disk", "--model FILE.gguf", "servers: 0 of 1 healthy; ill: storage"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(shown.ends_with(">>> "));
}

#[test]
fn silent_servers_do_not_keep_the_prompt_away() {
    let mut world = World::cold();
    world.wait(6);
    let shown = world.take();
    assert!(
        shown.contains("model: session has not said")
            && shown.contains("supervisor did not answer within 5 s")
    );
    assert!(shown.ends_with(">>> "));
    world.types("half");
    world.session_says(model());
    assert!(
        world.take().ends_with("model: stories3M-q8_0.gguf, llama 3.0M Q8_0, context 256 tokens\r\n>>> half")
    );
}

#[test]
fn an_answer_streams_and_ends_with_its_figures() {
    let mut world = World::ready();
    let id = world.asks("Once upon a time");
    for text in [", there", " was", " a girl.\nHer name"] {
        world.answers(id, text);
        assert_eq!(world.take(), text.replace('\n', "\r\n"));
    }
    world.answered(id);
    assert_eq!(world.take(), format!("\r\n{FIGURES}"));
}

#[test]
fn the_stop_reason_is_always_shown() {
    for (stop, text) in [
        (StopReason::Compute(Stop::EndOfGeneration), "stop: eos]"),
        (StopReason::Compute(Stop::Limit), "stop: limit]"),
        (StopReason::Compute(Stop::ContextFull), "stop: context full]"),
        (StopReason::Compute(Stop::Cancelled), "stop: cancelled]"),
        (StopReason::StopString, "stop: stop string]"),
        (StopReason::Failed, "stop: failed]"),
    ] {
        let mut world = World::ready();
        let id = world.asks("hi");
        world.answered_with(id, stop);
        assert!(world.take().contains(text));
    }
}

#[test]
fn control_bytes_of_an_answer_cannot_act_on_the_terminal() {
    let mut world = World::ready();
    let id = world.asks("hi");
    world.answers(id, "\x1b[2J\x07evil\u{202e}\r");
    assert_eq!(world.take(), "^[[2J^Gevil<U+202E>^M");
    world.session_says(notice(id, Level::Warning, "\x1b]0;title\x07"));
    assert!(!world.take().contains('\x1b'));
    world.supervisor_says(FromSupervisor::Notice { text: piece("\x1b[31m") });
    assert!(!world.take().contains('\x1b'));
}

#[test]
fn progress_of_the_prompt_is_shown_and_erased() {
    let mut world = World::ready();
    let id = world.asks("hi");
    world.session_says(ToConsole::Progress { id, what: Work::Prompt, done: 16, total: 64 });
    assert_eq!(world.take(), "\rreading the prompt: 25 % (16 of 64 tokens)\x1b[K");
    world.answers(id, "Hello");
    assert_eq!(world.take(), "\r\x1b[KHello");
}

#[test]
fn ctrl_c_stops_an_answer_and_keeps_what_was_shown() {
    let mut world = World::ready();
    let id = world.asks("tell me");
    world.answers(id, "Once");
    world.types("\x03");
    assert_eq!(world.requests(), [ToSession::Cancel { id }]);
    world.answers(id, " upon");
    world.answered_with(id, StopReason::Compute(Stop::Cancelled));
    let shown = world.take();
    assert!(shown.starts_with("Once^C upon\r\n[") && shown.ends_with("stop: cancelled]\r\n>>> "), "{shown}");
    let next = world.asks("again");
    assert_ne!(next, id);
}

#[test]
fn a_second_ctrl_c_does_not_wait_and_late_pieces_are_not_shown() {
    let mut world = World::ready();
    let id = world.asks("tell me");
    world.types("\x03");
    world.types("\x03");
    assert!(world.take().contains("has not confirmed"));
    world.answers(id, "late");
    world.answered(id);
    assert_eq!(world.take(), "");
    world.requests();
    world.asks("next");
}

#[test]
fn a_ctrl_c_that_is_not_confirmed_gives_the_prompt_back_after_a_while() {
    let mut world = World::ready();
    world.asks("tell me");
    world.types("\x03");
    world.wait(6);
    let shown = world.take();
    assert!(shown.contains("has not confirmed that it stopped") && shown.ends_with(">>> "), "{shown}");
}

#[test]
fn what_is_typed_during_an_answer_is_kept_for_later() {
    let mut world = World::ready();
    let id = world.asks("one");
    world.types("two\r");
    assert_eq!(world.take(), "");
    world.answers(id, "1");
    world.answered(id);
    assert!(world.take().ends_with(">>> two\r\n"));
    assert_eq!(world.message().1, "two");
}

#[test]
fn ctrl_c_works_behind_a_type_ahead_and_when_it_came_with_the_line() {
    let mut world = World::ready();
    world.types("one\rtwo\x03");
    let requests = world.requests();
    assert!(matches!(requests[..], [ToSession::Text { .. }, ToSession::Cancel { .. }]), "{requests:?}");
    world.types(vec![b'x'; 5000]);
    world.types("\x03");
    world.wait(6);
    let shown = world.take();
    assert!(shown.contains("typed byte(s) were lost"), "nothing is lost silently: {shown}");
}

#[test]
fn silence_of_session_is_reported_and_the_prompt_comes_back() {
    let mut world = World::ready();
    let id = world.asks("hi");
    world.answers(id, "Once");
    world.wait(44);
    assert_eq!(world.take(), "Once");
    world.wait(2);
    let shown = world.take();
    assert!(shown.starts_with("\r\nsession has not answered for 45 s: given up; /status"), "{shown}");
    assert!(shown.ends_with(">>> "));
    assert_eq!(world.requests(), [ToSession::Cancel { id }]);
}

#[test]
fn silence_of_the_supervisor_is_reported_and_the_prompt_comes_back() {
    for line in ["status\r", "/restart compute\r"] {
        let mut world = World::ready();
        world.types(line);
        world.wait(6);
        let shown = world.take();
        assert!(shown.contains("supervisor has not answered for 5 s") && shown.ends_with(">>> "), "{shown}");
    }
}

#[test]
fn a_session_that_restarts_says_what_is_lost_and_the_prompt_comes_back() {
    let mut world = World::ready();
    let id = world.asks("hi");
    world.answers(id, "Once");
    let [to_session, from_session, ..] = world.regions;
    world.session =
        enter(world.kernel.clone(), || Link::start(from_session.writable(), to_session.readable(), SESSION));
    world.run();
    let shown = world.take();
    assert!(shown.contains("Once\r\nsession restarted: the conversation"), "{shown}");
    assert!(shown.ends_with(">>> "));
    world.session_says(model());
    world.take();
    world.asks("hi again");
}

#[test]
fn a_supervisor_that_restarts_is_announced_and_can_be_asked_again() {
    let mut world = World::ready();
    world.types("half");
    let [_, _, to_supervisor, from_supervisor] = world.regions;
    world.supervisor = enter(world.kernel.clone(), || {
        Link::start(from_supervisor.writable(), to_supervisor.readable(), SUPERVISOR)
    });
    world.run();
    assert!(world.take().ends_with("supervisor restarted: it watches the servers again\r\n>>> half"));
    world.types("\x15status\r");
    assert_eq!(world.orders().len(), 1);
}

#[test]
fn a_fault_is_reported_without_destroying_the_line_being_typed() {
    let mut world = World::ready();
    world.types("half a li\x1b[D\x1b[D");
    world.take();
    let report = FaultReport {
        pd: name("compute"),
        cause: 6,
        address: 0xdead_0000,
        pc: 0x20_45c0,
        status: 0x9200_0046,
        action: Action::Restarted,
    };
    world.supervisor_says(FromSupervisor::Fault(report.clone()));
    let shown = world.take();
    assert_eq!(
        shown.split("\x1b[J").nth(1).unwrap(),
        "fault in compute: memory fault at address 0xdead0000, status 0x92000046, pc 0x2045c0; restarted\r\n  \
         the conversation is kept; an answer under way goes on\r\n>>> half a li\x08\x08"
    );
    world.types("X\r");
    assert_eq!(world.message().1, "half a Xli");
    for (cause, text) in [
        (0, "hung"),
        (1, "missing capability"),
        (2, "unknown system call"),
        (3, "user exception"),
        (5, "budget"),
        (77, "fault 77"),
    ] {
        world.supervisor_says(FromSupervisor::Fault(FaultReport {
            cause,
            action: Action::GaveUp,
            ..report.clone()
        }));
        let shown = world.take();
        assert!(
            shown.contains(text) && shown.contains("stopped for good") && shown.contains("/restart"),
            "{shown}"
        );
    }
}

#[test]
fn a_fault_during_an_answer_stands_on_its_own_line() {
    let mut world = World::ready();
    let id = world.asks("hi");
    world.answers(id, "Once");
    world.supervisor_says(FromSupervisor::Notice { text: piece("storage was restarted") });
    world.answers(id, " upon");
    assert_eq!(world.take(), "Once\r\nstorage was restarted\r\n upon");
}

#[test]
fn notices_are_shown_whole_with_their_level() {
    let mut world = World::ready();
    let id = world.asks("hi");
    for (text, last) in [("the context is ", false), ("80 % full", true)] {
        world.session_says(ToConsole::Notice { id, level: Level::Warning, piece: piece(text), last });
    }
    world.session_says(notice(id, Level::Error, "no model"));
    world.session_says(ToConsole::End { id, ok: false });
    assert_eq!(world.take(), "warning: the context is 80 % full\r\nerror: no model\r\n>>> ");
    let endless = "x".repeat(200);
    for i in 0..30 {
        world.session_says(ToConsole::Notice {
            id: 0,
            level: Level::Plain,
            piece: piece(&endless),
            last: i == 29,
        });
    }
    let shown = world.take();
    assert_eq!(shown.matches('x').count(), 6000, "a long line is shown in parts, and all of it");
}

#[test]
fn a_failed_load_leaves_the_model_as_it_is() {
    let mut world = World::ready();
    world.types("/load broken.gguf\r");
    let requests = world.requests();
    let [ToSession::Load { id, .. }] = requests[..] else { panic!("{requests:?}") };
    world.session_says(ToConsole::Progress { id, what: Work::Loading, done: 5, total: 10 });
    world.session_says(notice(
        id,
        Level::Error,
        "the model could not be loaded: truncated; the model before it stays",
    ));
    world.session_says(ToConsole::End { id, ok: false });
    let shown = world.take();
    assert!(
        shown.contains("loading the model: 50 %") && shown.ends_with("the model before it stays\r\n>>> "),
        "{shown}"
    );
    assert!(world.says("version").contains("stories3M"));
}

#[test]
fn messages_that_nobody_asked_for_are_ignored_or_announced() {
    let mut world = World::ready();
    world.types("half");
    world.take();
    world.answers(99, "not asked for");
    world.answered(99);
    world.session_says(ToConsole::End { id: 99, ok: true });
    world.session_says(ToConsole::Progress { id: 99, what: Work::Prompt, done: 1, total: 2 });
    world.supervisor_says(server("compute", State::Idle));
    world.supervisor_says(FromSupervisor::StatusEnd);
    assert_eq!(world.take(), "");
}

#[test]
fn a_peer_that_breaks_the_protocol_is_named_and_the_console_goes_on() {
    let mut world = World::ready();
    let [_, from_session, ..] = world.regions;
    from_session.writable().store(ipc_ring_tail(), u64::MAX, std::sync::atomic::Ordering::Relaxed);
    world.session_is_broken = true;
    world.run();
    let shown = world.take();
    assert_eq!(shown.matches("session broke the protocol").count(), 1, "said once: {shown}");
    assert!(world.says("version").contains("Cloister"));
}

/// Word of the producer's index in a link's region (`ipc_ring::layout::TAIL`).
fn ipc_ring_tail() -> usize {
    8
}
