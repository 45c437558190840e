//! Every command, as a transcript.
mod common;
use common::{World, model, name, piece, platform, server};
use ipc_protocol::console_session::{Level, Rag, RagText, Show, ToConsole, ToSession, Work};
use ipc_protocol::console_supervisor::{State, ToConsole as FromSupervisor, ToSupervisor};

/// Types a line, checks what session is asked, and ends the request.
fn asks(line: &str, expected: impl Fn(u32) -> ToSession) {
    let mut world = World::ready();
    world.types(format!("{line}\r"));
    let requests = world.requests();
    let [request] = requests.as_slice() else { panic!("{line}: {requests:?}") };
    let id = request_id(request);
    assert_eq!(*request, expected(id), "{line}");
    world.take();
    let notice = ToConsole::Notice { id, level: Level::Plain, piece: piece("done"), last: true };
    world.session_says(notice);
    world.session_says(ToConsole::End { id, ok: true });
    assert_eq!(world.take(), "done\r\n>>> ", "{line}");
}

fn request_id(request: &ToSession) -> u32 {
    match request {
        ToSession::Text { id, .. }
        | ToSession::Ask { id, .. }
        | ToSession::Cancel { id }
        | ToSession::System { id, .. }
        | ToSession::Set { id, .. }
        | ToSession::Show { id, .. }
        | ToSession::Clear { id }
        | ToSession::Regenerate { id }
        | ToSession::Models { id }
        | ToSession::Load { id, .. }
        | ToSession::Unload { id }
        | ToSession::Rag { id, .. }
        | ToSession::RagText { id, .. }
        | ToSession::Benchmark { id } => *id,
        ToSession::Decided { .. } => panic!("a decision is nobody's request"),
    }
}

#[test]
fn commands_for_session_ask_session_and_show_its_answer() {
    for (line, what) in [
        ("info", Show::Info),
        ("parameters", Show::Parameters),
        ("system", Show::System),
        ("template", Show::Template),
        ("license", Show::License),
    ] {
        asks(&format!("/show {line}"), |id| ToSession::Show { id, what });
    }
    for line in ["clear", "/clear"] {
        asks(line, |id| ToSession::Clear { id });
    }
    for line in ["models", "/models", "/model", "model list"] {
        asks(line, |id| ToSession::Models { id });
    }
    for line in ["model load a.gguf", "model switch a.gguf", "/load a.gguf", "/switch a.gguf"] {
        asks(line, |id| ToSession::Load { id, name: name("a.gguf") });
    }
    for line in ["model unload", "/unload", "/model unload"] {
        asks(line, |id| ToSession::Unload { id });
    }
    for line in ["benchmark", "/bench", "/benchmark"] {
        asks(line, |id| ToSession::Benchmark { id });
    }
    asks("/regen", |id| ToSession::Regenerate { id });
    for line in ["/set temperature 0.7", "/set parameter temperature 0.7"] {
        asks(line, |id| ToSession::Set { id, name: name("temperature"), value: name("0.7") });
    }
    asks("/set template chatml", |id| ToSession::Set { id, name: name("template"), value: name("chatml") });
    asks("/set system be brief", |id| ToSession::System { id, piece: piece("be brief"), last: true });
    asks("/set system", |id| ToSession::System { id, piece: piece(""), last: true });
    asks("chat /status", |id| ToSession::Text { id, piece: piece("/status"), last: true });
}

#[test]
fn the_system_prompt_may_have_several_lines() {
    let mut world = World::ready();
    world.types("/set system \"\"\"be\rbrief\"\"\"\r");
    let requests = world.requests();
    assert!(
        matches!(&requests[..], [ToSession::System { piece: p, .. }] if *p == piece("be\nbrief")),
        "{requests:?}"
    );
}

#[test]
fn help_names_every_command_and_shortcuts_every_key() {
    let mut world = World::ready();
    for line in ["/?", "/help", "help"] {
        let help = world.says(line);
        for command in
            pds_console::command::SLASH.iter().filter(|c| !["switch", "quit", "model", "talk"].contains(c))
        {
            assert!(help.contains(command), "{command}");
        }
        assert!(help.ends_with("\r\n>>> "));
    }
    let keys = world.says("/? shortcuts");
    for key in ["A", "E", "K", "U", "W", "L", "D", "J", "C"] {
        assert!(keys.contains(&format!("Ctrl-{key}")), "{key}");
    }
    assert!(world.says("talk").contains("type a message"));
}

#[test]
fn version_and_memory_come_from_the_platform_page_and_the_model() {
    let mut world = World::ready();
    let version = world.says("version");
    assert!(
        version.contains("Cloister 0.1.0 (3f2a91c), board qemu_virt_aarch64, kernel cloister (4 core(s))")
    );
    assert!(version.contains("stories3M-q8_0.gguf, llama 3.0M Q8_0, context 256 tokens"));
    let id = world.asks("hi");
    world.answered(id);
    let memory = world.says("mem");
    for text in [
        "RAM 1.0 GiB",
        "3.0 MiB  compute",
        "64.0 MiB  weights",
        "23 of 256 tokens",
        "KV cache 92.0 KiB of 1.0 MiB",
    ] {
        assert!(memory.contains(text), "{text}: {memory}");
    }
    assert!(ipc_protocol::platform::Platform::decode(platform()).is_some());
}

#[test]
fn performance_adds_up_the_answers() {
    let mut world = World::ready();
    assert!(world.says("perf").starts_with("no answers yet"));
    for _ in 0..2 {
        let id = world.asks("hi");
        world.answered(id);
    }
    let figures = world.says("/perf");
    for text in [
        "answers:               2",
        "20 token(s) computed at 100.0 t/s, 4 more were cached",
        "22 token(s) at 20.0 t/s",
        "mean 110.0 ms, worst 110.0 ms",
        "worst 60.0 ms",
        "weight bytes copied:   0",
    ] {
        assert!(figures.contains(text), "{text}: {figures}");
    }
}

#[test]
fn status_is_a_table_of_the_servers() {
    for line in ["status", "servers", "/status", "/servers"] {
        let mut world = World::ready();
        world.types(format!("{line}\r"));
        assert_eq!(world.orders(), [ToSupervisor::Status]);
        world.take();
        for (of, state) in [
            ("compute", State::Busy),
            ("loader", State::Stopped),
            ("timer", State::Idle),
            ("storage", State::Faulted),
            ("session", State::Restarting),
            ("compute_1", State::Hung),
        ] {
            world.supervisor_says(server(of, state));
        }
        world.supervisor_says(FromSupervisor::StatusEnd);
        let table = world.take();
        let mut rows = table.split("\r\n");
        assert_eq!(rows.next(), Some("server        state       cpu     core  restarts  memory      queue"));
        assert_eq!(rows.next(), Some("compute       busy         12.3 %  1     1         3.0 MiB     7"));
        for text in [
            "stopped",
            "idle",
            "FAULTED",
            "restarting",
            "HUNG",
            "retrieval: session has not said",
            "model: stories3M",
        ] {
            assert!(table.contains(text), "{text}");
        }
        assert!(table.ends_with(">>> "));
    }
}

#[test]
fn servers_can_be_restarted_and_stopped() {
    let mut world = World::ready();
    world.types("/restart compute\r");
    assert_eq!(world.orders(), [ToSupervisor::Restart { name: name("compute") }]);
    world.supervisor_says(FromSupervisor::Notice { text: piece("compute was restarted") });
    assert!(world.take().ends_with("compute was restarted\r\n>>> "));
    world.types("/stop storage\r");
    assert_eq!(world.orders(), [ToSupervisor::Stop { name: name("storage") }]);
    world.supervisor_says(FromSupervisor::Notice { text: piece("storage is stopped") });
    assert!(world.take().ends_with("storage is stopped\r\n>>> "));
}

#[test]
fn every_way_to_leave_says_goodbye_and_shuts_down() {
    for line in ["exit\r", "/bye\r", "/exit\r", "/quit\r", "\x04"] {
        let mut world = World::ready();
        world.types(line);
        assert!(world.take().ends_with("Goodbye.\r\n"), "{line:?}");
        assert_eq!(world.orders(), [ToSupervisor::Shutdown]);
        world.supervisor_says(FromSupervisor::Notice { text: piece("The system has stopped.") });
        assert_eq!(world.take(), "The system has stopped.\r\n");
    }
}

#[test]
fn a_supervisor_that_does_not_shut_down_is_not_waited_for() {
    let mut world = World::ready();
    world.types("exit\r");
    world.take();
    world.wait(6);
    assert!(world.take().contains("can be switched off now"));
}

#[test]
fn switches_of_the_console_are_confirmed_and_work() {
    let mut world = World::ready();
    assert!(world.says("/set verbose").starts_with("all figures"));
    let id = world.asks("hi");
    world.answered(id);
    let figures = world.take();
    for text in [
        "total duration:",
        "prompt eval count:     12 token(s), 2 of them cached",
        "prompt eval duration:  100.0 ms",
        "prompt eval rate:      100.0 tokens/s",
        "eval count:            11 token(s)",
        "eval duration:         500.0 ms",
        "eval rate:             20.0 tokens/s",
        "time to first token:   110.0 ms",
        "p99 between tokens:    60.0 ms",
        "weight bytes copied:   0",
        "weight bytes read:     2.9 MiB per token",
        "arithmetic:            avx2",
        "[Prompt 100.0 t/s | Generation 20.0 t/s | ctx 23/256 | stop: eos]",
    ] {
        assert!(figures.contains(text), "{text}: {figures}");
    }
    assert!(world.says("/set quiet").starts_with("one line"));
    let id = world.asks("hi");
    world.answered(id);
    assert_eq!(world.take(), "[Prompt 100.0 t/s | Generation 20.0 t/s | ctx 23/256 | stop: eos]\r\n>>> ");
    assert!(world.says("/set wordwrap").contains("between words"));
    assert!(world.says("/set columns 20").contains("width"));
    let id = world.asks("hi");
    world.answers(id, "one two three four five six");
    assert!(world.take().contains("\r\n"), "wrapped");
    world.answered(id);
    assert!(world.says("/set nohistory").contains("forgotten"));
    world.types("\x1b[A\r");
    assert!(world.requests().is_empty(), "there is no line to call up");
}

#[test]
fn the_load_duration_is_measured_and_shown() {
    let mut world = World::cold();
    world.supervisor_says(FromSupervisor::StatusEnd);
    world.session_says(ToConsole::Progress { id: 0, what: Work::Loading, done: 1, total: 10 });
    world.wait(2);
    world.session_says(model());
    world.says("/set verbose");
    world.requests();
    let id = world.asks("hi");
    world.answered(id);
    assert!(world.take().contains("load duration:         2.00 s"));
}

#[test]
fn typos_are_suggested_and_nothing_is_done() {
    let mut world = World::ready();
    let shown = world.says("stauts");
    assert!(shown.contains("did you mean the command status?") && shown.contains("chat stauts"), "{shown}");
    assert!(world.says("/stauts").contains("did you mean status?"));
    assert!(world.says("/set temperatur 1").contains("did you mean temperature?"));
    assert!(world.says("/frobnicate").contains("/? lists the commands"));
    assert!(world.says("/load").contains("usage: /load NAME"));
    assert!(world.says("/save x").contains("not part of this build"));
    assert!(world.says("").starts_with(">>> "));
    assert!(world.requests().is_empty() && world.orders().is_empty());
}

#[test]
fn what_looks_almost_like_a_command_is_said_to_the_model() {
    for line in ["hello", "exit strategies", "help me please", "status of the world"] {
        World::ready().asks(line);
    }
}

#[test]
fn what_is_for_the_retriever_goes_through_session() {
    asks("/rag on", |id| ToSession::Rag { id, what: Rag::On });
    asks("/rag sources", |id| ToSession::Rag { id, what: Rag::Sources });
    asks("/fact forget 3", |id| ToSession::Rag { id, what: Rag::ForgetFact(3) });
    asks("/rag add the sky is green", |id| {
        let piece = piece("the sky is green");
        ToSession::RagText { id, what: RagText::Note, piece, last: true }
    });
    asks("/recall", |id| ToSession::RagText { id, what: RagText::Recall, piece: piece(""), last: true });
}

#[test]
fn status_tells_what_retrieval_is_like() {
    let mut world = World::ready();
    world.session_says(ToConsole::Retrieval { description: piece("on; hash fallback\x1b[2J") });
    world.types("status\r");
    world.supervisor_says(FromSupervisor::StatusEnd);
    let shown = world.take();
    assert!(shown.contains("retrieval: on; hash fallback^[[2J\r\n"), "{shown}");
}
