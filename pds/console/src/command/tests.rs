// SPDX-License-Identifier: MIT
use super::*;

#[test]
fn every_command_of_the_manual_is_understood() {
    use Command::*;
    for (line, command) in [
        ("", Nothing),
        ("  ", Nothing),
        ("talk", Talk),
        ("chat hello there", Chat("hello there")),
        ("status", Status),
        ("servers", Status),
        ("perf", Performance),
        ("models", Models),
        ("model load a.gguf", Load("a.gguf")),
        ("model switch a", Load("a")),
        ("model unload", Unload),
        ("benchmark", Benchmark),
        ("mem", Memory),
        ("clear", Clear),
        ("version", Version),
        ("help", Help),
        ("exit", Exit),
        ("/help", Help),
        ("/?", Help),
        ("/? shortcuts", Shortcuts),
        ("/clear", Clear),
        ("/set system be brief", SetSystem("be brief")),
        ("/set system \"be brief\"", SetSystem("be brief")),
        ("/set parameter top_k 3", SetParameter("top_k", "3")),
        ("/set temperature 0.7", SetParameter("temperature", "0.7")),
        ("/set stop The end", SetParameter("stop", "The end")),
        ("/set history", Set(Switch::History(true))),
        ("/set nohistory", Set(Switch::History(false))),
        ("/set verbose", Set(Switch::Verbose)),
        ("/set quiet", Set(Switch::Quiet)),
        ("/set wordwrap", Set(Switch::WordWrap(true))),
        ("/set columns 100", Set(Switch::Columns(100))),
        ("/show info", Show(super::Show::Info)),
        ("/show parameters", Show(super::Show::Parameters)),
        ("/show system", Show(super::Show::System)),
        ("/show template", Show(super::Show::Template)),
        ("/show license", Show(super::Show::License)),
        ("/models", Models),
        ("/load my model", Load("my model")),
        ("/unload", Unload),
        ("/regen", Regenerate),
        ("/status", Status),
        ("/servers", Status),
        ("/restart compute", Restart("compute")),
        ("/stop compute", Stop("compute")),
        ("/perf", Performance),
        ("/bench", Benchmark),
        ("/bye", Exit),
        ("/exit", Exit),
    ] {
        assert_eq!(parse(line), command, "{line}");
    }
}

#[test]
fn commands_of_later_parts_are_named() {
    for line in ["/save a", "/restore a", "/read a.txt"] {
        assert!(
            matches!(parse(line), Command::Absent(why) if why.contains("not part of this build")),
            "{line}"
        );
    }
}

#[test]
fn plain_text_chats_even_when_it_begins_like_a_command() {
    for line in [
        "hello",
        "help me write a story",
        "status of the world",
        "exit strategies for my start-up",
        "clear the table",
        "model load the dishwasher please",
        "model trains are fun",
        "talk to me",
        "Once upon a time",
        "no",
        "ok",
    ] {
        assert_eq!(parse(line), Command::Chat(line), "{line}");
    }
}

#[test]
fn near_misses_are_suggested_and_not_executed() {
    for (line, near) in [
        ("stauts", "status"),
        ("statsu", "status"),
        ("hlep", "help"),
        ("exti", "exit"),
        ("modles", "models"),
        ("benchmrk", "benchmark"),
        ("model laod x", "model load NAME"),
    ] {
        assert_eq!(parse(line), Command::NearMiss(line, near));
    }
    for (line, near) in [("/stauts", "status"), ("/hepl", "help"), ("/modls", "models"), ("/lod x", "load")] {
        assert_eq!(parse(line), Command::Unknown(line, Some(near)));
    }
    assert_eq!(parse("/frobnicate"), Command::Unknown("/frobnicate", None));
    assert_eq!(parse("/set temperatur 1"), Command::Unknown("temperatur", Some("temperature")));
    assert_eq!(parse("/show parameter"), Command::Unknown("parameter", Some("parameters")));
}

#[test]
fn wrong_use_is_answered_with_the_right_one() {
    let lines = [
        "/load",
        "/restart",
        "/stop",
        "/set",
        "/set top_k",
        "/show",
        "/set columns 5",
        "model load",
        "/model x",
    ];
    for line in lines {
        assert!(matches!(parse(line), Command::Usage(_)), "{line}: {:?}", parse(line));
    }
}
