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
use crate::ledger::{self, Ledger, Remark};
use crate::model::{Event, Run, World};
use crate::post::{Post, Regions};
use crate::report;
use crate::text::piece;
use crate::ward::{Condition, Facts, Ward};
use crate::watch::CpuMeter;
use heapless::Deque;
use ipc_pd::{Child, clock};
use ipc_protocol::console_supervisor as console;
use ipc_protocol::platform::Platform;
use ipc_protocol::signing::{Identity, Signed};
use ipc_protocol::supervisor_loader::Newest;
use ipc_protocol::{Piece, event, session_supervisor as session, supervisor_compute as compute};
use ipc_protocol::{supervisor_loader as loader, timer};
use memory_region::Readable;

/// What the system description gives the supervisor; `None` where it has no such thing.
pub struct Means {
    /// The platform page.
    pub platform: Option<&'static [u8]>,
    /// The guardian's health page: why this PD was restarted.
    pub guardian: Option<Readable<'static>>,
    /// Health pages in the order of [`CHILDREN`]; a child without one, or one that the platform page does not
    /// name, does not exist.
    pub health: [Option<Readable<'static>>; COUNT],
    /// The link to console.
    pub console: Option<Regions>,
    /// The link to session.
    pub session: Option<Regions>,
    /// The link to compute.
    pub compute: Option<Regions>,
    /// The link to loader.
    pub loader: Option<Regions>,
    /// The link to retriever.
    pub retriever: Option<Regions>,
    /// The link to storage, and what goes to and comes from the disk.
    pub ledger: ledger::Means,
}

/// The supervisor's own row of `status`.
pub(crate) struct Own {
    pub(crate) memory: u64,
    pub(crate) guardian: Option<Readable<'static>>,
    pub(crate) meter: CpuMeter,
}

/// See the module's documentation.
pub struct Estate {
    pub(crate) own: Own,
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

fn wards(means: &Means, platform: &Platform) -> [Option<Ward>; COUNT] {
    core::array::from_fn(|index| {
        let policy = &CHILDREN[index];
        let known = platform.pds.iter().find(|pd| pd.name.as_slice() == policy.name.as_bytes());
        let facts = known
            .map_or(Facts { core: policy.core, memory: 0 }, |pd| Facts { core: pd.core, memory: pd.memory });
        // With fewer cores a description may still map health pages of workers that it no longer has.
        let exists = known.is_some() || platform.pds.is_empty();
        let page = means.health[index].filter(|_| exists)?;
        Some(Ward::new(policy, Child::new(index as u8), page, facts))
    })
}

impl Estate {
    /// Starts the links.
    pub fn new(mut means: Means) -> Self {
        let platform = means.platform.and_then(Platform::decode).unwrap_or_default();
        let mut chronicle = Chronicle::new(means.retriever.take(), RETRIEVER_CHANNEL);
        chronicle.add(event::Event::Booted { version: platform.version.clone() });
        let own = platform.pds.iter().find(|pd| pd.name.as_slice() == b"supervisor");
        Self {
            own: Own {
                memory: own.map_or(0, |own| own.memory),
                guardian: means.guardian,
                meter: CpuMeter::default(),
            },
            wards: wards(&means, &platform),
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
        report::own_failure(&mut self.console, &self.own);
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
    fn interrupt_trainer(&mut self) {
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

impl World for Estate {
    fn now_ms(&self) -> u64 {
        now_ms()
    }
    fn compute(&mut self, message: compute::ToCompute) {
        self.compute.send(message);
    }
    fn session(&mut self, message: session::ToSession) {
        self.session.send(message);
    }
    fn offer_session(&mut self, message: &session::ToSession) -> bool {
        self.session.offer(message)
    }
    fn loader(&mut self, message: loader::ToLoader) {
        self.loader.send(message);
    }
    fn run_loader(&mut self) -> Run {
        self.interrupt_trainer();
        let Some(ward) = &mut self.wards[LOADER] else { return Run::Lost };
        match ward.condition() {
            Condition::Running => Run::Resumed,
            Condition::Stopped { fresh: false } => {
                ward.resume(clock::ticks());
                Run::Resumed
            }
            Condition::Stopped { fresh: true } if ward.restart(clock::ticks()) => Run::Starting,
            Condition::Restarting { .. } => Run::Starting,
            Condition::Stopped { .. } | Condition::Faulted => Run::Lost,
        }
    }
    fn stop_loader(&mut self) {
        let Some(ward) = &mut self.wards[LOADER] else { return };
        match ward.condition() {
            Condition::Running => ward.halt(Condition::Stopped { fresh: false }),
            Condition::Restarting { .. } => ward.halt(Condition::Stopped { fresh: true }),
            Condition::Stopped { .. } | Condition::Faulted => (),
        }
        self.loader.forget();
    }
    fn replace(&mut self, child: usize) {
        if self.wards[child].is_none() {
            return self.tell_model(child, true);
        }
        self.fail(child, Cause::Late);
    }
    fn newest(&mut self, identity: &Identity) -> Option<Newest> {
        self.ledger.newest(identity)
    }
    fn accept(&mut self, signed: &Signed) {
        self.ledger.accept(signed);
    }
    fn notice(&mut self, line: Piece) {
        self.say(line);
    }
    fn remember(&mut self, event: event::Event) {
        self.chronicle.add(event);
    }
}
