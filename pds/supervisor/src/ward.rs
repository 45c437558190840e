//! One child in the supervisor's care.
//!
//! One design rule: a child is only ever stopped, resumed or restarted here, so that `condition` is the truth.

use crate::children::Policy;
use crate::restarts::Restarts;
use crate::watch::{CpuMeter, Finding, Sample, Watch};
use ipc_pd::{Child, clock, has_notify_channel, health};
use ipc_protocol::console_supervisor::State;
use memory_region::Readable;

/// What the supervisor has made of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It runs.
    Running,
    /// It is stopped and will be restarted at this millisecond.
    Restarting {
        /// Of the counter.
        at_ms: u64,
    },
    /// Stopped on purpose; `fresh`: when it runs again, from the start.
    Stopped {
        /// Whether it cannot go on where it was.
        fresh: bool,
    },
    /// It failed too often, or never told where it starts.
    Faulted,
}

/// Facts from the platform page.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Core that it is pinned to.
    pub core: u8,
    /// Bytes of its own memory.
    pub memory: u64,
}

/// A child with its health page, history and condition.
pub struct Ward {
    policy: &'static Policy,
    child: Child,
    page: Readable<'static>,
    facts: Facts,
    condition: Condition,
    entry: Option<u64>,
    hung: bool,
    /// Tick at which it was last stopped.
    stopped_at: u64,
    watch: Watch,
    meter: CpuMeter,
    restarts: Restarts,
    restarted: u32,
}

impl Ward {
    /// A child that the kernel has started.
    pub fn new(policy: &'static Policy, child: Child, page: Readable<'static>, facts: Facts) -> Self {
        Self {
            policy,
            child,
            page,
            facts,
            condition: Condition::Running,
            entry: None,
            hung: false,
            stopped_at: 0,
            watch: Watch::default(),
            meter: CpuMeter::default(),
            restarts: Restarts::default(),
            restarted: 0,
        }
    }

    /// Its row of the table.
    pub fn policy(&self) -> &'static Policy {
        self.policy
    }

    /// Its core and memory.
    pub fn facts(&self) -> Facts {
        self.facts
    }

    /// Its condition.
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// Restarts since boot.
    pub fn restarted(&self) -> u32 {
        self.restarted
    }

    /// The first entry address that its health page names; later ones are not believed.
    fn entry(&mut self, sample: &Sample) -> Option<u64> {
        self.entry = self.entry.or((sample.entry != 0).then_some(sample.entry));
        self.entry
    }

    /// Looks at the health page of a running child.
    pub fn look(&mut self, now: u64) -> Finding {
        let sample = Sample::of(&self.page);
        self.entry(&sample);
        if self.condition != Condition::Running {
            self.watch.excuse(now);
            return Finding::Well;
        }
        self.watch.look(sample, now, clock::from_micros(u64::from(self.policy.patience_ms) * 1000))
    }

    /// It could not run since the last look: another PD had its core.
    pub fn hold(&mut self) {
        self.watch.hold();
    }

    /// Whether it runs and is in the middle of an event.
    pub fn is_at_work(&self) -> bool {
        self.condition == Condition::Running && Sample::of(&self.page).is_busy()
    }

    /// Asks it for a heartbeat.
    pub fn ping(&mut self, now: u64) {
        if self.wake() {
            self.watch.ask(now);
        }
    }

    /// Signals it, where it runs and can be signalled; says whether that was so.
    pub fn wake(&self) -> bool {
        let wired = self.policy.ping.filter(|channel| has_notify_channel(*channel));
        let awake = wired.filter(|_| self.condition == Condition::Running);
        awake.inspect(|channel| channel.notify()).is_some()
    }

    /// It failed: stops it, and decides whether it is restarted.
    pub fn fail(&mut self, now_ms: u64, hung: bool) -> Condition {
        self.hung = hung;
        let entry = self.entry(&Sample::of(&self.page));
        let delay = entry.and(self.restarts.next(now_ms));
        self.halt(match delay {
            Some(delay) => Condition::Restarting { at_ms: now_ms + delay },
            None => Condition::Faulted,
        });
        self.condition
    }

    /// Stops it. The kernel refuses only a child that does not exist.
    pub fn halt(&mut self, condition: Condition) {
        let _ = self.child.stop();
        self.condition = condition;
        self.stopped_at = clock::ticks();
    }

    /// Lets it go on where it was stopped.
    pub fn resume(&mut self, now: u64) {
        self.watch.excuse(now);
        if Sample::of(&self.page).is_busy() && self.condition != Condition::Running {
            self.meter.stopped(now.saturating_sub(self.stopped_at));
        }
        self.condition = Condition::Running;
        let _ = self.child.resume();
    }

    /// Lets it repeat the system call in which it waits, if it is at work: the PD that it called has restarted and
    /// will not answer. Stopping cancels a call, and a resumed thread makes it again (seL4 `suspend`, `restart`).
    pub fn repeat_call(&mut self, now: u64) {
        if self.condition == Condition::Running && Sample::of(&self.page).is_busy() {
            let _ = self.child.stop();
            self.resume(now);
        }
    }

    /// Starts it with fresh data; says whether that was possible.
    pub fn restart(&mut self, now: u64) -> bool {
        let _ = self.child.stop();
        let entry = self.entry(&Sample::of(&self.page));
        let started = entry.is_some_and(|entry| self.child.restart(entry).is_ok());
        self.condition = if started { Condition::Running } else { Condition::Faulted };
        self.restarted = self.restarted.saturating_add(u32::from(started));
        self.hung = false;
        self.watch.excuse(now);
        started
    }

    /// Forgets its failures: a person asked for a restart.
    pub fn forgive(&mut self) {
        self.restarts.forgive();
    }

    /// What `status` shows.
    pub fn state(&self) -> State {
        match self.condition {
            Condition::Restarting { .. } if self.hung => State::Hung,
            Condition::Restarting { .. } => State::Restarting,
            Condition::Stopped { .. } => State::Stopped,
            Condition::Faulted => State::Faulted,
            Condition::Running if Sample::of(&self.page).is_busy() => State::Busy,
            Condition::Running => State::Idle,
        }
    }

    /// Thousandths of its core since the last question.
    pub fn cpu_permille(&mut self, now: u64) -> u16 {
        match self.condition {
            Condition::Running => self.meter.permille(&Sample::of(&self.page), now),
            _ => self.meter.idle(now),
        }
    }

    /// The first of its own gauges.
    pub fn gauges<const N: usize>(&self) -> [u64; N] {
        core::array::from_fn(|i| self.page.load(health::GAUGES + i, core::sync::atomic::Ordering::Relaxed))
    }

    /// Copies out its last words and gives their length; 0 where it left none.
    pub fn last_words(&self, out: &mut [u8; health::TEXT_BYTES]) -> usize {
        self.page.copy_out(health::TEXT * 8, out);
        out.iter().position(|byte| *byte == 0).unwrap_or(out.len())
    }
}
