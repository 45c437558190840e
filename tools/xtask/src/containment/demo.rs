//! A conversation goes on while parts of the system are made to fail, one after the other, for a person to watch.

use super::rig::{Bed, MODEL, Rig};
use crate::options::Kernel;
use anyhow::{Result, ensure};
use ipc_injection::Kind;
use ipc_ring::layout::TAIL;
use std::time::{Duration, Instant};

/// Time to read a line before what it announces happens.
const PACE: Duration = Duration::from_millis(2_500);
const LIMIT: Duration = Duration::from_secs(60);
const TOKENS: u32 = 48;

/// A scene: what is said before it, who fails, and how.
struct Scene {
    says: &'static str,
    pd: &'static str,
    kind: Kind,
    target: u64,
}

/// The weights, where compute may only read them.
const WEIGHTS: u64 = 0x10_0000_0000;

const SCENES: [Scene; 8] = [
    Scene {
        says: "Compute writes into the weights, which it may only read.",
        pd: "compute",
        kind: Kind::Write,
        target: WEIGHTS,
    },
    Scene { says: "The disk driver reads address 0.", pd: "storage", kind: Kind::Read, target: 0 },
    Scene {
        says: "The session, which holds the conversation, executes data.",
        pd: "session",
        kind: Kind::Jump,
        target: super::rig::ORDERS_SEEN,
    },
    Scene {
        says: "The console itself uses up its stack: watch the prompt.",
        pd: "console",
        kind: Kind::Overflow,
        target: 0,
    },
    Scene {
        says: "The timer loops for ever: nothing measures time any more, but the kernel's budgets.",
        pd: "timer",
        kind: Kind::Loop,
        target: 0,
    },
    Scene {
        says: "The console dies silently; the watchdog finds out.",
        pd: "console",
        kind: Kind::Silence,
        target: 0,
    },
    Scene { says: "Session floods its links with messages.", pd: "session", kind: Kind::Flood, target: 0 },
    Scene {
        says: "The supervisor, which restarted all the others, faults.",
        pd: "supervisor",
        kind: Kind::Illegal,
        target: 0,
    },
];

/// Plays everything; fails when a part does not come back, or the model says something else than before.
///
/// # Errors
/// Then, with what went wrong.
pub fn faults(kernel: Kernel) -> Result<()> {
    let bed = Bed::new(kernel, 1, "demo")?;
    narrate(&format!("The system starts, with {MODEL}."));
    let mut rig = bed.start_watched()?;
    let mut times = vec![rig.in_an_answer()?];
    for scene in &SCENES {
        times.push(rig.play(scene)?);
    }
    narrate(
        "Everything that failed, and how long until the part was healthy and the model told the same story again:",
    );
    for (what, time) in times {
        println!("  {:>5.1} s  {what}", time.as_secs_f64());
    }
    rig.terminal.ask("status", LIMIT)?;
    narrate("Nothing was lost that the console did not name.");
    Ok(())
}

fn narrate(text: &str) {
    println!("\n\n\x1b[1m--- {text}\x1b[0m");
    std::thread::sleep(PACE);
}

impl Rig<'_> {
    /// Compute dies after twenty tokens of an answer, which goes on.
    fn in_an_answer(&mut self) -> Result<(String, Duration)> {
        self.prepare(TOKENS)?;
        narrate("First a story; after twenty tokens of it compute reads address 0.");
        let link = self.mapped("compute", "compute_to_session")?;
        self.order("compute", Kind::Read, 0, Some((link + TAIL as u64 * 8, 20)))?;
        let start = Instant::now();
        let prompt = self.prompt().to_owned();
        let answer = self.terminal.ask(&prompt, LIMIT)?.unwrap_or_default();
        ensure!(answer.contains("fault in compute"), "compute did not fault");
        ensure!(self.differs(&answer).is_none(), "the story changed: {answer}");
        narrate("The story is, to the letter, the one that an undisturbed machine tells.");
        Ok(("compute, in the middle of an answer".into(), start.elapsed()))
    }

    fn play(&mut self, scene: &Scene) -> Result<(String, Duration)> {
        let before = self.row(scene.pd)?.map_or(0, |row| row.restarts);
        narrate(scene.says);
        let start = Instant::now();
        self.order(scene.pd, scene.kind, scene.target, None)?;
        loop {
            self.terminal.pump(Duration::from_millis(200))?;
            let row = self.row(scene.pd)?;
            let back =
                row.filter(|row| row.restarts > before && ["idle", "busy"].contains(&row.state.as_str()));
            if back.is_some() {
                break;
            }
            ensure!(start.elapsed() < LIMIT, "{} did not come back", scene.pd);
        }
        let said = self.converse(TOKENS)?;
        ensure!(said.is_none(), "the model says something else: {}", said.unwrap_or_default());
        Ok((format!("{}: {:?}", scene.pd, scene.kind).to_lowercase(), start.elapsed()))
    }
}
