//! The real supervisor over simple PDs.

use ipc_protocol::console_supervisor::{Action, State, ToConsole, ToSupervisor};
use ipc_protocol::{Name, session_supervisor};
use std::sync::Arc;
use tests_hosted::parts::alarm::Alarm;
use tests_hosted::parts::simple::{
    ConsoleDesk, DeskConsole, DeskSession, Quiet, SessionDesk, SimpleCompute, SimpleLoader, SimpleTimer,
    Truth,
};
use tests_hosted::{Init, System, description, parts, program};

/// A second of the system's time.
pub const SECOND: u64 = 1_000_000;

/// A supervised system that the test plays console and session of.
pub struct Bench {
    pub system: System,
    pub console: Arc<ConsoleDesk>,
    pub session: Arc<SessionDesk>,
    pub truth: Arc<Truth>,
}

pub fn simple_compute(truth: &Arc<Truth>) -> Init {
    let truth = truth.clone();
    program(move |wiring| SimpleCompute::new(wiring, truth.clone()))
}

pub fn desk_console(desk: &Arc<ConsoleDesk>) -> Init {
    let desk = desk.clone();
    program(move |wiring| DeskConsole::new(wiring, desk.clone()))
}

pub fn desk_session(desk: &Arc<SessionDesk>, truth: &Arc<Truth>) -> Init {
    let (desk, truth) = (desk.clone(), truth.clone());
    program(move |wiring| DeskSession::new(wiring, desk.clone(), truth.clone()))
}

pub fn simple_loader() -> Init {
    program(SimpleLoader::new)
}

impl Bench {
    pub fn new(seed: u64) -> Self {
        let mut system = System::new(description(1, &[]), seed);
        system.start("loader", simple_loader());
        system.start("storage", program(|_| Quiet));
        Self::over(system)
    }

    /// With a loader and a storage of the caller's.
    pub fn over(mut system: System) -> Self {
        let (console, session, truth) = (Arc::default(), Arc::default(), Arc::default());
        let alarm = Arc::new(Alarm::default());
        system.attach("timer", 32, alarm.clone());
        system.start("guardian", parts::guardian());
        system.start("supervisor", parts::supervisor());
        system.start("timer", program(move |_| SimpleTimer::new(alarm.clone())));
        system.start("console", desk_console(&console));
        system.start("session", desk_session(&session, &truth));
        system.start("compute", simple_compute(&truth));
        system.start("retriever", program(|_| Quiet));
        system.start("trainer", program(|_| Quiet));
        Self { system, console, session, truth }
    }

    /// Runs until `done`, checking at each step what must always hold.
    pub fn until(&mut self, micros: u64, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.system.now() + micros;
        while !done(self) {
            if self.system.now() > end || !self.system.step() {
                return done(self);
            }
            assert!(
                !self.truth.is_broken(&self.system),
                "the loader runs while somebody reads\n{}",
                self.system.recent()
            );
        }
        true
    }

    /// As [`Bench::until`], with the guardian's periods.
    pub fn guarded_until(&mut self, micros: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.system.now() + micros;
        while !done(self) && self.system.now() < end {
            self.system.poke("guardian", 0);
            self.until(pds_guardian::PERIOD_MICROS, &done);
        }
        done(self)
    }

    pub fn run(&mut self, micros: u64) {
        self.until(micros, |_| false);
        self.system.assert_no_panic();
    }

    pub fn command(&mut self, command: ToSupervisor) {
        self.console.send(command);
        self.system.poke("console", 2);
    }

    pub fn ask(&mut self, request: session_supervisor::ToSupervisor) {
        self.session.send(request);
        self.system.poke("session", 3);
    }

    pub fn boot(seed: u64) -> Self {
        let mut bench = Self::new(seed);
        assert!(bench.until(5 * SECOND, Self::has_model), "no model after boot\n{}", bench.system.recent());
        bench
    }

    pub fn has_model(&self) -> bool {
        self.session.has(|message| matches!(message, session_supervisor::ToSession::Ready { .. }))
    }

    /// The rows of `status`.
    pub fn status(&mut self) -> Vec<(String, State, u32)> {
        self.console.take();
        self.command(ToSupervisor::Status);
        let told = self.until(10 * SECOND, |bench| bench.console.has(|m| *m == ToConsole::StatusEnd));
        assert!(told, "no answer to status\n{}", self.system.recent());
        let row = |message| match message {
            ToConsole::Pd { name, state, restarts, .. } => Some((name.text().to_owned(), state, restarts)),
            _ => None,
        };
        self.console.take().into_iter().filter_map(row).collect()
    }

    pub fn said(&self, words: &str) -> bool {
        self.console
            .has(|message| matches!(message, ToConsole::Notice { text } if text.text().contains(words)))
    }

    pub fn reported(&self, pd: &str, action: Action) -> bool {
        self.console.has(|message| matches!(message, ToConsole::Fault(report) if report.pd.text() == pd && report.action == action))
    }
}

pub fn named(name: &str) -> Name {
    Name::new(name.as_bytes())
}
