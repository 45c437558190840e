//! Requests in English: shown, decided, run or not.
mod common;
use common::{World, piece};
use inference_commands::{Argument, TABLE};
use ipc_protocol::console_session::{ToConsole, ToSession};
use ipc_protocol::console_supervisor::ToSupervisor;
use pds_console::command::{Command, parse};

/// Asks, and lets session propose; returns what is shown.
fn propose(world: &mut World, command: &str) -> String {
    world.types("? please\r");
    let requests = world.requests();
    let [ToSession::Ask { id, piece: said, last: true }] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(said.text(), "please");
    world.take();
    let bytes = command.as_bytes();
    let mut parts = bytes.chunks(200).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        world.session_says(ToConsole::Proposal { id: *id, piece: ipc_protocol::Piece::new(part), last });
    }
    world.session_says(ToConsole::End { id: *id, ok: true });
    world.take()
}

#[test]
fn a_proposal_is_shown_and_runs_on_y_alone() {
    let mut world = World::ready();
    let shown = propose(&mut world, "/models");
    assert_eq!(
        shown,
        "/models\r\n  lists the models on the disk\r\nRun it? y runs it, anything else does not.\r\n>>> "
    );
    assert!(world.requests().is_empty(), "nothing is done yet");
    world.types("y\r");
    assert!(matches!(world.requests()[..], [ToSession::Models { .. }]));
    assert_eq!(world.decisions, [true], "session is told");
}

#[test]
fn anything_but_y_does_nothing_at_all() {
    for answer in ["n", "", "yy", "no", "y!", "/bye", "hello"] {
        let mut world = World::ready();
        propose(&mut world, "/models");
        world.types(format!("{answer}\r"));
        assert!(world.requests().is_empty() && world.orders().is_empty(), "{answer:?}");
        assert!(world.take().contains("not run"), "{answer:?}");
        assert_eq!(world.decisions, [false], "session is told");
        world.types("y\r");
        assert!(matches!(&world.requests()[..], [ToSession::Text { .. }]), "a later y is a message");
    }
}

#[test]
fn ctrl_c_drops_a_proposal() {
    let mut world = World::ready();
    propose(&mut world, "/models");
    world.types("\x03");
    assert!(world.take().contains("not run"));
    world.types("y\r");
    assert!(matches!(&world.requests()[..], [ToSession::Text { .. }]));
}

#[test]
fn what_loses_something_says_so() {
    let mut world = World::ready();
    let shown = propose(&mut world, "/stop compute");
    assert!(shown.contains("careful: the server stays stopped"), "{shown}");
    world.types("y\r");
    assert!(matches!(world.orders()[..], [ToSupervisor::Stop { .. }]));
}

#[test]
fn none_and_what_is_no_command_are_not_offered() {
    let mut world = World::ready();
    assert!(propose(&mut world, "none").starts_with("none: no command does that"));
    let long = format!("/set system {}", "x".repeat(900));
    for wrong in ["hello", "rm -rf /", "/mem\n/bye", "/bogus", "/load a b", "\u{1b}[2J", long.as_str()] {
        let shown = propose(&mut world, wrong);
        assert!(shown.starts_with("error: session proposed what is no command"), "{wrong:?}: {shown}");
        world.types("y\r");
        assert!(matches!(&world.requests()[..], [ToSession::Text { .. }]), "{wrong:?}");
        world = World::ready();
    }
}

#[test]
fn a_proposal_that_nobody_asked_for_is_ignored() {
    let mut world = World::ready();
    world.session_says(ToConsole::Proposal { id: 77, piece: piece("/bye"), last: true });
    let id = world.asks("hi");
    world.session_says(ToConsole::Proposal { id: 78, piece: piece("/bye"), last: true });
    world.answered(id);
    world.types("y\r");
    assert!(world.orders().is_empty());
}

#[test]
fn the_journal_keeps_requests_proposals_and_decisions() {
    let mut world = World::ready();
    assert!(world.says("?").contains("? REQUEST asks for a command in English"));
    propose(&mut world, "/models");
    world.types("n\r");
    propose(&mut world, "none");
    propose(&mut world, "/version");
    world.types("y\r");
    world.take();
    let journal = world.says("?");
    for line in [
        "not run    /models   for: please",
        "no command none   for: please",
        "run        /version   for: please",
    ] {
        assert!(journal.contains(line), "{line}: {journal}");
    }
}

#[test]
fn the_console_understands_every_command_of_the_table() {
    for entry in TABLE {
        let argument = match entry.argument {
            Argument::Nothing => "",
            Argument::Word => " a.gguf",
            Argument::Number => " 64",
            Argument::Text if entry.words == "/fact add" => " a | b | c",
            Argument::Text => " some text",
            Argument::One(choices) => &format!(" {}", choices[0]),
        };
        let line = format!("{}{argument}", entry.words);
        let command = parse(&line);
        // Parts that this build does not have are named by the console when they are asked for.
        let wrong = matches!(
            command,
            Command::Chat(_)
                | Command::Ask(_)
                | Command::Unknown(..)
                | Command::NearMiss(..)
                | Command::Usage(_)
        );
        assert!(!wrong, "{line}: {command:?}");
    }
}

#[test]
fn every_slash_command_that_does_something_is_in_the_table() {
    const OTHERS: [&str; 14] = [
        "?",
        "model",
        "switch",
        "servers",
        "benchmark",
        "exit",
        "quit",
        "save",
        "restore",
        "read",
        "chat",
        "talk",
        "rag",
        "set",
    ];
    for name in pds_console::command::SLASH.iter().filter(|name| !OTHERS.contains(name)) {
        let words = format!("/{name}");
        let known = TABLE.iter().any(|entry| entry.words.split(' ').next() == Some(&words));
        assert!(known, "{words} is not in inference/commands/src/table.rs");
    }
}
