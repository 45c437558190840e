//! Compute dies in the middle of an answer: the text goes on, bit for bit, and how long that takes.

use super::rig::{Bed, Rig};
use crate::options::Kernel;
use anyhow::{Context, Result, ensure};
use ipc_injection::Kind;
use ipc_ring::layout::TAIL;
use std::time::{Duration, Instant};

/// Tokens of the answer.
const TOKENS: u32 = 48;
/// Tokens after which compute dies.
const AFTER: [u64; 8] = [0, 1, 2, 3, 5, 13, 30, 47];
const ANSWER: Duration = Duration::from_secs(60);
/// How the last line ends that is said of compute's death, and of a worker's.
const REPORTED: [&str; 2] = ["token(s)\n", "an answer under way goes on\n"];

/// One death.
pub struct Death {
    /// Cores of the machine.
    pub cores: u8,
    /// Who died.
    pub pd: &'static str,
    /// Tokens that had been handed to session; `None`: at any moment of the answer.
    pub after: Option<u64>,
    /// From the fault to the first text behind its report; `None`: nothing was left to say.
    pub back: Option<Duration>,
    /// What came instead of the golden text.
    pub differs: Option<String>,
}

/// Runs all deaths; fails when an answer differs.
///
/// # Errors
/// Names the first such death.
pub fn test() -> Result<()> {
    for death in run(Kernel::Cloister)? {
        ensure!(death.differs.is_none(), "{}", describe(&death));
        eprintln!("ok: {}", describe(&death));
    }
    Ok(())
}

/// All deaths, on one core and, on our kernel, on two. The official one has one or four, and emulated, four are too
/// slow to time anything.
///
/// # Errors
/// When a machine does not come up or compute does not die.
pub fn run(kernel: Kernel) -> Result<Vec<Death>> {
    let machines: &[u8] = if kernel == Kernel::Sel4 { &[1] } else { &[1, 2] };
    let mut deaths = Vec::new();
    for &cores in machines {
        let bed = Bed::new(kernel, cores, &format!("recovery-{cores}"))?;
        let mut rig = bed.start()?;
        for after in AFTER {
            deaths.push(rig.death(cores, "compute", Some(after))?);
            rig.forgive("compute")?;
        }
        for _ in 0..if cores > 1 { 3 } else { 0 } {
            deaths.push(rig.death(cores, "compute_1", None)?);
            rig.forgive("compute_1")?;
        }
    }
    Ok(deaths)
}

/// For people.
pub fn describe(death: &Death) -> String {
    let when =
        death.after.map_or("in the middle of an answer".into(), |after| format!("after token {after}"));
    let back = death.back.map_or("-".into(), |back| format!("{:.0} ms", back.as_secs_f64() * 1e3));
    let text = death
        .differs
        .as_ref()
        .map_or("the golden text".into(), |said| format!("NOT the golden text: {said}"));
    format!("{} dies {when} on {} cores: {text}, back after {back}", death.pd, death.cores)
}

impl Rig<'_> {
    fn death(&mut self, cores: u8, pd: &'static str, after: Option<u64>) -> Result<Death> {
        self.prepare(TOKENS)?;
        let taken = self.taken(pd)?;
        if let Some(after) = after {
            let link = self.mapped("compute", "compute_to_session")?;
            self.order(pd, Kind::Read, 0, Some((link + TAIL as u64 * 8, after)))?;
        }
        let mark = self.terminal.mark();
        self.terminal.running.type_bytes(format!("{}\r", self.prompt()).as_bytes())?;
        if after.is_none() {
            let begun = self.prompt().len() + 40;
            self.terminal.wait(mark, ANSWER, |text| text.len() > begun)?;
            self.order(pd, Kind::Read, 0, None)?;
        }
        let struck = self.await_taken(pd, taken)?;
        let reported = REPORTED[usize::from(pd != "compute")];
        let text_follows = |text: &str| {
            text.split_once(reported)
                .is_some_and(|(_, rest)| rest.contains(char::is_alphabetic) || rest.contains("\n["))
        };
        let came = self.terminal.wait(mark, ANSWER, text_follows)?;
        let back = struck.elapsed();
        let ended = self.terminal.wait(mark, ANSWER, |text| text.ends_with("\n>>> "))?;
        let answer = self.terminal.since(mark);
        ensure!(came && ended, "{pd}: the answer did not go on:\n{answer}");
        let more = answer.split_once(reported).is_some_and(|(_, rest)| !rest.trim_start().starts_with('['));
        Ok(Death { cores, pd, after, back: more.then_some(back), differs: self.differs(&answer) })
    }

    fn await_taken(&mut self, pd: &str, taken: u64) -> Result<Instant> {
        let patience = self.terminal.patience(ANSWER);
        while self.taken(pd)? == taken {
            ensure!(!patience.left().is_zero(), "{pd} did not die:\n{}", self.terminal.since(0));
            self.terminal.pump(Duration::from_millis(1))?;
        }
        Ok(Instant::now())
    }

    /// A PD that has failed five times within a minute would stay stopped.
    fn forgive(&mut self, pd: &str) -> Result<()> {
        self.terminal.ask(&format!("/restart {pd}"), ANSWER)?;
        let patience = self.terminal.patience(ANSWER);
        while self.row(pd)?.is_none_or(|row| row.state != "idle") {
            ensure!(!patience.left().is_zero(), "{pd} did not come back");
        }
        Ok(())
    }

    pub(super) fn mapped(&self, pd: &str, region: &str) -> Result<u64> {
        let system = &self.bed.system;
        let found = system.pd(pd).zip(system.region(region)).and_then(|(pd, region)| {
            system.pds[pd].maps.iter().find(|map| map.region == region).map(|map| map.vaddr)
        });
        found.with_context(|| format!("{pd} does not map {region}"))
    }
}
