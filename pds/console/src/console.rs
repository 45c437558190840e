// SPDX-License-Identifier: MIT
//! The console's state and its one loop: terminal, supervisor, session, until nothing moves any more.

use crate::ask::Asking;
use crate::banner::Banner;
use crate::editor::{Editor, Event};
use crate::figures::Totals;
use crate::keys::Keys;
use crate::mode::{Mode, Request};
use crate::outbox::{Outbox, fits};
use crate::printable::Stream;
use crate::terminal::{Screen, Terminal};
use crate::{SUPERVISOR, SessionLink, SupervisorLink, TIMER, UART, help, say};
use core::convert::Infallible;
use ipc_link::Patience;
use ipc_pd::{Channel, ChannelSet, Handler, clock, health};
use ipc_protocol::console_session::ToSession;
use ipc_protocol::console_supervisor::ToSupervisor;

/// Bytes of typing kept while a request is under way.
pub const TYPE_AHEAD: usize = 1024;
/// Longest line of a server that is shown in one piece.
const NOTICE: usize = 2048;
/// Output room that one key may need: a line of tabs, drawn anew.
const KEY_ROOM: usize = 17 * 1024;
/// Output room that one message may need, all of it escaped.
pub(crate) const MESSAGE_ROOM: usize = 4 * NOTICE + 1024;
/// Seconds that session may be silent while it works. It speaks up every 30 s itself.
pub(crate) const SESSION_SILENCE: u64 = 45;
/// Seconds for what should take no time: the supervisor's answers, a stop, a peer that is not up.
pub(crate) const SHORT_SILENCE: u64 = 5;
const INTERRUPT: u8 = 3;

/// The console PD.
pub struct Console<T> {
    pub(crate) screen: Screen<T>,
    pub(crate) editor: Editor,
    keys: Keys,
    typed: heapless::Deque<u8, TYPE_AHEAD>,
    typed_lost: u32,
    pub(crate) session: Peer<SessionLink>,
    pub(crate) supervisor: Peer<SupervisorLink>,
    pub(crate) outbox: Outbox,
    pub(crate) to_supervisor: heapless::Deque<ToSupervisor, 4>,
    pub(crate) patience: Patience,
    pub(crate) platform: Option<&'static [u8]>,
    pub(crate) mode: Mode,
    pub(crate) stream: Stream,
    /// Percentage on the screen, while a progress line is shown.
    pub(crate) progress: Option<u64>,
    pub(crate) notice: heapless::Vec<u8, NOTICE>,
    pub(crate) totals: Totals,
    pub(crate) verbose: bool,
    pub(crate) banner: Banner,
    pub(crate) rows: u32,
    /// The request under way is `/clear`.
    pub(crate) clearing: bool,
    pub(crate) asking: Asking,
    next_id: u32,
}

/// A link and whether its peer was ever there.
pub(crate) struct Peer<L> {
    pub link: L,
    pub known: bool,
    /// It broke the protocol: nothing more is believed until it restarts.
    pub broken: bool,
}

impl<T: Terminal> Console<T> {
    /// A console that has not yet said anything. `timer` is the channel to the timer, `platform` the platform page.
    pub fn new(
        terminal: T,
        session: SessionLink,
        supervisor: SupervisorLink,
        timer: Channel,
        platform: Option<&'static [u8]>,
    ) -> Self {
        let mut console = Self {
            screen: Screen::new(terminal),
            editor: Editor::default(),
            keys: Keys::default(),
            typed: heapless::Deque::new(),
            typed_lost: 0,
            session: Peer { link: session, known: false, broken: false },
            supervisor: Peer { link: supervisor, known: false, broken: false },
            outbox: Outbox::default(),
            to_supervisor: heapless::Deque::new(),
            patience: Patience::new(timer),
            platform,
            mode: Mode::Starting,
            stream: Stream::default(),
            progress: None,
            notice: heapless::Vec::new(),
            totals: Totals::default(),
            verbose: false,
            banner: Banner::default(),
            rows: 0,
            clearing: false,
            asking: Asking::default(),
            next_id: 1,
        };
        console.greet();
        console.patience.start(SHORT_SILENCE);
        console.step();
        console
    }

    /// The terminal.
    pub fn terminal(&mut self) -> &mut T {
        self.screen.terminal()
    }

    fn step(&mut self) {
        loop {
            let mut moved = self.screen.flush();
            moved |= self.read_terminal();
            moved |= self.hear_supervisor();
            moved |= self.hear_session();
            moved |= self.act_on_keys();
            moved |= self.send();
            if !moved {
                break;
            }
            health::beat();
        }
        health::gauge(health::QUEUE, self.session.link.waiting() + self.supervisor.link.waiting());
    }

    /// Takes what was typed. While a request is under way only Ctrl-C counts at once; the rest is kept.
    fn read_terminal(&mut self) -> bool {
        let (mut bytes, busy) = ([0; 64], self.mode != Mode::Editing);
        let room = TYPE_AHEAD - self.typed.len();
        let limit = if busy { bytes.len() } else { room.min(bytes.len()) };
        let count = self.screen.terminal().read(&mut bytes[..limit]).min(limit);
        for byte in &bytes[..count] {
            if self.typed.push_back(*byte).is_err() {
                self.typed_lost = self.typed_lost.saturating_add(u32::from(*byte != INTERRUPT));
                self.interrupt_if(*byte == INTERRUPT);
            }
        }
        if busy && !self.typed.is_empty() {
            self.find_interrupt();
        }
        count > 0
    }

    /// Takes a Ctrl-C out of what was typed ahead, and acts on it.
    fn find_interrupt(&mut self) {
        let found = self.typed.iter().any(|byte| *byte == INTERRUPT);
        for _ in 0..if found { self.typed.len() } else { 0 } {
            if let Some(byte) = self.typed.pop_front().filter(|byte| *byte != INTERRUPT) {
                self.typed.push_back(byte).ok();
            }
        }
        self.interrupt_if(found);
    }

    fn interrupt_if(&mut self, wanted: bool) {
        if let (true, Mode::Session(request)) = (wanted, self.mode) {
            self.cancel(request);
        }
    }

    /// Ctrl-C: the first one asks session to stop, the second one does not wait for it.
    fn cancel(&mut self, request: Request) {
        if request.cancelled {
            self.finish_progress();
            say!(
                self.screen,
                "\nsession has not confirmed that it stopped; its answer is not shown any more\n"
            );
            return self.prompt();
        }
        self.outbox.stop_text();
        self.outbox.push(ToSession::Cancel { id: request.id });
        self.mode = Mode::Session(Request { cancelled: true, ..request });
        self.patience.start(SHORT_SILENCE);
        if self.progress.is_none() {
            self.stream.write(&mut self.screen, b"^C", self.editor.columns());
        }
    }

    fn act_on_keys(&mut self) -> bool {
        let mut moved = false;
        while self.mode == Mode::Editing && self.screen.room() >= KEY_ROOM {
            let Some(byte) = self.typed.pop_front() else { break };
            moved = true;
            for key in self.keys.push(byte) {
                match self.editor.key(key, &mut self.screen) {
                    None => {}
                    Some(event) => self.event(event),
                }
            }
        }
        moved
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Submit => return self.submit(),
            Event::EndOfInput => {
                say!(self.screen, "\n");
                return self.leave();
            }
            Event::InterruptedEmpty | Event::Dropped if self.asking.is_pending() => {
                return self.drop_proposal();
            }
            Event::InterruptedEmpty => say!(self.screen, "{}", help::HOW_TO_LEAVE),
            Event::Dropped => {}
        }
        self.editor.begin(&mut self.screen);
    }

    fn send(&mut self) -> bool {
        let mut sent = false;
        while let Some(message) = self.to_supervisor.front() {
            if !fits(self.supervisor.link.send(message)).unwrap_or(true) {
                break;
            }
            self.to_supervisor.pop_front();
            sent = true;
        }
        match self.outbox.send(&mut self.session.link, self.editor.draft.text()) {
            Ok(moved) => sent | moved,
            Err(_) => {
                self.outbox.clear();
                sent
            }
        }
    }

    /// A number for the next request.
    pub(crate) fn next_id(&mut self) -> u32 {
        self.next_id = self.next_id.wrapping_add(1).max(1);
        self.next_id
    }

    /// Gives the user the prompt.
    pub(crate) fn prompt(&mut self) {
        self.finish_progress();
        self.patience.stop();
        self.outbox.stop_text();
        let lost = core::mem::take(&mut self.typed_lost) + self.screen.terminal().take_lost();
        if lost > 0 {
            say!(
                self.screen,
                "warning: {lost} typed byte(s) were lost: more came than the console could keep\n"
            );
        }
        self.mode = Mode::Editing;
        self.editor.begin(&mut self.screen);
    }

    /// The user wants the conversation forgotten: so does the console, once session has confirmed it.
    pub(crate) fn forget(&mut self) {
        self.editor.forget();
        crate::scrub::queue(&mut self.typed);
        crate::scrub::bytes(&mut self.notice);
        self.screen.scrub();
        ipc_pd::scrub_stack();
    }

    /// Erases the progress line.
    pub(crate) fn finish_progress(&mut self) {
        if self.progress.take().is_some() {
            say!(self.screen, "\r\x1b[K");
        }
    }

    /// Shows something that nobody asked for, wherever the cursor stands, and restores what was there.
    pub(crate) fn announce(&mut self, write: impl FnOnce(&mut Screen<T>)) {
        let editing = self.mode == Mode::Editing;
        self.finish_progress();
        if editing {
            self.editor.hide(&mut self.screen);
        } else if !self.stream.at_line_start() {
            say!(self.screen, "\n");
            self.stream.begin();
        }
        write(&mut self.screen);
        if editing {
            self.editor.redraw(&mut self.screen);
        }
    }

    /// A peer broke the protocol: the user is told once, and does not wait for it.
    pub(crate) fn distrust(&mut self, peer: &str) {
        self.announce(|screen| {
            say!(
                *screen,
                "error: {peer} broke the protocol; nothing it says is believed until /restart {peer}\n"
            );
        });
        let waiting = match self.mode {
            Mode::Session(_) => peer == "session",
            Mode::Status | Mode::Control => peer == "supervisor",
            _ => false,
        };
        if waiting {
            self.prompt();
        }
    }

    /// Nothing came for too long.
    fn silence(&mut self) {
        match self.mode {
            Mode::Editing => {}
            Mode::Starting => self.finish_start(),
            Mode::Session(request) => self.give_up(request),
            Mode::Status | Mode::Control => {
                say!(self.screen, "supervisor has not answered for {SHORT_SILENCE} s: it may be faulted; ");
                say!(self.screen, "chat goes on, but nothing can be restarted\n");
                self.prompt();
            }
            Mode::Leaving => {
                say!(self.screen, "supervisor does not answer: the machine can be switched off now\n");
            }
        }
    }

    fn give_up(&mut self, request: Request) {
        self.announce(|_| {});
        match (request.cancelled, self.session.known) {
            (true, _) => say!(self.screen, "session has not confirmed that it stopped"),
            (_, true) => say!(self.screen, "session has not answered for {SESSION_SILENCE} s: given up"),
            (_, false) => say!(self.screen, "session is not running"),
        }
        say!(self.screen, "; /status shows the servers, /restart session starts it anew\n");
        self.outbox.push(ToSession::Cancel { id: request.id });
        self.prompt();
    }

    /// The current request, if `id` is it.
    pub(crate) fn current(&self, id: u32) -> Option<Request> {
        match self.mode {
            Mode::Session(request) if request.id == id => Some(request),
            _ => None,
        }
    }

    /// Begins to wait for session.
    pub(crate) fn wait_for_session(&mut self, id: u32) {
        self.mode = Mode::Session(Request { id, since: clock::ticks(), cancelled: false });
        self.stream.begin();
        self.patience.start(if self.session.known { SESSION_SILENCE } else { SHORT_SILENCE });
    }
}

impl<T: Terminal> Handler for Console<T> {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        let interrupted = channels.contains(UART);
        if interrupted {
            self.screen.terminal().interrupt();
        }
        // The supervisor signals after it restarted the timer, which then has forgotten us.
        let timer = channels.contains(TIMER) || channels.contains(SUPERVISOR);
        if self.patience.is_over(timer) {
            self.silence();
        }
        self.step();
        if interrupted {
            UART.irq_ack();
        }
        Ok(())
    }
}
