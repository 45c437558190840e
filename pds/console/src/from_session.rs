// SPDX-License-Identifier: MIT
//! What session says.

use crate::banner::Model;
use crate::console::{Console, MESSAGE_ROOM, SESSION_SILENCE};
use crate::figures::{Answer, Bytes};
use crate::mode::Mode;
use crate::terminal::Terminal;
use crate::{printable, say};
use ipc_link::LinkState;
use ipc_pd::clock;
use ipc_protocol::console_session::{Level, ToConsole, Work};

impl<T: Terminal> Console<T> {
    /// Follows the link and takes messages while there is room to show them; whether there were any.
    pub(crate) fn hear_session(&mut self) -> bool {
        if self.session.link.poll() == LinkState::PeerStarted {
            self.session_started();
        }
        let mut moved = false;
        while !self.session.broken && self.screen.room() >= MESSAGE_ROOM {
            match self.session.link.receive() {
                Ok(Some(message)) => self.session_says(message),
                Ok(None) => break,
                Err(_) => {
                    self.session.broken = true;
                    self.distrust("session");
                }
            }
            moved = true;
        }
        moved
    }

    /// The first start is no news; a later one means that the conversation is gone.
    fn session_started(&mut self) {
        self.session.broken = false;
        self.notice.clear();
        self.outbox.clear();
        if !core::mem::replace(&mut self.session.known, true) {
            return;
        }
        self.banner.used = 0;
        self.announce(|screen| {
            say!(
                *screen,
                "session restarted: the conversation, the system prompt and the parameters are lost; "
            );
            say!(*screen, "the model stays\n");
        });
        if let Mode::Session(_) = self.mode {
            self.prompt();
        }
    }

    fn session_says(&mut self, message: ToConsole) {
        if let Mode::Session(request) = self.mode
            && !request.cancelled
        {
            self.patience.start(SESSION_SILENCE);
        }
        match message {
            ToConsole::Model { name, description, context, cache_bytes, workers } => {
                self.model(Model { name, description, context, cache_bytes, workers });
            }
            ToConsole::Answer { id, piece } => self.answer(id, piece.as_slice()),
            ToConsole::Proposal { id, piece, last } => self.proposal(id, piece.as_slice(), last),
            ToConsole::Progress { id, what, done, total } => self.show_progress(id, what, done, total),
            ToConsole::Notice { level, piece, last, .. } => self.notice(level, piece.as_slice(), last),
            ToConsole::Answered { id, stop, cost, used, context } => {
                self.banner.used = used;
                self.answered(id, Answer { stop, cost, used, context, total_us: 0 });
            }
            ToConsole::Retrieval { description } => self.banner.retrieval = Some(description),
            ToConsole::Learning { description } => self.banner.learning = Some(description),
            ToConsole::End { id, .. } => {
                if self.current(id).is_some() {
                    self.end_line();
                    self.show_proposal();
                    self.prompt();
                    if core::mem::take(&mut self.clearing) {
                        self.forget();
                    }
                }
            }
        }
    }

    fn model(&mut self, model: Model) {
        if let Some(since) = self.banner.loading_since.take() {
            self.banner.load_us = clock::to_micros(clock::ticks().saturating_sub(since));
        }
        let changed = self.banner.model.as_ref() != Some(&model);
        self.banner.model = Some(model);
        if changed && self.mode == Mode::Editing {
            self.editor.hide(&mut self.screen);
            self.show_model();
            self.editor.redraw(&mut self.screen);
        }
        self.start_if_complete();
    }

    fn answer(&mut self, id: u32, bytes: &[u8]) {
        if self.current(id).is_none() {
            return;
        }
        self.finish_progress();
        self.stream.write(&mut self.screen, bytes, self.editor.columns());
    }

    /// Ends a line that an answer left open.
    fn end_line(&mut self) {
        self.finish_progress();
        if !self.stream.at_line_start() {
            say!(self.screen, "\n");
            self.stream.begin();
        }
    }

    fn answered(&mut self, id: u32, answer: Answer) {
        let Some(request) = self.current(id) else { return };
        let total_us = clock::to_micros(clock::ticks().saturating_sub(request.since));
        let answer = Answer { total_us, ..answer };
        self.totals.add(&answer.cost);
        self.end_line();
        if self.verbose {
            answer.all(&mut self.screen, self.banner.load_us);
        }
        answer.line(&mut self.screen);
        self.prompt();
    }

    /// One line that is written over itself; nothing while the user types.
    fn show_progress(&mut self, id: u32, what: Work, done: u64, total: u64) {
        if what == Work::Loading {
            self.banner.loading_since.get_or_insert(clock::ticks());
        }
        let starting = self.mode == Mode::Starting;
        if starting {
            self.patience.start(SESSION_SILENCE);
        }
        let percent = (u128::from(done.min(total)) * 100 / u128::from(total.max(1))) as u64;
        let wanted = starting || self.current(id).is_some();
        if !wanted || self.progress == Some(percent) || !self.stream.at_line_start() {
            return;
        }
        self.progress = Some(percent);
        match what {
            Work::Loading => {
                say!(
                    self.screen,
                    "\rloading the model: {percent} % ({} of {})\x1b[K",
                    Bytes(done),
                    Bytes(total)
                )
            }
            Work::Documents => {
                say!(self.screen, "\rtaking in documents: {done} of {total} passages\x1b[K")
            }
            Work::Prompt => {
                say!(self.screen, "\rreading the prompt: {percent} % ({done} of {total} tokens)\x1b[K")
            }
        }
    }

    /// Collects a line of session's and shows it when it is whole, or as long as can be kept.
    fn notice(&mut self, level: Level, piece: &[u8], last: bool) {
        let whole = self.notice.extend_from_slice(piece).is_ok();
        if !last && whole {
            return;
        }
        let line = core::mem::take(&mut self.notice);
        self.announce(|screen| {
            match level {
                Level::Plain => {}
                Level::Warning => say!(*screen, "warning: "),
                Level::Error => say!(*screen, "error: "),
            }
            printable::write(screen, &line);
            say!(*screen, "\n");
        });
        if !whole {
            self.notice.extend_from_slice(piece).ok();
            if last {
                self.notice(level, &[], true);
            }
        }
    }
}
