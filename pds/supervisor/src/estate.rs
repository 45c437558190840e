//! Everything that the supervisor acts upon: its children and the links to six of them.
//!
//! One design rule: a failure of a child is handled here once, whoever found it, and told to the model's life cycle
//! as an event that is handled later, so that nothing calls itself.

use crate::children::{
    CHILDREN, COMPUTE, COMPUTE_CHANNEL, CONSOLE, CONSOLE_CHANNEL, COUNT, LOADER, LOADER_CHANNEL, RETRIEVER,
    RETRIEVER_CHANNEL, SESSION, SESSION_CHANNEL, STORAGE, TIMER, TIMER_CHANNEL, TRAINER, group,
};
use crate::chronicle::{self, Chronicle};
use crate::fault::Cause;
use crate::guardian::Guardian;
use crate::ledger::{Ledger, Remark};
use crate::means::Means;
use crate::model::Event;
use crate::post::Post;
use crate::report;
use crate::text::piece;
use crate::ward::{Condition, Ward};
use crate::watch::CpuMeter;
use heapless::Deque;
use ipc_pd::clock;
use ipc_protocol::console_supervisor as console;
use ipc_protocol::platform::Platform;
use ipc_protocol::{Piece, event, session_supervisor as session, supervisor_compute as compute};
use ipc_protocol::{supervisor_loader as loader, timer};

/// The supervisor's own row of `status`.
pub(crate) struct Own {
    pub(crate) memory: u64,
    pub(crate) meter: CpuMeter,
}

/// See the module's documentation.
pub struct Estate {
    pub(crate) own: Own,
    pub(crate) guardian: Guardian,
    pub(crate) wards: [Option<Ward>; COUNT],
    pub(crate) console: Post<console::ToConsole, console::ToSupervisor, 24>,
    pub(crate) session: Post<session::ToSession, session::ToSupervisor, 8>,
    pub(crate) compute: Post<compute::ToCompute, compute::ToSupervisor, 8>,
    pub(crate) loader: Post<loader::ToLoader, loader::ToSupervisor, 4>,
    pub(crate) chronicle: Chronicle,
    pub(crate) ledger: Ledger,
    events: Deque<Event, 16>,
}

/// Milliseconds of the counter.
pub(crate) fn now_ms() -> u64 {
    clock::to_micros(clock::ticks()) / 1000
}

impl Estate {
    /// Starts the links.
    pub fn new(mut means: Means) -> Self {
        let platform = means.platform.and_then(Platform::decode).unwrap_or_default();
        let mut chronicle = Chronicle::new(means.retriever.take(), RETRIEVER_CHANNEL);
        chronicle.add(event::Event::Booted { version: platform.version.clone() });
        let own = platform.pds.iter().find(|pd| pd.name.as_slice() == b"supervisor");
        Self {
            own: Own { memory: own.map_or(0, |own| own.memory), meter: CpuMeter::default() },
            guardian: Guardian::new(means.guardian, &platform),
            wards: means.wards(&platform),
            console: Post::start(means.console, CONSOLE_CHANNEL),
            session: Post::start(means.session, SESSION_CHANNEL),
            compute: Post::start(means.compute, COMPUTE_CHANNEL),
            loader: Post::start(means.loader, LOADER_CHANNEL),
            chronicle,
            ledger: Ledger::new(means.ledger),
            events: Deque::new(),
        }
    }

    /// After a restart of this PD nothing is known of its children: the loader is stopped before anything else, and
    /// compute begins afresh, so that neither does what nobody remembers having allowed. The others go on.
    pub(crate) fn take_over(&mut self) {
        self.halt(LOADER, Condition::Stopped { fresh: true });
        for member in group(COMPUTE) {
            self.halt(member, Condition::Restarting { at_ms: 0 });
        }
        if let Some(cause) = self.guardian.cause() {
            report::own_failure(&mut self.console, cause);
        }
    }

    /// The next event for the model's life cycle.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Queues an event. There are fewer children than room, and each fails once a turn.
    pub(crate) fn push_event(&mut self, event: Event) {
        let _ = self.events.push_back(event);
    }

    pub(crate) fn say(&mut self, line: Piece) {
        self.console.send(console::ToConsole::Notice { text: line });
    }

    /// A child failed: it is stopped, with its group; reported; and restarted, now or later.
    pub(crate) fn fail(&mut self, index: usize, cause: Cause) {
        let immediately = index == TIMER || !self.timer_runs();
        let Some(ward) = self.wards[index].as_mut().filter(|ward| ward.condition() == Condition::Running)
        else {
            return;
        };
        let now = now_ms();
        let mut outcome = ward.fail(now, matches!(cause, Cause::Hung(_) | Cause::Silent(_)));
        if immediately && outcome != Condition::Faulted {
            outcome = Condition::Restarting { at_ms: now };
        }
        self.chronicle.add(chronicle::failure(ward.policy().name, cause));
        // First stopped, then reported: the console hears of its own fault when it has started again.
        for member in group(index) {
            self.halt(member, outcome);
        }
        if let Some(ward) = &self.wards[index] {
            report::failure(&mut self.console, ward, cause, outcome);
        }
        self.tell_model(index, outcome == Condition::Faulted);
    }

    /// Says that the guardian does not run any more, when that is so.
    pub(crate) fn look_at_guardian(&mut self, now: u64) {
        if let Some(cause) = self.guardian.look(now).map(Cause::Silent) {
            self.chronicle.add(chronicle::failure("guardian", cause));
            report::no_guardian(&mut self.console, cause);
        }
    }

    /// Stops a child that runs or is about to.
    pub(crate) fn halt(&mut self, index: usize, condition: Condition) {
        match index {
            CONSOLE => self.console.peer_is_gone(),
            SESSION => self.session.peer_is_gone(),
            COMPUTE => self.compute.peer_is_gone(),
            LOADER => self.loader.peer_is_gone(),
            RETRIEVER => self.chronicle.peer_is_gone(),
            STORAGE => self.ledger.peer_is_gone(),
            _ => (),
        }
        if let Some(ward) = &mut self.wards[index] {
            ward.halt(condition);
        }
    }

    /// Tells the life cycle that a child is stopped, for now or for good.
    pub(crate) fn tell_model(&mut self, index: usize, lost: bool) {
        let event = match (index, lost) {
            (COMPUTE, false) => Event::ComputeFailed,
            (COMPUTE, true) => Event::ComputeLost,
            (SESSION, _) => Event::SessionFailed,
            (LOADER, false) => Event::LoaderFailed,
            (LOADER, true) => Event::LoaderLost,
            _ => return,
        };
        self.push_event(event);
    }

    /// The weights are about to change: a trainer that works with them begins afresh, and a fresh one reads nothing
    /// until session names a model again. One that waits reads nothing either.
    pub(crate) fn interrupt_trainer(&mut self) {
        if self.wards[TRAINER].as_ref().is_some_and(Ward::is_at_work) {
            self.halt(TRAINER, Condition::Restarting { at_ms: now_ms() });
        }
    }

    fn timer_runs(&self) -> bool {
        self.wards[TIMER].as_ref().is_some_and(|ward| ward.condition() == Condition::Running)
    }

    /// Restarts what is due; workers before their leader.
    pub(crate) fn restart_due(&mut self) {
        let now = now_ms();
        for index in (0..COUNT).rev() {
            let condition = self.wards[index].as_ref().map(Ward::condition);
            if let Some(Condition::Restarting { at_ms }) = condition
                && at_ms <= now
            {
                self.restart(index);
            }
        }
    }

    /// Restarts one child with fresh data; the life cycle hears of it when its link comes up.
    pub(crate) fn restart(&mut self, index: usize) -> bool {
        let Some(ward) = &mut self.wards[index] else { return false };
        let started = ward.restart(clock::ticks());
        if !started {
            report::no_restart(&mut self.console, ward.policy());
            self.tell_model(index, true);
        }
        if started && index <= COMPUTE {
            let pd = chronicle::name(CHILDREN[index].name);
            self.chronicle.add(event::Event::Restarted { pd });
        }
        if started && index == TIMER {
            self.timer_restarted();
        }
        started
    }

    /// Whoever was calling the timer calls again; whoever waits for a time asks for it again when it is signalled.
    fn timer_restarted(&mut self) {
        TIMER_CHANNEL.notify();
        let now = clock::ticks();
        for ward in self.wards.iter_mut().skip(TIMER + 1).flatten() {
            ward.repeat_call(now);
            ward.wake();
        }
    }

    /// Reads and writes the account of versions.
    pub(crate) fn keep_account(&mut self) {
        match self.ledger.turn() {
            None => (),
            Some(Remark::Misbehaved) => self.fail(STORAGE, Cause::Protocol),
            Some(Remark::Damaged) => self.say(piece!(
                "the account of model versions on the disk is damaged: it begins anew, older versions are not known"
            )),
            Some(Remark::NotWritten) => self.say(piece!(
                "the model's version could not be noted on the disk: after a power cycle an older one would be taken"
            )),
        }
    }

    pub(crate) fn flush(&mut self) {
        self.session.flush();
        self.compute.flush();
        self.loader.flush();
        self.console.flush();
        let dropped = self.console.take_dropped();
        if dropped > 0 {
            self.say(piece!(
                "{dropped} messages of the supervisor were dropped: the console did not take them"
            ));
        }
    }
}

/// The tick of the watchdog in ticks of the counter.
pub(crate) fn tick() -> u64 {
    clock::from_micros(timer::TICK_MICROS)
}
