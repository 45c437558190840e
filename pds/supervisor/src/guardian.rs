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
const PATIENCE_MS: u64 = 2_000;

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
    gone: bool,
}

impl Pulse {
    /// For how long it has not changed: when that is longer than `patience`, and was not said yet.
    fn look(&mut self, heartbeat: u64, now: u64, patience: u64) -> Option<u64> {
        let before = self.heartbeat.replace(heartbeat);
        if before != Some(heartbeat) {
            (self.since, self.gone) = (before.map(|_| now), false);
            return None;
        }
        let quiet = now.saturating_sub(self.since?);
        let found = quiet > patience && !self.gone;
        self.gone |= found;
        found.then_some(quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::Pulse;

    #[test]
    fn the_end_of_a_heartbeat_is_said_once_and_its_return_is_seen() {
        let mut pulse = Pulse::default();
        assert_eq!(
            [(7, 0), (8, 10), (8, 110), (8, 111), (8, 112)].map(|(beat, now)| pulse.look(beat, now, 100)),
            [None, None, None, Some(101), None]
        );
        assert!(pulse.gone);
        assert_eq!(pulse.look(9, 113, 100), None);
        assert!(!pulse.gone);
        assert_eq!(pulse.look(9, 300, 100), Some(187));
    }

    #[test]
    fn what_was_never_seen_to_live_is_not_said_to_have_died() {
        let mut pulse = Pulse::default();
        assert_eq!((pulse.look(3, 0, 100), pulse.look(3, 1_000, 100)), (None, None));
    }
}
