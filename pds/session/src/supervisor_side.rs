// SPDX-License-Identifier: MIT
//! What the supervisor says: which model there is, and which there are.

use crate::language::{Language, bytes};
use crate::request::Kind;
use crate::session::{SILENCE, Session, text};
use alloc::format;
use alloc::string::String;
use ipc_protocol::Name;
use ipc_protocol::console_session::{Level, ToConsole, Work};
use ipc_protocol::session_supervisor::{ToSession, ToSupervisor};
use ipc_protocol::supervisor_compute::Sealed;

impl Session {
    /// Follows the link and takes what there is; whether there was something.
    pub(crate) fn hear_supervisor(&mut self) -> bool {
        if self.supervisor.poll() == Some(true) && self.request.is_some_and(|r| is_supervisors(r.kind)) {
            self.refuse("the supervisor restarted: the request is lost; ask again");
        }
        let mut moved = false;
        while !self.console.is_backed_up() {
            match self.supervisor.receive() {
                Ok(Some(message)) => self.supervised(message),
                Ok(None) | Err(_) => break,
            }
            moved = true;
        }
        moved
    }

    fn supervised(&mut self, message: ToSession) {
        match message {
            ToSession::Model { name, bytes, loaded } => self.list_model(&name, bytes, loaded),
            ToSession::ListEnd { count } => self.list_end(count),
            ToSession::Progress { done, total } => self.load_progress(done, total),
            ToSession::ReleaseVocabulary => self.release(),
            ToSession::Ready { sealed, name, hash, signed } => {
                self.model.signed = signed;
                self.ready(sealed, name, hash);
            }
            ToSession::NoModel { why } => self.no_model(text(why.as_slice())),
            ToSession::LoadFailed { why, kept } => self.load_failed(&text(why.as_slice()), kept),
        }
    }

    fn list_model(&mut self, name: &Name, size: u64, loaded: bool) {
        if self.is(Kind::Models) {
            let mark = if loaded { format!("  (loaded, {})", self.model.origin()) } else { String::new() };
            self.say(Level::Plain, &format!("  {:<40} {:>9}{mark}", text(name.as_slice()), bytes(size)));
        }
    }

    fn list_end(&mut self, count: u32) {
        if self.is(Kind::Models) {
            match count {
                0 => self.say(
                    Level::Plain,
                    "no model files on the disk; put a .gguf file on it (cargo xtask run --model FILE.gguf)",
                ),
                _ => self.say(Level::Plain, "/load NAME loads one of them"),
            }
            self.end(true);
        }
    }

    fn load_progress(&mut self, done: u64, total: u64) {
        let id = if self.is(Kind::Load) { self.id() } else { 0 };
        self.console.push(ToConsole::Progress { id, what: Work::Loading, done, total });
        if id != 0 {
            self.patience.start(SILENCE);
        }
    }

    /// The vocabulary region is about to change: nothing that was derived from it stays.
    fn release(&mut self) {
        if self.generation.is_some() {
            self.fail("the model is taken away: the answer ends here");
        }
        if self.drop_job() {
            self.say_aside(
                Level::Warning,
                "learning ended: the model is taken away. What was learnt before is kept",
            );
        }
        self.forget_adapter();
        self.model.language = None;
        self.model.sealed = None;
        self.supervisor.push(ToSupervisor::VocabularyReleased);
    }

    fn ready(&mut self, sealed: Sealed, name: Name, hash: [u8; 8]) {
        self.model.language = None;
        match Language::open(self.vocabulary, &sealed) {
            Ok(language) => self.use_model(language, sealed, name, hash),
            Err(why) => self.unusable(&name, &why),
        }
    }

    fn use_model(&mut self, language: Language, sealed: Sealed, name: Name, hash: [u8; 8]) {
        let changed = self.model.talked_with.replace(hash).is_some_and(|before| before != hash);
        let unknown = language.unknown.clone();
        let loaded = format!(
            "{} is loaded: {}, {}",
            text(name.as_slice()),
            language.description(),
            self.model.origin()
        );
        self.model.last_good = Some(name.clone());
        (self.model.name, self.model.hash, self.model.sealed) = (name, hash, Some(sealed));
        (self.model.language, self.model.absent) = (Some(language), false);
        if self.is(Kind::Load) {
            self.say(Level::Plain, &loaded);
        }
        if changed && !self.conversation.turns().is_empty() {
            self.conversation.clear();
            self.warned = false;
            self.say(Level::Warning, "another model: the conversation begins anew; the system prompt stays");
        }
        if let Some(why) = unknown {
            self.say(Level::Warning, &format!("{why}; /set template NAME chooses one"));
        }
        self.tell_model();
        if self.is(Kind::Load) {
            self.end(true);
        }
    }

    /// The model is in place, but session cannot read its vocabulary: back to the last one that worked.
    fn unusable(&mut self, name: &Name, why: &str) {
        let shown = text(name.as_slice());
        let back = self.model.last_good.take().filter(|last| last != name);
        match back {
            Some(last) => {
                let why = format!("{shown} cannot be used: {why}. Loading {} again", text(last.as_slice()));
                self.say(Level::Error, &why);
                self.supervisor.push(ToSupervisor::Load { name: last });
                self.end(false);
            }
            None => {
                self.say(Level::Error, &format!("{shown} cannot be used: {why}"));
                self.lose_model(why.into());
            }
        }
    }

    fn no_model(&mut self, why: String) {
        if self.is(Kind::Unload) && why.is_empty() {
            self.say(Level::Plain, "the model is unloaded");
        } else if !why.is_empty() && (!self.model.absent || self.model.why != why) {
            self.say(Level::Error, &why);
        }
        let asked = self.is(Kind::Unload);
        self.lose_model(why);
        if asked {
            self.end(true);
        }
    }

    /// There is no model any more; a load under way has failed.
    fn lose_model(&mut self, why: String) {
        if self.generation.is_some() {
            self.fail("the model is gone: the answer ends here");
        }
        self.model.language = None;
        (self.model.sealed, self.model.absent, self.model.why) = (None, true, why);
        self.tell_model();
        if self.is(Kind::Load) {
            self.end(false);
        }
    }

    fn load_failed(&mut self, why: &str, kept: bool) {
        let rest = if kept { "; the model before it stays" } else { "" };
        self.say(Level::Error, &format!("the model could not be loaded: {why}{rest}"));
        match kept {
            true if self.is(Kind::Load) => self.end(false),
            true => {}
            false => self.lose_model(why.into()),
        }
    }
}

/// Whether the supervisor works on requests of this kind.
fn is_supervisors(kind: Kind) -> bool {
    matches!(kind, Kind::Models | Kind::Load | Kind::Unload)
}
