// SPDX-License-Identifier: MIT
//! What the console asks.

use crate::conversation::erase;
use crate::request::{Kind, Request};
use crate::session::{SHORT_SILENCE, SILENCE, STOP_SILENCE, Session, text};
use alloc::format;
use alloc::string::String;
use inference_template::Family;
use ipc_protocol::console_session::{Level, Rag, ToSession};
use ipc_protocol::session_compute::ToCompute;
use ipc_protocol::session_supervisor::ToSupervisor;
use ipc_protocol::{Name, Piece};

/// Most bytes of a message or a system prompt.
pub const LONGEST_TEXT: usize = 64 * 1024;

impl Session {
    /// Follows the link and takes what there is; whether there was something.
    pub(crate) fn hear_console(&mut self) -> bool {
        if self.console.poll().is_some() {
            self.console_started();
        }
        let mut moved = false;
        while !self.console.is_backed_up() {
            match self.console.receive() {
                Ok(Some(message)) => self.asked(message),
                Ok(None) => break,
                Err(_) => break,
            }
            moved = true;
        }
        moved
    }

    /// A console that (re)started knows nothing: what it had asked is stopped, and it is told about the model.
    fn console_started(&mut self) {
        if let Some(request) = self.request {
            self.cancel(request.id);
            self.abandon();
        }
        self.incoming.clear();
        self.model.told = None;
        self.tell_model();
        self.forget_told_retrieval();
        self.forget_told_learning();
    }

    fn asked(&mut self, message: ToSession) {
        match message {
            ToSession::Text { id, piece, last } => self.text_piece(id, Kind::Message, &piece, last),
            ToSession::System { id, piece, last } => self.text_piece(id, Kind::System, &piece, last),
            ToSession::Ask { id, piece, last } => self.text_piece(id, Kind::Asking, &piece, last),
            ToSession::Cancel { id } => self.cancel(id),
            ToSession::Set { id, name, value } => {
                if self.accept(id, Kind::Message) {
                    self.set(&text(name.as_slice()), &text(value.as_slice()));
                }
            }
            ToSession::Show { id, what } => {
                if self.accept(id, Kind::Message) {
                    self.show(what);
                    self.end(true);
                }
            }
            ToSession::Clear { id } => self.clear(id),
            ToSession::Regenerate { id } => self.regenerate(id),
            ToSession::Models { id } => self.ask_supervisor(id, Kind::Models, ToSupervisor::List),
            ToSession::Load { id, name } => self.load(id, name),
            ToSession::Rag { id, what: Rag::Learn(what) } => self.learn(id, what),
            ToSession::Rag { id, what } => self.library_command(id, what),
            ToSession::Decided { ran } => self.decided(ran),
            ToSession::RagText { id, what, piece, last } => self.library_text(id, what, &piece, last),
            ToSession::Unload { id } => self.ask_supervisor(id, Kind::Unload, ToSupervisor::Unload),
            ToSession::Benchmark { id } => {
                if self.accept(id, Kind::Benchmark) {
                    self.benchmark();
                }
            }
        }
    }

    /// Begins a request, unless another is under way; one that was cancelled is abandoned.
    pub(crate) fn accept(&mut self, id: u32, kind: Kind) -> bool {
        match self.request {
            Some(request) if !request.cancelled && request.id != id => {
                let busy = Request { id, kind, cancelled: false };
                self.request = Some(busy);
                self.refuse("session still works on the request before; Ctrl-C stops it");
                self.request = Some(request);
                false
            }
            Some(request) => {
                if request.id != id {
                    self.abandon();
                }
                self.begin(id, kind);
                true
            }
            None => {
                self.begin(id, kind);
                true
            }
        }
    }

    /// Forgets the request under way without a word.
    pub(crate) fn abandon(&mut self) {
        let answered = self.is(Kind::Answer);
        if let Some(generation) = self.generation.take().filter(|_| answered) {
            self.conversation.answer(generation.text);
        }
        self.request = None;
        self.patience.stop();
    }

    fn text_piece(&mut self, id: u32, kind: Kind, piece: &Piece, last: bool) {
        if let Some(said) = self.gather(id, kind, piece, last) {
            self.whole_text(kind, said);
        }
    }

    /// Takes a piece of a text; the text, once it is whole.
    pub(crate) fn gather(&mut self, id: u32, kind: Kind, piece: &Piece, last: bool) -> Option<String> {
        if !self.request.is_some_and(|request| request.id == id && request.kind == kind) {
            if !self.accept(id, kind) {
                return None;
            }
            self.incoming.clear();
            self.patience.start(SHORT_SILENCE);
        }
        let room = LONGEST_TEXT - self.incoming.len().min(LONGEST_TEXT);
        if piece.as_slice().len() > room {
            self.incoming.clear();
            self.refuse(&format!("the text is too long: at most {LONGEST_TEXT} bytes; nothing was done"));
            return None;
        }
        self.incoming.extend_from_slice(piece.as_slice());
        let bytes = last.then(|| core::mem::take(&mut self.incoming))?;
        Some(String::from_utf8(bytes).unwrap_or_else(|error| text(error.as_bytes())))
    }

    fn whole_text(&mut self, kind: Kind, said: String) {
        match kind {
            Kind::System => {
                let empty = said.trim().is_empty();
                erase(core::mem::replace(
                    &mut self.conversation.system,
                    if empty { String::new() } else { said },
                ));
                let done = if empty { "there is no system prompt now" } else { "the system prompt is set" };
                self.say(Level::Plain, done);
                self.end(true);
            }
            Kind::Asking => self.ask(&said),
            _ if said.is_empty() => self.refuse("nothing to say: the message is empty"),
            _ => self.answer(said),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let outcome = match name {
            "template" => self.set_template(value),
            _ => self.settings.set(name, value),
        };
        match outcome {
            Ok(done) => {
                self.say(Level::Plain, &done);
                self.end(true);
            }
            Err(why) => self.refuse(&why),
        }
    }

    fn set_template(&mut self, name: &str) -> Result<String, String> {
        let names = || Family::ALL.map(Family::name).join(", ");
        let family = Family::from_name(name).ok_or_else(|| format!("template must be one of {}", names()))?;
        let language =
            self.model.language.as_mut().ok_or("no model is loaded, so there is no template to choose")?;
        language.family = Some(family);
        Ok(format!("template is {family}"))
    }

    fn ask_supervisor(&mut self, id: u32, kind: Kind, message: ToSupervisor) {
        if self.accept(id, kind) {
            match &message {
                ToSupervisor::Load { name } => {
                    self.remember_command(&format!("/load {}", text(name.as_slice())))
                }
                ToSupervisor::Unload => self.remember_command("/unload"),
                _ => {}
            }
            self.supervisor.push(message);
            self.patience.start(if kind == Kind::Models { SHORT_SILENCE } else { SILENCE });
        }
    }

    fn load(&mut self, id: u32, name: Name) {
        self.ask_supervisor(id, Kind::Load, ToSupervisor::Load { name });
    }

    fn clear(&mut self, id: u32) {
        if !self.accept(id, Kind::Clear) {
            return;
        }
        self.conversation.clear();
        self.library.quotations = None;
        self.remember_command("/clear");
        self.incoming.fill(0);
        self.incoming.clear();
        (self.erasing, self.warned) = (true, false);
        self.compute.push(ToCompute::Erase);
        self.patience.start(SHORT_SILENCE);
    }

    /// Stops the request, if it is under way.
    fn cancel(&mut self, id: u32) {
        let Some(request) = self.request.as_mut().filter(|request| request.id == id && !request.cancelled)
        else {
            return;
        };
        request.cancelled = true;
        match request.kind {
            Kind::Answer | Kind::Ask | Kind::Benchmark => self.cancel_generation(),
            Kind::Retrieve | Kind::Library if self.incoming.is_empty() => self.cancel_retrieval(),
            _ => {
                self.incoming.clear();
                self.refuse("stopped waiting; what was begun goes on");
            }
        }
        if self.request.is_some() {
            self.patience.start(STOP_SILENCE);
        }
    }
}
