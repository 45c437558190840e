// SPDX-License-Identifier: MIT
//! What a line means.
//!
//! One design rule: a line is a command only where nothing else can be meant. A line that begins with `/` is one; a
//! line of plain words is one only when it is exactly an admin command (`status`, `model load NAME`; `chat` is
//! followed by what is said). One that begins with `?` is a request in English for a command. Everything else is said
//! to the model.
//!
//! Near misses are suggested and never executed: after `/` within two edits; a single plain word within one edit of
//! a command of up to five letters or two of a longer one, because "hello" must reach the model. A plain near miss
//! is not said to the model either: `chat hlep` says it.

use crate::commands::learn;
use crate::commands::rag::{self, Library};
use crate::words::nearest;
use ipc_protocol::console_session::{PARAMETERS, RagText, Show};

/// Switches of the console itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// All figures after an answer.
    Verbose,
    /// One line of figures.
    Quiet,
    /// Lines break between words.
    WordWrap(bool),
    /// Entered lines are remembered.
    History(bool),
    /// The terminal's width.
    Columns(usize),
}

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command<'a> {
    /// An empty line.
    Nothing,
    /// Say this to the model.
    Chat(&'a str),
    /// Find the command for this request in English.
    Ask(&'a str),
    /// Explain how to chat.
    Talk,
    /// List the commands.
    Help,
    /// List the keys.
    Shortcuts,
    /// Forget the conversation.
    Clear,
    /// Set the system prompt.
    SetSystem(&'a str),
    /// Set a parameter of the session.
    SetParameter(&'a str, &'a str),
    /// Set something of the console.
    Set(Switch),
    /// Show something of the session.
    Show(Show),
    /// List the models.
    Models,
    /// Load a model.
    Load(&'a str),
    /// Unload the model.
    Unload,
    /// Answer again.
    Regenerate,
    /// Describe the servers.
    Status,
    /// Restart a server.
    Restart(&'a str),
    /// Stop a server.
    Stop(&'a str),
    /// Figures of all answers.
    Performance,
    /// Memory.
    Memory,
    /// Measure.
    Benchmark,
    /// Versions.
    Version,
    /// Something of documents, notes, facts or episodes.
    Library(Library<'a>),
    /// Leave.
    Exit,
    /// A command of a part that this build does not have.
    Absent(&'static str),
    /// A command used wrongly: how it is used.
    Usage(&'static str),
    /// No such command, and the nearest one.
    Unknown(&'a str, Option<&'static str>),
    /// A plain word that is nearly a command.
    NearMiss(&'a str, &'static str),
}

/// Commands after a slash.
pub const SLASH: [&str; 33] = [
    "help",
    "?",
    "clear",
    "set",
    "show",
    "models",
    "model",
    "load",
    "switch",
    "unload",
    "regen",
    "status",
    "servers",
    "restart",
    "stop",
    "perf",
    "mem",
    "bench",
    "benchmark",
    "version",
    "bye",
    "exit",
    "quit",
    "save",
    "restore",
    "read",
    "rag",
    "fact",
    "recall",
    "learn",
    "correct",
    "chat",
    "talk",
];
/// Commands as plain words.
pub const PLAIN: [&str; 12] = [
    "talk",
    "status",
    "servers",
    "perf",
    "mem",
    "models",
    "benchmark",
    "clear",
    "help",
    "version",
    "exit",
    "chat",
];
const SWITCHES: [&str; 9] =
    ["system", "parameter", "history", "nohistory", "verbose", "quiet", "wordwrap", "nowordwrap", "columns"];
const SHOWS: [&str; 5] = ["info", "parameters", "system", "template", "license"];

const SET: &str = "/set system TEXT | /set parameter NAME VALUE | /set temperature 0.7 (or another parameter) | \
                   /set history|nohistory|verbose|quiet|wordwrap|nowordwrap | /set columns N";
const SHOW: &str = "/show info|parameters|system|template|license";
const LOAD: &str = "/load NAME (/models lists the names)";

/// Understands a line.
pub fn parse(line: &str) -> Command<'_> {
    let line = line.trim();
    match (line.strip_prefix('/'), line.strip_prefix('?')) {
        (Some(command), _) => slash(line, command),
        (_, Some(request)) => Command::Ask(request.trim()),
        _ => plain(line),
    }
}

/// Splits off the first word.
fn word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((first, rest)) => (first, rest.trim()),
        None => (text, ""),
    }
}

fn plain(line: &str) -> Command<'_> {
    let (first, rest) = word(line);
    let (second, third) = word(rest);
    match (first, second, third) {
        ("", ..) => Command::Nothing,
        ("chat", "", _) => Command::Talk,
        ("chat", ..) => Command::Chat(rest),
        ("model", "load" | "switch", name) if is_one_word(name) => Command::Load(name),
        ("model", "load" | "switch", "") => Command::Usage("model load NAME (/models lists the names)"),
        ("model", "unload", "") => Command::Unload,
        ("model", "list", "") => Command::Models,
        ("model", verb, name) if !verb.is_empty() && (name.is_empty() || is_one_word(name)) => {
            model_verb(line, verb)
        }
        (_, "", _) => single(first),
        _ => Command::Chat(line),
    }
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn model_verb<'a>(line: &'a str, verb: &str) -> Command<'a> {
    match nearest(verb, ["load", "switch", "unload", "list"], 1) {
        Some("load") => Command::NearMiss(line, "model load NAME"),
        Some("switch") => Command::NearMiss(line, "model switch NAME"),
        Some("unload") => Command::NearMiss(line, "model unload"),
        Some(_) => Command::NearMiss(line, "models"),
        None => Command::Chat(line),
    }
}

fn single(word: &str) -> Command<'_> {
    if PLAIN.contains(&word) {
        return slash(word, word);
    }
    let long = nearest(word, PLAIN.into_iter().filter(|name| name.len() > 5), 2);
    let short = nearest(word, PLAIN.into_iter().filter(|name| name.len() <= 5 && word.len() > 2), 1);
    match short.or(long) {
        Some(name) => Command::NearMiss(word, name),
        None => Command::Chat(word),
    }
}

fn slash<'a>(line: &'a str, command: &'a str) -> Command<'a> {
    let (name, rest) = word(command);
    match name {
        "help" | "?" => match rest {
            "shortcuts" | "keys" => Command::Shortcuts,
            _ => Command::Help,
        },
        "clear" => Command::Clear,
        "set" => set(rest),
        "show" => show(rest),
        "models" => Command::Models,
        "load" | "switch" | "restart" | "stop" => named(name, rest),
        "model" => model(rest),
        "unload" => Command::Unload,
        "regen" => Command::Regenerate,
        "status" | "servers" => Command::Status,
        "perf" => Command::Performance,
        "mem" => Command::Memory,
        "bench" | "benchmark" => Command::Benchmark,
        "version" => Command::Version,
        "bye" | "exit" | "quit" => Command::Exit,
        "chat" if !rest.is_empty() => Command::Chat(rest),
        "chat" | "talk" => Command::Talk,
        "rag" => library(rag::rag(rest)),
        "fact" => library(rag::fact(rest)),
        "learn" => library(learn::learn(rest)),
        "correct" => library(learn::correct(rest)),
        "recall" => Command::Library(Library::Say(RagText::Recall, rest)),
        "save" | "restore" => {
            Command::Absent("/save and /restore: saved conversations are not part of this build")
        }
        "read" => Command::Absent("/read: reading files into a message is not part of this build"),
        _ => Command::Unknown(line, nearest(name, SLASH, 2)),
    }
}

fn library<'a>(understood: Result<Library<'a>, &'static str>) -> Command<'a> {
    understood.map_or_else(Command::Usage, Command::Library)
}

fn named<'a>(name: &str, rest: &'a str) -> Command<'a> {
    match (name, rest) {
        ("load" | "switch", "") => Command::Usage(LOAD),
        ("restart", "") => Command::Usage("/restart SERVER (/status lists the servers)"),
        (_, "") => Command::Usage("/stop SERVER (/status lists the servers)"),
        ("load" | "switch", model) => Command::Load(model),
        ("restart", server) => Command::Restart(server),
        (_, server) => Command::Stop(server),
    }
}

fn model(rest: &str) -> Command<'_> {
    match word(rest) {
        ("load" | "switch", name) if !name.is_empty() => Command::Load(name),
        ("unload", "") => Command::Unload,
        ("list" | "", "") => Command::Models,
        _ => Command::Usage("/model load NAME | /model switch NAME | /model unload | /models"),
    }
}

fn set(rest: &str) -> Command<'_> {
    let (name, value) = word(rest);
    match (name, value) {
        ("system", text) => Command::SetSystem(unquoted(text)),
        ("parameter", pair) => match word(pair) {
            ("", _) | (_, "") => {
                Command::Usage("/set parameter NAME VALUE (/show parameters lists the names)")
            }
            (name, value) => Command::SetParameter(name, value),
        },
        ("history", "") => Command::Set(Switch::History(true)),
        ("nohistory", "") => Command::Set(Switch::History(false)),
        ("verbose", "") => Command::Set(Switch::Verbose),
        ("quiet", "") => Command::Set(Switch::Quiet),
        ("wordwrap", "") => Command::Set(Switch::WordWrap(true)),
        ("nowordwrap", "") => Command::Set(Switch::WordWrap(false)),
        ("columns", number) => match number.parse() {
            Ok(columns @ 20..=1000) => Command::Set(Switch::Columns(columns)),
            _ => Command::Usage("/set columns N (a whole number from 20 to 1000)"),
        },
        (name, value) if PARAMETERS.contains(&name) && !value.is_empty() => {
            Command::SetParameter(name, value)
        }
        (name, "") if PARAMETERS.contains(&name) => {
            Command::Usage("/set NAME VALUE (/show parameters shows the values)")
        }
        ("", _) => Command::Usage(SET),
        _ => match nearest(name, PARAMETERS.into_iter().chain(SWITCHES), 2) {
            Some(near) => Command::Unknown(name, Some(near)),
            None => Command::Usage(SET),
        },
    }
}

/// A text without the quotation marks around it.
pub fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("\"\"\"").and_then(|text| text.strip_suffix("\"\"\""));
    inner.or_else(|| text.strip_prefix('"')?.strip_suffix('"')).unwrap_or(text)
}

fn show(rest: &str) -> Command<'_> {
    match rest {
        "info" => Command::Show(Show::Info),
        "parameters" => Command::Show(Show::Parameters),
        "system" => Command::Show(Show::System),
        "template" => Command::Show(Show::Template),
        "license" => Command::Show(Show::License),
        _ => match nearest(rest, SHOWS, 2) {
            Some(near) => Command::Unknown(rest, Some(near)),
            None => Command::Usage(SHOW),
        },
    }
}

#[cfg(test)]
mod tests {
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
        for (line, near) in
            [("/stauts", "status"), ("/hepl", "help"), ("/modls", "models"), ("/lod x", "load")]
        {
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
}
