// SPDX-License-Identifier: MIT
//! Requests in English: `? how much memory is free`.
//!
//! One design rule: a model proposes and a person decides. A proposal is a command of the table, shown with what it
//! does and what it loses; it runs only when the next line is `y`, exactly as if it had been typed. Requests, proposals
//! and decisions are kept in a journal, which `?` alone shows.
//!
//! Limits: proposals of 768 bytes; the last 16 requests are kept.

use crate::command::{Command, parse};
use crate::console::Console;
use crate::outbox::TextKind;
use crate::terminal::{Screen, Terminal};
use crate::{printable, say};
use core::ops::Range;
use heapless::{Deque, String, Vec};
use inference_commands::{NONE, find};
use ipc_protocol::console_session::ToSession;

/// Most bytes of a proposal.
const LONGEST_PROPOSAL: usize = 768;
/// Bytes of a request that are kept in the journal.
const KEPT: usize = 96;
/// Requests in the journal.
const ENTRIES: usize = 16;

const USAGE: &str = "? REQUEST asks for a command in English, for example: ? how much memory is free\nNothing was asked so far.\n";
const CONFIRM: &str = "Run it? y runs it, anything else does not.\n";

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// No command fits.
    Nothing,
    /// The user has not decided.
    Open,
    /// The user said no.
    Refused,
    /// The user said yes.
    Run,
}

/// A request and what came of it.
#[derive(Debug)]
struct Entry {
    request: String<KEPT>,
    command: String<KEPT>,
    decision: Decision,
}

/// The state of requests in English.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    /// A proposal that is arriving.
    incoming: Vec<u8, LONGEST_PROPOSAL>,
    /// What came does not fit.
    too_long: bool,
    /// Whether there is a whole proposal in `incoming`.
    complete: bool,
    /// The command that a `y` runs.
    pending: Option<String<LONGEST_PROPOSAL>>,
    request: String<KEPT>,
    journal: Deque<Entry, ENTRIES>,
}

impl Asking {
    /// Whether the next line decides about a proposal.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    fn note(&mut self, command: &str, decision: Decision) {
        if self.journal.is_full() {
            self.journal.pop_front();
        }
        let entry = Entry { request: self.request.clone(), command: start(command), decision };
        self.journal.push_back(entry).ok();
    }

    fn decide(&mut self, decision: Decision) {
        if let Some(entry) = self.journal.back_mut() {
            entry.decision = decision;
        }
    }
}

/// The beginning of a text, whole characters.
fn start(text: &str) -> String<KEPT> {
    let mut kept = String::new();
    text.chars().take_while(|character| kept.push(*character).is_ok()).count();
    kept
}

impl<T: Terminal> Console<T> {
    /// Asks session for the command that does what bytes `range` of the draft say.
    pub(crate) fn ask(&mut self, range: Range<usize>) {
        let request = self.editor.draft.text().get(range.clone()).unwrap_or_default();
        if request.is_empty() {
            self.show_journal();
            return self.prompt();
        }
        let request = start(request);
        self.asking =
            Asking { request, journal: core::mem::take(&mut self.asking.journal), ..Asking::default() };
        let id = self.next_id();
        self.outbox.push_text(id, TextKind::Ask, range);
        self.wait_for_session(id);
    }

    /// A piece of a proposal came.
    pub(crate) fn proposal(&mut self, id: u32, bytes: &[u8], last: bool) {
        if self.current(id).is_none() || self.asking.complete {
            return;
        }
        self.asking.too_long |= self.asking.incoming.extend_from_slice(bytes).is_err();
        self.asking.complete = last;
    }

    /// Session is done: shows what it proposes, if it does.
    pub(crate) fn show_proposal(&mut self) {
        if !core::mem::take(&mut self.asking.complete) {
            return;
        }
        let bytes = core::mem::take(&mut self.asking.incoming);
        let command = core::str::from_utf8(&bytes).unwrap_or("\n");
        match find(command) {
            _ if command == NONE => {
                self.asking.note(NONE, Decision::Nothing);
                say!(self.screen, "none: no command does that. Without the ? it is said to the model\n");
            }
            Some(entry) if is_runnable(command) && !self.asking.too_long => {
                self.asking.note(command, Decision::Open);
                printable::write(&mut self.screen, command.as_bytes());
                say!(self.screen, "\n  {}\n", entry.does);
                if let Some(loss) = entry.destructive {
                    say!(self.screen, "  careful: {loss}\n");
                }
                say!(self.screen, "{CONFIRM}");
                self.asking.pending = String::try_from(command).ok();
            }
            _ => say!(self.screen, "error: session proposed what is no command; nothing was done\n"),
        }
    }

    /// The line in the draft decides about the proposal.
    pub(crate) fn decide(&mut self) {
        let Some(command) = self.asking.pending.take() else { return };
        if !matches!(self.editor.draft.text().trim(), "y" | "Y" | "yes") {
            return self.drop_proposal();
        }
        self.asking.decide(Decision::Run);
        self.outbox.push(ToSession::Decided { ran: true });
        self.editor.draft.clear();
        self.editor.draft.set_line(&command);
        self.editor.history.push(&command);
        self.obey();
    }

    /// The user does not want it.
    pub(crate) fn drop_proposal(&mut self) {
        self.asking.pending = None;
        self.asking.decide(Decision::Refused);
        self.outbox.push(ToSession::Decided { ran: false });
        say!(self.screen, "not run\n");
        self.prompt();
    }

    fn show_journal(&mut self) {
        if self.asking.journal.is_empty() {
            return say!(self.screen, "{USAGE}");
        }
        for entry in &self.asking.journal {
            show(&mut self.screen, entry);
        }
    }
}

fn show<T: Terminal>(screen: &mut Screen<T>, entry: &Entry) {
    let decision = match entry.decision {
        Decision::Nothing => "no command",
        Decision::Open => "proposed",
        Decision::Refused => "not run",
        Decision::Run => "run",
    };
    say!(*screen, "{decision:<11}");
    printable::write(screen, entry.command.as_bytes());
    say!(*screen, "   for: ");
    printable::write(screen, entry.request.as_bytes());
    say!(*screen, "\n");
}

/// Whether the console takes `command` for one when it is typed.
fn is_runnable(command: &str) -> bool {
    let one_line = !command.contains(char::is_control);
    let other = matches!(
        parse(command),
        Command::Nothing | Command::Chat(_) | Command::Ask(_) | Command::Unknown(..) | Command::NearMiss(..)
    );
    one_line && !other
}
