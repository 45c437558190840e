//! The guardian as the supervisor sees it: why it restarted this PD, and whether it is still there.
//!
//! One design rule: the guardian is nobody's child, so all that can be done about its end is to say so, once.

use crate::fault::{Cause, Fault};
use crate::text::name;
use crate::watch::{CpuMeter, Sample};
use core::sync::atomic::Ordering::Relaxed;
use ipc_pd::{MessageInfo, clock, health, set_mr};
use ipc_protocol::console_supervisor::{State, ToConsole};
use ipc_protocol::guardian;
use ipc_protocol::platform::Platform;
use memory_region::Readable;

/// Milliseconds without a heartbeat, of which there are ten a second.
const PATIENCE_MS: u64 = 1_000;
/// A machine that stands still while the guardian has the core (an emulator without a processor) costs it its budget for
/// so many times as long: its period by its budget in the system description. The supervisor, which it keeps from
/// running, sees that as a gap between two looks.
const SHARE: u64 = 20;

/// See the module's documentation.
pub(crate) struct Guardian {
    page: Option<Readable<'static>>,
    memory: u64,
    core: u8,
    pulse: Pulse,
    meter: CpuMeter,
}

impl Guardian {
    /// `page`: its health page, where the system description has one.
    pub fn new(page: Option<Readable<'static>>, platform: &Platform) -> Self {
        let facts = platform.pds.iter().find(|pd| pd.name.as_slice() == b"guardian");
        let (memory, core) = facts.map_or((0, 0), |facts| (facts.memory, facts.core));
        Self { page, memory, core, pulse: Pulse::default(), meter: CpuMeter::default() }
    }

    /// Looks at its heartbeat; milliseconds without one, told once.
    pub fn look(&mut self, now: u64) -> Option<u64> {
        let heartbeat = Sample::of(self.page.as_ref()?).heartbeat;
        let quiet = self.pulse.look(heartbeat, now, clock::from_micros(PATIENCE_MS * 1000))?;
        Some(clock::to_micros(quiet) / 1000)
    }

    /// Its row of `status`.
    pub fn row(&mut self, now: u64) -> Option<ToConsole> {
        let sample = Sample::of(self.page.as_ref()?);
        let gone = self.pulse.gone;
        Some(ToConsole::Pd {
            name: name("guardian"),
            state: if gone { State::Faulted } else { State::Idle },
            cpu_permille: if gone { self.meter.idle(now) } else { self.meter.permille(&sample, now) },
            restarts: 0,
            memory: self.memory,
            gauges: [0; 4],
            core: self.core,
        })
    }

    /// How often it has restarted this PD.
    pub fn restarts(&self) -> u32 {
        self.gauge(guardian::COUNT).min(u32::MAX.into()) as u32
    }

    /// Why it did so last; `None`: there is no guardian.
    pub fn cause(&self) -> Option<Cause> {
        self.page.as_ref()?;
        Some(match self.gauge(guardian::CAUSE) {
            guardian::HUNG => Cause::Hung(self.gauge(guardian::WORD)),
            label => {
                for word in 0..guardian::WORDS {
                    set_mr(word, self.gauge(guardian::WORD + word));
                }
                Cause::Fault(Fault::received(MessageInfo::new(label, guardian::WORDS)))
            }
        })
    }

    fn gauge(&self, index: usize) -> u64 {
        self.page.as_ref().map_or(0, |page| page.load(health::GAUGES + index, Relaxed))
    }
}

/// Whether a heartbeat goes on.
#[derive(Debug, Default)]
struct Pulse {
    heartbeat: Option<u64>,
    /// When it changed last; `None`: it has not been seen to change.
    since: Option<u64>,
    looked: u64,
    /// The longest time between two looks since then, and before it.
    gap: u64,
    gone: bool,
}

impl Pulse {
    /// For how long it has not changed: when that is longer than `patience` and what gaps excuse, and was not said yet.
    fn look(&mut self, heartbeat: u64, now: u64, patience: u64) -> Option<u64> {
        let gap = now.saturating_sub(core::mem::replace(&mut self.looked, now));
        let before = self.heartbeat.replace(heartbeat);
        if before != Some(heartbeat) {
            (self.since, self.gap, self.gone) = (before.map(|_| now), gap, false);
            return None;
        }
        self.gap = self.gap.max(gap);
        let quiet = now.saturating_sub(self.since?);
        let found = quiet > self.gap.saturating_mul(SHARE).saturating_add(patience) && !self.gone;
        self.gone |= found;
        found.then_some(quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pulse, SHARE};

    /// What is found when it is looked at every 10 ticks from `from` to `to`, with the tick.
    fn looks(pulse: &mut Pulse, heartbeat: u64, (from, to): (u64, u64)) -> Option<(u64, u64)> {
        let mut moments = (from..to).step_by(10);
        moments.find_map(|now| pulse.look(heartbeat, now, 100).map(|quiet| (now, quiet)))
    }

    #[test]
    fn the_end_of_a_heartbeat_is_said_once_and_its_return_is_seen() {
        let mut pulse = Pulse::default();
        assert_eq!(looks(&mut pulse, 7, (0, 20)), None);
        assert_eq!(looks(&mut pulse, 8, (20, 5_000)), Some((330, 310)));
        assert!(pulse.gone);
        assert_eq!(looks(&mut pulse, 8, (340, 5_000)), None);
        assert_eq!(looks(&mut pulse, 9, (5_000, 5_010)), None);
        assert!(!pulse.gone);
    }

    #[test]
    fn a_machine_that_stood_still_excuses_as_long_as_its_budget_takes() {
        let mut pulse = Pulse::default();
        assert_eq!(looks(&mut pulse, 7, (0, 20)), None);
        // It beats, and then nothing runs for 50 ticks.
        let quiet = 100 + 50 * SHARE + 10;
        assert_eq!(looks(&mut pulse, 8, (60, 20_000)), Some((60 + quiet, quiet)));
    }

    #[test]
    fn what_was_never_seen_to_live_is_not_said_to_have_died() {
        let mut pulse = Pulse::default();
        assert_eq!(looks(&mut pulse, 3, (0, 20_000)), None);
    }
}
