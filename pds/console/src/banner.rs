// SPDX-License-Identifier: MIT
//! What the console knows of the system, and how it introduces itself with it.

use crate::console::{Console, SHORT_SILENCE};
use crate::figures::Bytes;
use crate::mode::Mode;
use crate::terminal::Terminal;
use crate::{help, printable, say};
use ipc_protocol::console_supervisor::{State, ToSupervisor};
use ipc_protocol::platform::Platform;
use ipc_protocol::{Name, Piece};

/// The model, as session described it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    /// File name; empty without a model.
    pub name: Name,
    /// For people.
    pub description: Name,
    /// Tokens.
    pub context: u32,
    /// Bytes of the cache for the whole context.
    pub cache_bytes: u64,
    /// Compute workers.
    pub workers: u32,
}

/// Facts for the banner, `mem` and `version`.
#[derive(Debug, Default)]
pub(crate) struct Banner {
    /// Set when session has spoken.
    pub model: Option<Model>,
    /// What retrieval is like, as session described it last.
    pub retrieval: Option<Piece>,
    /// What learning is like, as session described it last.
    pub learning: Option<Piece>,
    /// Tokens in the context after the last answer.
    pub used: u32,
    /// Tick of the first progress of a load.
    pub loading_since: Option<u64>,
    /// What the last load took.
    pub load_us: u64,
    servers: u32,
    healthy: u32,
    servers_known: bool,
    first_ill: Name,
}

impl Banner {
    /// Counts a server; used before the first prompt.
    pub fn count(&mut self, name: &Name, state: State) {
        self.servers += 1;
        match state {
            State::Idle | State::Busy | State::Stopped => self.healthy += 1,
            _ if self.first_ill.as_slice().is_empty() => self.first_ill = name.clone(),
            _ => {}
        }
    }

    /// All servers were counted.
    pub fn counted(&mut self) {
        self.servers_known = true;
    }

    /// Begins to count again.
    pub fn recount(&mut self) {
        (self.servers, self.healthy, self.servers_known) = (0, 0, false);
        self.first_ill = Name::default();
    }

    fn is_complete(&self) -> bool {
        self.servers_known && self.model.is_some()
    }
}

impl<T: Terminal> Console<T> {
    /// The platform page, decoded anew each time: it is large, and rarely asked for.
    pub(crate) fn platform(&self) -> Option<Platform> {
        Platform::decode(self.platform?)
    }

    /// The first line, before anybody has answered.
    pub(crate) fn greet(&mut self) {
        match self.platform() {
            Some(p) => {
                say!(self.screen, "\nCloister {} on {}, ", p.version.text(), p.board.text());
                say!(self.screen, "kernel {}, {} core(s), RAM {}\n", p.kernel.text(), p.cores, Bytes(p.ram));
            }
            None => say!(self.screen, "\nCloister {}\n", env!("CARGO_PKG_VERSION")),
        }
    }

    /// Asks for what the banner shows.
    pub(crate) fn ask_for_banner(&mut self) {
        if self.mode == Mode::Starting {
            self.banner.recount();
            self.to_supervisor.clear();
            self.to_supervisor.push_back(ToSupervisor::Status).ok();
        }
    }

    /// Shows the banner once everything for it is there.
    pub(crate) fn start_if_complete(&mut self) {
        if self.mode == Mode::Starting && self.banner.is_complete() {
            self.finish_start();
        }
    }

    /// Shows the banner with what is known, and the first prompt.
    pub(crate) fn finish_start(&mut self) {
        self.finish_progress();
        self.show_model();
        self.show_servers();
        say!(self.screen, "{}", help::PLACEHOLDER);
        self.prompt();
    }

    /// One line about the model.
    pub(crate) fn show_model(&mut self) {
        match &self.banner.model {
            None => say!(self.screen, "model: session has not said; it is shown here as soon as it does\n"),
            Some(model) if model.name.as_slice().is_empty() => say!(self.screen, "{}", help::NO_MODEL),
            Some(model) => {
                say!(self.screen, "model: ");
                printable::write(&mut self.screen, model.name.as_slice());
                say!(self.screen, ", ");
                printable::write(&mut self.screen, model.description.as_slice());
                say!(self.screen, ", context {} tokens\n", model.context);
            }
        }
    }

    fn show_servers(&mut self) {
        let Banner { servers, healthy, servers_known, first_ill, .. } = &self.banner;
        match (servers_known, servers == healthy) {
            (false, _) => say!(self.screen, "servers: supervisor did not answer within {SHORT_SILENCE} s\n"),
            (true, true) => say!(self.screen, "servers: {servers} of {servers} healthy\n"),
            (true, false) => {
                say!(self.screen, "servers: {healthy} of {servers} healthy; ill: ");
                printable::write(&mut self.screen, first_ill.as_slice());
                say!(self.screen, " (/status shows all)\n");
            }
        }
    }
}
