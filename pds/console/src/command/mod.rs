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

mod slash;
#[cfg(test)]
mod tests;

use crate::commands::rag::Library;
use crate::words::nearest;
use ipc_protocol::console_session::Show;
use slash::slash;
pub use slash::unquoted;

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
