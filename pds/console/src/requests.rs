// SPDX-License-Identifier: MIT
//! From a line to a request.

use crate::command::{Command, Switch, parse};
use crate::commands::rag::Library;
use crate::console::{Console, SHORT_SILENCE};
use crate::draft::LONGEST_MESSAGE;
use crate::editor::QUOTES;
use crate::mode::Mode;
use crate::outbox::TextKind;
use crate::terminal::Terminal;
use crate::{help, printable, say};
use core::ops::Range;
use ipc_protocol::Name;
use ipc_protocol::console_session::ToSession;
use ipc_protocol::console_supervisor::ToSupervisor;

impl<T: Terminal> Console<T> {
    /// Acts on the message in the draft.
    pub(crate) fn submit(&mut self) {
        if self.is_too_long() {
            return self.prompt();
        }
        if self.asking.is_pending() {
            return self.decide();
        }
        if self.editor.draft.replaced() > 0 {
            let places = self.editor.draft.replaced();
            say!(
                self.screen,
                "warning: bytes that are no UTF-8 text were replaced by U+FFFD in {places} place(s)\n"
            );
        }
        let text = self.editor.draft.text();
        if let Some(range) = quoted(text) {
            return self.say_to_model(TextKind::Message, range);
        }
        if !text.contains('\n') {
            self.editor.history.push(text);
        }
        self.obey();
    }

    fn is_too_long(&mut self) -> bool {
        let refused = self.editor.draft.refused();
        if refused > 0 {
            say!(
                self.screen,
                "error: the message is too long: a message has at most {LONGEST_MESSAGE} bytes, "
            );
            say!(self.screen, "and {refused} more were typed. Nothing was sent; send it in parts\n");
        }
        refused > 0
    }

    /// Does what the draft says.
    pub(crate) fn obey(&mut self) {
        let text = self.editor.draft.text();
        // Several lines can only be a message, or a system prompt.
        let command = match parse(text) {
            command @ (Command::SetSystem(_)
            | Command::Chat(_)
            | Command::Ask(_)
            | Command::Library(Library::Say(..))) => command,
            _ if text.trim().contains('\n') && !text.trim_start().starts_with('/') => {
                Command::Chat(text.trim())
            }
            command => command,
        };
        match command {
            Command::Chat(message) => {
                let range = range_in(text, message);
                self.say_to_model(TextKind::Message, range);
            }
            Command::Ask(request) => {
                let range = range_in(text, request);
                self.ask(range);
            }
            Command::SetSystem(prompt) => {
                let range = range_in(text, prompt);
                self.say_to_model(TextKind::System, range);
            }
            Command::Library(Library::Do(what)) => self.obey_library(Ok(what)),
            Command::Library(Library::Say(what, said)) => {
                let range = range_in(text, said);
                self.obey_library(Err((what, range)));
            }
            _ => self.obey_command(),
        }
    }

    fn obey_command(&mut self) {
        let id = self.next_id();
        let text = self.editor.draft.text();
        let request = match parse(text) {
            Command::SetParameter(name, value) => match (name_of(name), name_of(value)) {
                (Some(name), Some(value)) => ToSession::Set { id, name, value },
                _ => return self.refuse("error: a parameter's value has at most 96 bytes\n"),
            },
            Command::Load(name) => match name_of(name) {
                Some(name) => ToSession::Load { id, name },
                None => {
                    return self.refuse("error: a model's name has at most 96 bytes; /models lists them\n");
                }
            },
            Command::Show(what) => ToSession::Show { id, what },
            Command::Clear => {
                self.clearing = true;
                ToSession::Clear { id }
            }
            Command::Models => ToSession::Models { id },
            Command::Unload => ToSession::Unload { id },
            Command::Regenerate => ToSession::Regenerate { id },
            Command::Benchmark => ToSession::Benchmark { id },
            _ => return self.obey_supervisor(),
        };
        self.outbox.push(request);
        self.wait_for_session(id);
    }

    fn obey_supervisor(&mut self) {
        let text = self.editor.draft.text();
        let (request, mode) = match parse(text) {
            Command::Status => (ToSupervisor::Status, Mode::Status),
            Command::Restart(name) => match name_of(name) {
                Some(name) => (ToSupervisor::Restart { name }, Mode::Control),
                None => return self.refuse("error: no server has such a long name; /status lists them\n"),
            },
            Command::Stop(name) => match name_of(name) {
                Some(name) => (ToSupervisor::Stop { name }, Mode::Control),
                None => return self.refuse("error: no server has such a long name; /status lists them\n"),
            },
            Command::Exit => return self.leave(),
            _ => return self.obey_here(),
        };
        self.rows = 0;
        self.ask_supervisor(request, mode);
    }

    fn ask_supervisor(&mut self, request: ToSupervisor, mode: Mode) {
        self.to_supervisor.clear();
        self.to_supervisor.push_back(request).ok();
        self.mode = mode;
        self.patience.start(SHORT_SILENCE);
    }

    /// Commands that need nobody else.
    fn obey_here(&mut self) {
        let text = self.editor.draft.text();
        let screen = &mut self.screen;
        match parse(text) {
            Command::Talk => say!(*screen, "{}", help::TALK),
            Command::Help => say!(*screen, "{}", help::COMMANDS),
            Command::Shortcuts => say!(*screen, "{}", help::SHORTCUTS),
            Command::Performance => self.totals.show(screen),
            Command::Memory => self.show_memory(),
            Command::Version => self.show_version(),
            Command::Set(switch) => self.set(switch),
            Command::Absent(why) => say!(*screen, "{why}\n"),
            Command::Usage(how) => say!(*screen, "usage: {how}\n"),
            Command::Unknown(given, near) => {
                say!(*screen, "unknown: ");
                printable::write(screen, given.as_bytes());
                match near {
                    Some(near) => say!(*screen, " - did you mean {near}? Nothing was done\n"),
                    None => say!(*screen, " - /? lists the commands. Nothing was done\n"),
                }
            }
            Command::NearMiss(given, near) => {
                printable::write(screen, given.as_bytes());
                say!(
                    *screen,
                    ": did you mean the command {near}? Nothing was done; to say it to the model: chat "
                );
                printable::write(screen, given.as_bytes());
                say!(*screen, "\n");
            }
            _ => {}
        }
        self.prompt();
    }

    fn set(&mut self, switch: Switch) {
        match switch {
            Switch::Verbose => self.verbose = true,
            Switch::Quiet => self.verbose = false,
            Switch::WordWrap(on) => self.stream.word_wrap = on,
            Switch::History(on) => self.editor.history.keep(on),
            Switch::Columns(columns) => self.editor.set_columns(columns),
        }
        let done = match switch {
            Switch::Verbose => "all figures are shown after each answer",
            Switch::Quiet => "one line of figures is shown after each answer",
            Switch::WordWrap(true) => "answers break between words",
            Switch::WordWrap(false) => "answers are shown as they come",
            Switch::History(true) => "entered lines are remembered",
            Switch::History(false) => "entered lines are forgotten",
            Switch::Columns(_) => "the width is set",
        };
        say!(self.screen, "{done}\n");
    }

    fn refuse(&mut self, why: &str) {
        say!(self.screen, "{why}");
        self.prompt();
    }

    fn say_to_model(&mut self, kind: TextKind, range: Range<usize>) {
        if range.is_empty() && kind == TextKind::Message {
            return self.refuse("nothing to say: the message is empty\n");
        }
        let id = self.next_id();
        self.outbox.push_text(id, kind, range);
        self.wait_for_session(id);
    }

    /// Says goodbye and asks the supervisor to stop the system.
    pub(crate) fn leave(&mut self) {
        say!(self.screen, "Goodbye.\n");
        self.ask_supervisor(ToSupervisor::Shutdown, Mode::Leaving);
    }
}

/// The text between quotation marks, if `text` is quoted.
fn quoted(text: &str) -> Option<Range<usize>> {
    let inner = text.strip_prefix(QUOTES)?.trim_end().strip_suffix(QUOTES)?;
    Some(range_in(text, inner.trim_matches('\n')))
}

/// Where `part` lies in `whole`, which it is a part of.
fn range_in(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len());
    start..start + part.len()
}

fn name_of(text: &str) -> Option<Name> {
    (text.len() <= 96).then(|| Name::new(text.as_bytes()))
}
