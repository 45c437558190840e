// SPDX-License-Identifier: MIT
//! Lines that begin with `/`, and their arguments.

use super::{Command, SLASH, Switch, word};
use crate::commands::learn;
use crate::commands::rag::{self, Library};
use crate::words::nearest;
use ipc_protocol::console_session::{PARAMETERS, RagText, Show};

const SWITCHES: [&str; 9] =
    ["system", "parameter", "history", "nohistory", "verbose", "quiet", "wordwrap", "nowordwrap", "columns"];
const SHOWS: [&str; 5] = ["info", "parameters", "system", "template", "license"];

const SET: &str = "/set system TEXT | /set parameter NAME VALUE | /set temperature 0.7 (or another parameter) | \
                   /set history|nohistory|verbose|quiet|wordwrap|nowordwrap | /set columns N";
const SHOW: &str = "/show info|parameters|system|template|license";
const LOAD: &str = "/load NAME (/models lists the names)";

/// A command, behind its `/`.
pub(super) fn slash<'a>(line: &'a str, command: &'a str) -> Command<'a> {
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
