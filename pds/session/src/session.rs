// SPDX-License-Identifier: MIT
//! The session's state and its one loop: supervisor, console, compute, until nothing moves any more.

use crate::conversation::Conversation;
use crate::learn::Learning;
use crate::library::Library;
use crate::models::Model;
use crate::outbox::Side;
use crate::request::{Generation, Kind, Request};
use crate::settings::Settings;
use crate::{ComputeLink, ConsoleLink, SUPERVISOR, SupervisorLink, TIMER};
use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;
use inference_sampler::Grammar;
use ipc_link::Patience;
use ipc_pd::{Channel, ChannelSet, Handler, health};
use ipc_protocol::console_session::{Level, ToConsole};
use ipc_protocol::{PIECE, Piece, console_session, session_compute, session_supervisor};

/// Seconds of silence of compute, or of a load, after which the user is told.
pub(crate) const SILENCE: u64 = 30;
/// Seconds for what should take no time.
pub(crate) const SHORT_SILENCE: u64 = 10;
/// Seconds for compute to confirm that it stopped.
pub(crate) const STOP_SILENCE: u64 = 4;

/// The session PD.
pub struct Session {
    pub(crate) console: Side<console_session::ToConsole, console_session::ToSession>,
    pub(crate) supervisor: Side<session_supervisor::ToSupervisor, session_supervisor::ToSession>,
    pub(crate) compute: Side<session_compute::ToCompute, session_compute::ToSession>,
    pub(crate) library: Library,
    pub(crate) learning: Learning,
    pub(crate) vocabulary: &'static [u8],
    pub(crate) patience: Patience,
    pub(crate) model: Model,
    pub(crate) conversation: Conversation,
    pub(crate) settings: Settings,
    pub(crate) request: Option<Request>,
    /// Text that is arriving.
    pub(crate) incoming: Vec<u8>,
    pub(crate) generation: Option<Generation>,
    /// The request in English that a command is looked for.
    pub(crate) asked: String,
    /// The grammar of commands, once it was needed.
    pub(crate) grammar: Option<Grammar>,
    /// The cache must be erased, and compute has not yet said that it is.
    pub(crate) erasing: bool,
    /// Whether the user has been told that the context fills up.
    pub(crate) warned: bool,
    next_id: u32,
}

impl Session {
    /// A session without a model. `vocabulary` is the region with the header of a sealed model, `timer` the channel
    /// to the timer.
    pub fn new(
        console: ConsoleLink,
        supervisor: SupervisorLink,
        compute: ComputeLink,
        vocabulary: &'static [u8],
        timer: Channel,
    ) -> Self {
        Self {
            console: Side::new(console),
            supervisor: Side::new(supervisor),
            compute: Side::new(compute),
            library: Library::new(None),
            learning: Learning::default(),
            vocabulary,
            patience: Patience::new(timer),
            model: Model::default(),
            conversation: Conversation::default(),
            settings: Settings::default(),
            request: None,
            incoming: Vec::new(),
            generation: None,
            grammar: None,
            asked: String::new(),
            erasing: false,
            warned: false,
            next_id: 0,
        }
    }

    fn step(&mut self) {
        loop {
            let mut moved = self.console.flush() | self.supervisor.flush() | self.compute.flush();
            moved |= self.hear_supervisor();
            moved |= self.hear_console();
            moved |= self.hear_compute();
            moved |= self.feed_compute();
            moved |= self.hear_retriever() | self.step_learning() | self.flush_retriever();
            if !moved {
                break;
            }
            health::beat();
        }
        let waiting = self.console.waiting() + self.supervisor.waiting() + self.compute.waiting();
        health::gauge(health::QUEUE, waiting);
        health::gauge(1, self.conversation.turns().len() as u64);
    }

    /// A number for the next request to compute.
    pub(crate) fn next_id(&mut self) -> u32 {
        self.next_id = self.next_id.wrapping_add(1).max(1);
        self.next_id
    }

    /// The console's id of the request under way, 0 when there is none.
    pub(crate) fn id(&self) -> u32 {
        self.request.map_or(0, |request| request.id)
    }

    /// Whether the request under way is of this kind.
    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.request.is_some_and(|request| request.kind == kind)
    }

    /// Begins a request.
    pub(crate) fn begin(&mut self, id: u32, kind: Kind) {
        self.request = Some(Request { id, kind, cancelled: false });
    }

    /// Lines for the user, about the request under way or about nothing that was asked.
    pub(crate) fn say(&mut self, level: Level, text: &str) {
        let id = self.id();
        for line in text.lines() {
            for (piece, last) in pieces(line) {
                self.console.push(ToConsole::Notice { id, level, piece, last });
            }
        }
    }

    /// Ends the request under way.
    pub(crate) fn end(&mut self, ok: bool) {
        self.patience.stop();
        if let Some(request) = self.request.take() {
            self.console.push(ToConsole::End { id: request.id, ok });
        }
    }

    /// Ends the request under way with a line that says why it failed.
    pub(crate) fn refuse(&mut self, why: &str) {
        self.say(Level::Error, why);
        self.end(false);
    }

    fn silence(&mut self) {
        let Some(request) = self.request else { return };
        match request.kind {
            Kind::Answer | Kind::Ask | Kind::Benchmark => self.compute_is_silent(request),
            Kind::Clear => {
                self.say(Level::Warning, "compute has not confirmed that its memory is erased; it will do so before it answers again");
                self.end(true);
            }
            Kind::Models | Kind::Load | Kind::Unload => {
                self.refuse("the supervisor does not answer; /status shows the servers. If it loads the model yet, that will be said");
            }
            Kind::Retrieve => self.retriever_is_silent(),
            Kind::Library if self.incoming.is_empty() => self.retriever_is_silent(),
            Kind::Learn => self.refuse(
                "the retriever, or compute, does not answer; what is stored stays. /status shows the servers",
            ),
            Kind::Message | Kind::Asking | Kind::System | Kind::Library => {
                self.refuse("the rest of the text did not arrive")
            }
        }
    }
}

/// A line in pieces that end between characters, the last of them marked; an empty line is one piece.
pub(crate) fn pieces(line: &str) -> impl Iterator<Item = (Piece, bool)> {
    let mut rest = Some(line);
    core::iter::from_fn(move || {
        let text = rest?;
        let cut = (0..=text.len().min(PIECE)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (piece, after) = text.split_at(cut);
        rest = (!after.is_empty()).then_some(after);
        Some((Piece::new(piece.as_bytes()), after.is_empty()))
    })
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Handler for Session {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        // The supervisor signals after it restarted the timer, which then has forgotten us.
        let timer = channels.contains(TIMER) || channels.contains(SUPERVISOR);
        if self.patience.is_over(timer) {
            self.silence();
        }
        self.step();
        Ok(())
    }
}
