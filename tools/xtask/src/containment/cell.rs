//! One cell: a fault is ordered, keys are typed all the while, and then everything is asked whether it still works.

use super::cases::{Fault, GUARDIAN};
use super::rig::{MODEL, Rig};
use super::terminal::Echo;
use anyhow::Result;
use std::time::{Duration, Instant};

/// Tokens of the conversation after each fault.
const TOKENS: u32 = 24;
/// Every PD looks for orders at least once a second.
const OBEYED: Duration = Duration::from_secs(8);
/// The watchdog's longest patience is 20 s.
const FOUND: Duration = Duration::from_secs(32);
/// What nobody is told of by then, nobody is told of.
const SHORT: Duration = Duration::from_secs(3);
/// Until everything is as before.
const HEALED: Duration = Duration::from_secs(40);
/// Between two keys.
const PAUSE: Duration = Duration::from_millis(20);

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// In which PD.
    pub pd: String,
    /// The row's name.
    pub fault: &'static str,
    /// See [`Fault::remark`].
    pub remark: &'static str,
    /// The slowest echo while it happened; `None`: nothing could be typed.
    pub echo: Option<Echo>,
    /// Keys that were not echoed.
    pub lost_keys: u32,
    /// What the console said of it.
    pub reported: String,
    /// What it said was lost.
    pub consequence: String,
    /// From the fault to the report.
    pub found: Option<Duration>,
    /// From the fault until the PD was healthy and the prompt was there.
    pub healed: Option<Duration>,
    /// Restarts that it cost.
    pub restarts: u64,
    /// What was said instead of the golden text.
    pub chat: Option<String>,
    /// Why this cell is not contained.
    pub broken: Vec<String>,
}

/// What `status` says of one PD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// For example `idle`.
    pub state: String,
    /// Since boot.
    pub restarts: u64,
}

impl Rig<'_> {
    /// Runs one cell.
    ///
    /// # Errors
    /// When QEMU has ended, or the console does not answer before the fault.
    pub fn cell(&mut self, pd: &str, fault: Fault) -> Result<Record> {
        let mut record =
            Record { pd: pd.into(), fault: fault.name(), remark: fault.remark(pd), ..Record::default() };
        let before = self.row(pd)?.map_or(0, |row| row.restarts);
        self.terminal.settle()?;
        let mark = self.terminal.mark();
        let struck = self.strike(pd, fault, &mut record)?;
        self.await_report(mark, struck, fault, &mut record)?;
        self.await_health(struck, before, &mut record)?;
        record.chat = self.converse(TOKENS)?;
        record.judge(fault);
        Ok(record)
    }

    /// Orders the fault and types until it happens; when that was.
    fn strike(&mut self, pd: &str, fault: Fault, record: &mut Record) -> Result<Instant> {
        let (kind, target) = fault.order(pd);
        let (taken, patience) = (self.taken(pd)?, self.terminal.patience(OBEYED));
        self.order(pd, kind, target, None)?;
        if pd == "loader" {
            self.terminal.running.type_bytes(format!("/load {MODEL}.gguf\r").as_bytes())?;
        }
        while self.taken(pd)? == taken {
            anyhow::ensure!(!patience.left().is_zero(), "{pd} did not obey within {OBEYED:?}");
            match pd {
                // The console waits for the load.
                "loader" => _ = self.terminal.pump(PAUSE)?,
                _ => self.watch_key(record)?,
            }
        }
        let struck = Instant::now();
        if pd == "loader" {
            record.echo = self.terminal.interrupt()?;
        }
        Ok(struck)
    }

    /// Types a key.
    fn watch_key(&mut self, record: &mut Record) -> Result<()> {
        match self.terminal.echo()? {
            Some(echo) if record.echo.is_none_or(|worst| echo.net() > worst.net()) => {
                record.echo = Some(echo)
            }
            Some(_) => {}
            None => record.lost_keys += 1,
        }
        self.terminal.pump(PAUSE)?;
        Ok(())
    }

    fn await_report(
        &mut self,
        mark: usize,
        struck: Instant,
        fault: Fault,
        record: &mut Record,
    ) -> Result<()> {
        let pd = record.pd.clone();
        let limit = if fault == Fault::Garbage { SHORT } else { FOUND };
        let patience = self.terminal.patience(limit);
        while !patience.left().is_zero() && record.reported.is_empty() {
            self.watch_key(record)?;
            if let Some((what, consequence)) = report(&self.terminal.since(mark), &pd) {
                (record.reported, record.consequence) = (what, consequence);
                record.found = Some(struck.elapsed());
            }
        }
        for _ in 0..5 {
            self.watch_key(record)?;
        }
        Ok(())
    }

    fn await_health(&mut self, struck: Instant, before: u64, record: &mut Record) -> Result<()> {
        let pd = record.pd.clone();
        if pd == GUARDIAN {
            return Ok(());
        }
        let patience = self.terminal.patience(HEALED);
        while !patience.left().is_zero() {
            if let Some(row) = self.row(&pd)?
                && ["idle", "busy", "stopped"].contains(&row.state.as_str())
            {
                record.healed = Some(struck.elapsed());
                record.restarts = row.restarts.saturating_sub(before);
                break;
            }
            self.terminal.pump(Duration::from_millis(200))?;
        }
        Ok(())
    }

    /// A PD's row in `status`; `None`: the table did not come, or it is not in it.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn row(&mut self, pd: &str) -> Result<Option<Row>> {
        let table = self.terminal.ask("status", Duration::from_secs(10))?.unwrap_or_default();
        Ok(table.lines().find_map(|line| row(line, pd)))
    }
}

impl Record {
    /// Says what is wrong, if anything is.
    fn judge(&mut self, fault: Fault) {
        let mut broken = Vec::new();
        let slow = self.echo.filter(|echo| echo.net() > Duration::from_millis(100));
        if self.pd != "console" {
            broken.extend(slow.map(|echo| format!("an echo took {:?}", echo.took)));
            broken.extend((self.lost_keys > 0).then(|| format!("{} keys were lost", self.lost_keys)));
        }
        if fault != Fault::Garbage {
            broken.extend(self.reported.is_empty().then(|| "nobody was told".into()));
            broken.extend((self.restarts == 0 && self.pd != GUARDIAN).then(|| "not restarted".into()));
        }
        broken.extend((self.healed.is_none() && self.pd != GUARDIAN).then(|| "not healthy again".into()));
        broken.extend(self.chat.as_ref().map(|said| format!("afterwards the model said {said}")));
        self.broken = broken;
    }
}

fn row(line: &str, pd: &str) -> Option<Row> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, state, _, "%", _, restarts, ..] = words[..] else { return None };
    (name == pd).then(|| Row { state: state.into(), restarts: restarts.parse().unwrap_or(0) })
}

/// What was said of `pd`: the line, and the line behind it.
fn report(text: &str, pd: &str) -> Option<(String, String)> {
    let notices = ["gave no sign of life", "broke the protocol", "did not answer in time", "worked for"];
    let fault = text.find(&format!("fault in {pd}:"));
    let notice = notices.iter().find_map(|words| text.find(&format!("{pd} {words}")));
    let (what, rest) = text[fault.or(notice)?..].split_once('\n')?;
    if fault.is_some() {
        return Some((what.to_owned(), rest.split_once('\n')?.0.trim().to_owned()));
    }
    let (what, consequence) = what.split_once("; ").unwrap_or((what, ""));
    Some((what.to_owned(), consequence.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_status_is_read() {
        let line = "compute_1     idle        0.3 %  1     2         24.1 MiB    0";
        assert_eq!(row(line, "compute_1"), Some(Row { state: "idle".into(), restarts: 2 }));
        assert_eq!(row(line, "compute"), None);
        assert_eq!(row("model: none", "compute"), None);
    }

    #[test]
    fn both_kinds_of_report_are_read() {
        let text = ">>> абв\nfault in compute: memory fault at address 0x0, pc 0x1; restarted\n  kept\n>>> ";
        let (what, lost) = report(text, "compute").unwrap();
        assert!(what.ends_with("restarted") && lost == "kept");
        assert!(report(text, "compute_1").is_none());
        let text = "storage gave no sign of life for 5100 ms and is restarted; reads are repeated\n";
        let (what, lost) = report(text, "storage").unwrap();
        assert!(what.ends_with("restarted") && lost == "reads are repeated");
    }
}
