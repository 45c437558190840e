//! The UART as a person at it sees it: what came, and how soon a key is echoed.
//!
//! One design rule: figures are the host's time, and beside each stands how long the host made the emulator wait for
//! a processor meanwhile: only the rest is the system's.

use crate::host;
use crate::qemu::{Patience, Running};
use crate::script::plain;
use anyhow::{Context, Result};
use std::io::Write;
use std::time::{Duration, Instant};

/// Keys that no message of the system contains, so that an echo cannot be mistaken.
const KEYS: &str = "бвгдёжзийклмнпрстуфхцчшщъыьэюя";
/// Keys after which the line is emptied.
const LINE: usize = 12;
/// A key that has not been echoed by then is taken for lost.
const LOST: Duration = Duration::from_millis(1_500);

/// How soon a key was echoed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Echo {
    /// From typing to echo.
    pub took: Duration,
    /// Of that: the emulator was ready to run and the host gave it no processor.
    pub stalled: Duration,
}

impl Echo {
    /// The system's share.
    pub fn net(self) -> Duration {
        self.took.saturating_sub(self.stalled)
    }
}

/// See the module's documentation.
pub struct Terminal {
    /// The machine.
    pub running: Running,
    keys: std::iter::Cycle<std::str::Chars<'static>>,
    typed: usize,
    /// Whether a person watches: then everything is shown as it comes.
    pub watched: bool,
}

impl Terminal {
    /// The UART of a machine that was just started.
    pub fn new(running: Running) -> Self {
        Self { running, keys: KEYS.chars().cycle(), typed: 0, watched: false }
    }

    /// Takes in what the machine writes within `limit`; whether something came.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn pump(&mut self, limit: Duration) -> Result<bool> {
        let mark = self.mark();
        let came = self.running.pump(limit)?;
        if self.watched {
            let mut out = std::io::stdout().lock();
            out.write_all(&self.running.transcript[mark..])?;
            out.flush()?;
        }
        Ok(came)
    }

    /// Waiting for something that this machine does.
    pub fn patience(&self, limit: Duration) -> Patience {
        Patience::new(self.running.process(), limit)
    }

    /// A place in the transcript: its end.
    pub fn mark(&self) -> usize {
        self.running.transcript.len()
    }

    /// What came since a mark, without control sequences.
    pub fn since(&self, mark: usize) -> String {
        plain(&String::from_utf8_lossy(&self.running.transcript[mark..]))
    }

    /// Waits until the text since `mark` has what is looked for; whether it came in time.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn wait(&mut self, mark: usize, limit: Duration, is_there: impl Fn(&str) -> bool) -> Result<bool> {
        let patience = self.patience(limit);
        while !is_there(&self.since(mark)) {
            let left = patience.left();
            if left.is_zero() {
                return Ok(false);
            }
            self.pump(left)?;
        }
        Ok(true)
    }

    /// Types a line and waits for a prompt behind it; `None`: none came.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn ask(&mut self, line: &str, limit: Duration) -> Result<Option<String>> {
        self.settle()?;
        let mark = self.mark();
        self.running.type_bytes(line.as_bytes())?;
        self.running.type_bytes(b"\r")?;
        let came = self.wait(mark, limit, |text| text.ends_with("\n>>> "))?;
        Ok(came.then(|| self.since(mark)))
    }

    /// Empties the line and waits until nothing comes any more.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn settle(&mut self) -> Result<()> {
        self.typed = 0;
        self.running.type_bytes(b"\x15")?;
        while self.pump(Duration::from_millis(40))? {}
        Ok(())
    }

    /// Types a key; `None`: it was not echoed.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn echo(&mut self) -> Result<Option<Echo>> {
        if self.typed == LINE {
            self.settle()?;
        }
        self.typed += 1;
        let key = self.keys.next().context("there are keys")?;
        let (mark, stalled, start) = (self.mark(), self.stalled(), Instant::now());
        self.running.type_bytes(key.to_string().as_bytes())?;
        let came = self.wait(mark, LOST, |text| text.contains(key))?;
        let echo = Echo { took: start.elapsed(), stalled: self.stalled().saturating_sub(stalled) };
        Ok(came.then_some(echo))
    }

    /// Leaves a request that does not end, with Ctrl-C; how soon the prompt came. `None`: it did not.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn interrupt(&mut self) -> Result<Option<Echo>> {
        let (mark, stalled, start) = (self.mark(), self.stalled(), Instant::now());
        for _ in 0..20 {
            self.running.type_bytes(b"\x03")?;
            if self.wait(mark, Duration::from_millis(80), |text| text.ends_with(">>> "))? {
                let echo = Echo { took: start.elapsed(), stalled: self.stalled().saturating_sub(stalled) };
                return Ok(Some(echo));
            }
        }
        Ok(None)
    }

    /// How long threads of QEMU and this program have been ready to run without running.
    fn stalled(&self) -> Duration {
        host::all_waits(&self.running.process().to_string()) + host::all_waits("self")
    }
}
