//! The event loop: links, faults, time.
//!
//! One design rule: every event does everything there is to do, so a lost or merged signal costs at most one tick.
//! The supervisor makes no protected call: the timer could fault inside it, and nobody could restart the timer.

use crate::children::{COMPUTE, CONSOLE, COUNT, LOADER, RETRIEVER, SESSION, TIMER_CHANNEL};
use crate::estate::{Estate, now_ms, tick};
use crate::fault::{Cause, Fault};
use crate::means::Means;
use crate::model::{Event, Model};
use crate::post::{News, PER_TURN};
use crate::ward::Condition;
use crate::watch::Finding;
use core::convert::Infallible;
use ipc_pd::{Channel, ChannelSet, Child, Handler, MessageInfo, clock, health};

/// Said when everything is stopped; scripts wait for it.
pub const STOPPED: &str = "The system has stopped. You may switch it off.";

/// Children that answer are asked for a heartbeat so often.
const PING_MS: u64 = 1_000;

/// The parent of all other PDs.
pub struct Supervisor {
    pub(crate) estate: Estate,
    pub(crate) model: Model,
    /// The next row of `status` to tell.
    pub(crate) status: Option<usize>,
    /// When the timer was last asked for a tick.
    asked: u64,
    /// When the children were last looked at.
    watched: u64,
    pinged_ms: u64,
    /// The user has left: nothing is started any more.
    pub(crate) closed: bool,
}

impl Supervisor {
    /// Starts the links, the watchdog, and the first load; after a restart takes over what runs.
    pub fn new(means: Means) -> Self {
        TIMER_CHANNEL.notify();
        let mut estate = Estate::new(means);
        let model = match health::starts() {
            0 | 1 => Model::at_boot(now_ms()),
            _ => {
                estate.take_over();
                Model::after_restart(now_ms())
            }
        };
        Self {
            estate,
            model,
            status: None,
            asked: clock::ticks(),
            watched: clock::ticks(),
            pinged_ms: now_ms(),
            closed: false,
        }
    }

    /// The model's life cycle, for tests and displays.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What has become of a child; `None`: the system description has no such child.
    pub fn condition(&self, child: usize) -> Option<Condition> {
        self.estate.wards.get(child)?.as_ref().map(|ward| ward.condition())
    }

    fn turn(&mut self) {
        if self.closed {
            return self.estate.flush();
        }
        self.hear();
        self.estate.keep_account();
        self.watch();
        self.estate.restart_due();
        self.estate.push_event(Event::Tick);
        self.tell_model();
        self.tell_status();
        if !self.estate.chronicle.turn() {
            self.estate.fail(RETRIEVER, Cause::Protocol);
        }
        self.estate.flush();
    }

    fn tell_model(&mut self) {
        while let Some(event) = self.estate.next_event() {
            self.model.on(event, &mut self.estate);
        }
    }

    // ---- links ----

    fn hear(&mut self) {
        self.hear_console();
        self.hear_session();
        self.hear_compute();
        self.hear_loader();
    }

    fn hear_console(&mut self) {
        for _ in 0..PER_TURN {
            match self.estate.console.next() {
                News::Nothing => return,
                News::Started => self.status = None,
                News::Message(message) => self.command(message),
                News::Misbehaved => return self.estate.fail(CONSOLE, Cause::Protocol),
            }
        }
    }

    fn hear_session(&mut self) {
        for _ in 0..PER_TURN {
            let event = match self.estate.session.next() {
                News::Nothing => return,
                News::Started => {
                    self.estate.session.forget();
                    Event::SessionStarted
                }
                News::Message(message) => Event::Session(message),
                News::Misbehaved => return self.estate.fail(SESSION, Cause::Protocol),
            };
            self.model_on(event);
        }
    }

    fn hear_compute(&mut self) {
        for _ in 0..PER_TURN {
            let event = match self.estate.compute.next() {
                News::Nothing => return,
                News::Started => {
                    self.estate.compute.forget();
                    Event::ComputeStarted
                }
                News::Message(message) => Event::Compute(message),
                News::Misbehaved => return self.estate.fail(COMPUTE, Cause::Protocol),
            };
            self.model_on(event);
        }
    }

    fn hear_loader(&mut self) {
        for _ in 0..PER_TURN {
            let event = match self.estate.loader.next() {
                News::Nothing => return,
                News::Started => {
                    self.estate.loader.forget();
                    Event::LoaderStarted
                }
                News::Message(message) => Event::Loader(message),
                News::Misbehaved => return self.estate.fail(LOADER, Cause::Protocol),
            };
            self.model_on(event);
        }
    }

    /// In the order in which things happened: failures found so far come first.
    fn model_on(&mut self, event: Event) {
        self.tell_model();
        self.model.on(event, &mut self.estate);
    }

    // ---- the watchdog ----

    /// At most once a tick: a child that floods its link wakes us so often that another one, which does the work that
    /// this makes, would never be seen to make progress, and would excuse the first.
    fn watch(&mut self) {
        let now = clock::ticks();
        if now.saturating_sub(self.watched) < tick() {
            return;
        }
        self.watched = now;
        let ping = now_ms().saturating_sub(self.pinged_ms) >= PING_MS;
        if ping {
            self.pinged_ms = now_ms();
        }
        if now.saturating_sub(self.asked) > 4 * tick() {
            self.ask_for_tick();
        }
        let mut held = 0u64;
        for index in 0..COUNT {
            if let Some(cause) = self.look(index, now, ping, &mut held) {
                self.estate.fail(index, cause);
            }
        }
        self.estate.look_at_guardian(now);
    }

    /// Looks at one child, in order of priority: one that is at work excuses all below it on its core (`held`).
    fn look(&mut self, index: usize, now: u64, ping: bool, held: &mut u64) -> Option<Cause> {
        let ward = self.estate.wards[index].as_mut()?;
        let core = 1 << (ward.facts().core & 63);
        let finding = ward.look(now);
        if *held & core != 0 {
            ward.hold();
            return None;
        }
        if ping {
            ward.ping(now);
        }
        let millis = |ticks| clock::to_micros(ticks) / 1000;
        match finding {
            Finding::Well => None,
            Finding::Working => {
                *held |= core;
                None
            }
            Finding::Hung(quiet) => {
                *held |= core;
                Some(Cause::Hung(millis(quiet)))
            }
            Finding::Silent(quiet) => Some(Cause::Silent(millis(quiet))),
        }
    }

    fn ask_for_tick(&mut self) {
        self.asked = clock::ticks();
        TIMER_CHANNEL.notify();
    }
}

impl Handler for Supervisor {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(TIMER_CHANNEL) {
            self.ask_for_tick();
        }
        self.turn();
        Ok(())
    }

    /// Nobody calls the supervisor; the answer says so.
    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(MessageInfo::new(1, 0))
    }

    fn fault(&mut self, child: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let fault = Fault::received(message).located(child);
        if usize::from(child.id()) < COUNT {
            self.estate.fail(usize::from(child.id()), Cause::Fault(fault));
        }
        self.turn();
        Ok(None)
    }
}
