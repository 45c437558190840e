// SPDX-License-Identifier: MIT
//! `/rag`, `/fact` and `/recall`: documents, notes, facts, and what happened.

use crate::console::Console;
use crate::outbox::TextKind;
use crate::terminal::Terminal;
use crate::{printable, say};
use core::ops::Range;
use ipc_protocol::console_session::{Rag, RagText, ToSession};

/// How they are used.
pub const RAG: &str = "/rag on|off | /rag quote on|off | /rag add TEXT | /rag list | /rag remove SOURCE | /rag sources | /rag find TEXT | /rag scan | /rag format";
/// How facts are used.
pub const FACT: &str = "/fact add SUBJECT | RELATION | OBJECT, /fact list, /fact forget NUMBER";

/// A command for the retriever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library<'a> {
    /// Without a text.
    Do(Rag),
    /// With one.
    Say(RagText, &'a str),
}

/// Splits off the first word.
fn word(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim())
}

/// What follows `/rag`.
///
/// # Errors
/// How it is used.
pub fn rag(rest: &str) -> Result<Library<'_>, &'static str> {
    Ok(match word(rest) {
        ("on", "") => Library::Do(Rag::On),
        ("off", "") => Library::Do(Rag::Off),
        ("quote", "on") => Library::Do(Rag::Quote(true)),
        ("quote", "off") => Library::Do(Rag::Quote(false)),
        ("list", "") => Library::Do(Rag::List),
        ("sources", "") => Library::Do(Rag::Sources),
        ("scan", "") => Library::Do(Rag::Scan),
        ("format", "yes") => Library::Do(Rag::Format),
        ("format", "") => return Err("/rag format yes (forgets all documents, notes, facts and episodes)"),
        ("add", text) if !text.is_empty() => Library::Say(RagText::Note, text),
        ("remove", source) if !source.is_empty() => Library::Say(RagText::Remove, source),
        ("find", text) if !text.is_empty() => Library::Say(RagText::Find, text),
        _ => return Err(RAG),
    })
}

/// What follows `/fact`.
///
/// # Errors
/// How it is used.
pub fn fact(rest: &str) -> Result<Library<'_>, &'static str> {
    match word(rest) {
        ("list", "") => Ok(Library::Do(Rag::Facts)),
        ("add", text) if text.matches('|').count() == 2 => Ok(Library::Say(RagText::Fact, text)),
        ("forget", number) => number.parse().map(|id| Library::Do(Rag::ForgetFact(id))).map_err(|_| FACT),
        _ => Err(FACT),
    }
}

impl<T: Terminal> Console<T> {
    /// Asks session; `range` is where the text lies in the draft.
    pub(crate) fn obey_library(&mut self, what: Result<Rag, (RagText, Range<usize>)>) {
        let id = self.next_id();
        match what {
            Ok(what) => self.outbox.push(ToSession::Rag { id, what }),
            Err((what, range)) => self.outbox.push_text(id, TextKind::Library(what), range),
        }
        self.wait_for_session(id);
    }

    /// The line of `status`.
    pub(crate) fn show_retrieval(&mut self) {
        match &self.banner.retrieval {
            None => say!(self.screen, "retrieval: session has not said\n"),
            Some(description) => {
                say!(self.screen, "retrieval: ");
                printable::write(&mut self.screen, description.as_slice());
                say!(self.screen, "\n");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        for (line, what) in [
            ("on", Library::Do(Rag::On)),
            ("off", Library::Do(Rag::Off)),
            ("quote on", Library::Do(Rag::Quote(true))),
            ("quote off", Library::Do(Rag::Quote(false))),
            ("list", Library::Do(Rag::List)),
            ("sources", Library::Do(Rag::Sources)),
            ("scan", Library::Do(Rag::Scan)),
            ("format yes", Library::Do(Rag::Format)),
            ("add the disk is full", Library::Say(RagText::Note, "the disk is full")),
            ("remove docs/a.md", Library::Say(RagText::Remove, "docs/a.md")),
            ("find a disk", Library::Say(RagText::Find, "a disk")),
        ] {
            assert_eq!(rag(line), Ok(what), "{line}");
        }
        assert_eq!(fact("add a | b | c"), Ok(Library::Say(RagText::Fact, "a | b | c")));
        assert_eq!(fact("list"), Ok(Library::Do(Rag::Facts)));
        assert_eq!(fact("forget 7"), Ok(Library::Do(Rag::ForgetFact(7))));
    }

    #[test]
    fn wrong_use_is_answered_with_the_right_one() {
        for line in ["", "add", "remove", "on now", "scna", "quote"] {
            assert_eq!(rag(line), Err(RAG), "{line}");
        }
        assert!(rag("format").is_err_and(|how| how.contains("yes")), "forgetting everything is asked twice");
        for line in ["", "add a b c", "forget x", "list all"] {
            assert_eq!(fact(line), Err(FACT), "{line}");
        }
    }
}
