//! The watchdog's view of one child: is it making progress, and how much of its core does it use?
//!
//! One design rule: the health page is the child's own word. A child that lies in it deceives the watchdog about
//! itself, and nobody else.

use core::sync::atomic::Ordering::Relaxed;
use ipc_pd::health;
use memory_region::Readable;

/// What the health page says, copied out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Address to restart at; 0 when the child never started.
    pub entry: u64,
    /// Events and steps so far.
    pub heartbeat: u64,
    /// When the event in work began; 0 when the child waits.
    pub busy_since: u64,
    /// Ticks spent in complete events.
    pub busy_ticks: u64,
}

impl Sample {
    /// Copies the words out of a health page.
    pub fn of(page: &Readable) -> Self {
        Self {
            entry: page.load(health::ENTRY, Relaxed),
            heartbeat: page.load(health::HEARTBEAT, Relaxed),
            busy_since: page.load(health::BUSY_SINCE, Relaxed),
            busy_ticks: page.load(health::BUSY_TICKS, Relaxed),
        }
    }

    /// Whether the child works on an event.
    pub fn is_busy(&self) -> bool {
        self.busy_since != 0
    }

    fn spent(&self, now: u64) -> u64 {
        let current = if self.is_busy() { now.saturating_sub(self.busy_since) } else { 0 };
        self.busy_ticks.wrapping_add(current)
    }
}

/// What the watchdog found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Waiting for work, or working and alive.
    Well,
    /// At work without a heartbeat, but within its patience: it may be what keeps others from running.
    Working,
    /// At work without a heartbeat for this many ticks.
    Hung(u64),
    /// No heartbeat for this many ticks after it was asked for one.
    Silent(u64),
}

/// Progress of one child.
#[derive(Debug, Default)]
pub struct Watch {
    last: Sample,
    since: u64,
    asked: Option<u64>,
    looked: u64,
    /// Between the last two looks.
    interval: u64,
}

impl Watch {
    /// Starts afresh: the child was just started, or could not run until now.
    pub fn excuse(&mut self, now: u64) {
        self.since = now;
        self.asked = None;
    }

    /// Since the look before this one the child could not run: that time does not count.
    pub fn hold(&mut self) {
        let later = |then: u64| then.saturating_add(self.interval).min(self.looked);
        (self.since, self.asked) = (later(self.since), self.asked.map(later));
    }

    /// Notes that the child was asked for a heartbeat, unless an earlier question is still open.
    pub fn ask(&mut self, now: u64) {
        self.asked.get_or_insert(now);
    }

    /// Compares `sample` with the one before it.
    pub fn look(&mut self, sample: Sample, now: u64, patience: u64) -> Finding {
        if (sample.heartbeat, sample.busy_since) != (self.last.heartbeat, self.last.busy_since) {
            self.excuse(now);
        }
        self.last = sample;
        (self.interval, self.looked) = (now.saturating_sub(self.looked), now);
        if sample.is_busy() {
            self.asked = None;
            return match now.saturating_sub(self.since) {
                quiet if quiet > patience => Finding::Hung(quiet),
                0 => Finding::Well,
                _ => Finding::Working,
            };
        }
        match self.asked.map_or(0, |asked| now.saturating_sub(asked)) {
            quiet if quiet > patience => Finding::Silent(quiet),
            _ => Finding::Well,
        }
    }
}

/// The share of a core between two questions.
#[derive(Debug, Default)]
pub struct CpuMeter {
    spent: u64,
    at: u64,
}

impl CpuMeter {
    /// The child was stopped for so long in the middle of an event, which will count as time at work when it ends.
    pub fn stopped(&mut self, ticks: u64) {
        self.spent = self.spent.saturating_add(ticks);
    }

    /// The child is stopped: it does not work.
    pub fn idle(&mut self, now: u64) -> u16 {
        self.at = now;
        0
    }

    /// Thousandths of the time since the last question that the child was at work; time in which a PD of higher
    /// priority ran instead counts too.
    pub fn permille(&mut self, sample: &Sample, now: u64) -> u16 {
        let spent = sample.spent(now);
        let (work, time) = (spent.saturating_sub(self.spent), now.saturating_sub(self.at).max(1));
        (self.spent, self.at) = (spent, now);
        (u128::from(work) * 1000 / u128::from(time)).min(1000) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: u64 = 100;

    fn busy(heartbeat: u64) -> Sample {
        Sample { entry: 1, heartbeat, busy_since: 10, busy_ticks: 0 }
    }

    #[test]
    fn an_endless_loop_is_found_after_the_patience_and_not_before() {
        let mut watch = Watch::default();
        assert_eq!(watch.look(busy(1), 10, PATIENCE), Finding::Well);
        assert_eq!(watch.look(busy(1), 110, PATIENCE), Finding::Working);
        assert_eq!(watch.look(busy(1), 111, PATIENCE), Finding::Hung(101));
    }

    #[test]
    fn a_long_event_with_heartbeats_is_well() {
        let mut watch = Watch::default();
        for step in 0..50 {
            assert_eq!(watch.look(busy(step), step * 90 + 10, PATIENCE), Finding::Well);
        }
    }

    #[test]
    fn time_in_which_a_child_could_not_run_does_not_count_and_no_more_than_that_is_forgiven() {
        let mut watch = Watch::default();
        watch.look(busy(1), 10, PATIENCE);
        for (now, found) in [(60, Finding::Working), (100, Finding::Working), (150, Finding::Working)] {
            assert_eq!(watch.look(busy(1), now, PATIENCE), found);
            if now == 100 {
                watch.hold();
            }
        }
        assert_eq!(watch.look(busy(1), 151, PATIENCE), Finding::Hung(101));
    }

    #[test]
    fn a_child_that_no_longer_answers_is_found() {
        let idle = Sample { entry: 1, heartbeat: 7, ..Sample::default() };
        let mut watch = Watch::default();
        assert_eq!(watch.look(idle, 1000, PATIENCE), Finding::Well);
        watch.ask(1000);
        watch.ask(1090);
        assert_eq!(watch.look(idle, 1101, PATIENCE), Finding::Silent(101));
        assert_eq!(watch.look(Sample { heartbeat: 8, ..idle }, 1102, PATIENCE), Finding::Well);
    }

    #[test]
    fn a_waiting_child_is_never_hung() {
        let mut watch = Watch::default();
        let idle = Sample { entry: 1, heartbeat: 7, ..Sample::default() };
        assert_eq!(watch.look(idle, 1, PATIENCE), Finding::Well);
        assert_eq!(watch.look(idle, 1_000_000, PATIENCE), Finding::Well);
    }

    #[test]
    fn cpu_share_counts_the_event_in_work_and_lies_stay_within_bounds() {
        let mut meter = CpuMeter::default();
        let sample = Sample { entry: 1, heartbeat: 1, busy_since: 700, busy_ticks: 200 };
        assert_eq!(meter.permille(&sample, 1000), 500);
        meter.stopped(500);
        assert_eq!(meter.idle(1500), 0);
        assert_eq!(
            meter.permille(&Sample { busy_since: 0, busy_ticks: 1000, ..sample }, 1500),
            0,
            "was stopped"
        );
        let lie = Sample { busy_ticks: u64::MAX, busy_since: 1, ..sample };
        assert!(meter.permille(&lie, 1501) <= 1000);
    }
}
