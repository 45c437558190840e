//! All cells, on two machines at a time.

use super::cases::{FAULTS, Fault, GUARDIAN};
use super::cell::Record;
use super::rig::{Bed, Rig};
use super::{recovery, report};
use crate::build::{self, Purpose};
use crate::options::{Kernel, tested};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// A name, the cores of the machine, and PDs.
type Shard = (&'static str, u8, &'static [&'static str]);

/// One machine: its cores, and the PDs that fail on it, so that both take about as long.
const SHARDS: [Shard; 2] = [
    ("one-core", 1, &["timer", "console", "storage", "session", "loader", "supervisor", "guardian"]),
    ("two-cores", 2, &["compute", "compute_1", "retriever", "trainer"]),
];

/// The same on the official kernel, which runs on one core or on four. Emulated, four are too slow to time anything.
const OFFICIAL_SHARDS: [Shard; 2] = [
    ("sel4-devices", 1, &["timer", "console", "storage", "session", "loader"]),
    ("sel4-others", 1, &["compute", "retriever", "trainer", "supervisor", "guardian"]),
];

fn shards(kernel: Kernel) -> &'static [Shard] {
    match kernel {
        Kernel::Cloister => &SHARDS,
        Kernel::Sel4 => &OFFICIAL_SHARDS,
    }
}

/// Every PD, in the order of the page.
pub const PDS: [&str; 11] = [
    "console",
    "session",
    "compute",
    "compute_1",
    "storage",
    "loader",
    "retriever",
    "trainer",
    "timer",
    "supervisor",
    "guardian",
];

/// Runs the matrix; fails on a cell that is not contained.
///
/// # Errors
/// Names every such cell.
pub fn test() -> Result<()> {
    only_on_order()?;
    let records = run(Kernel::Cloister, "")?;
    let broken: Vec<_> = records.iter().filter(|record| !record.broken.is_empty()).map(describe).collect();
    ensure!(broken.is_empty(), "{} cells are not contained:\n{}", broken.len(), broken.join("\n"));
    Ok(())
}

/// Runs the cells whose `PD/fault` contains `filter`, and prints them. Without a filter: all of them, and the deaths in
/// the middle of an answer, and writes the page of this kernel and board.
///
/// # Errors
/// When a machine does not come up.
pub fn bench(kernel: Kernel, filter: &str) -> Result<()> {
    let start = Instant::now();
    let records = run(kernel, filter)?;
    let took = start.elapsed();
    for record in &records {
        println!("{}", describe(record));
    }
    if !filter.is_empty() {
        return Ok(());
    }
    report::write(report::page(kernel, tested()), &records, &recovery::run(kernel)?, took)
}

fn run(kernel: Kernel, filter: &str) -> Result<Vec<Record>> {
    let wanted = |pd: &&str| FAULTS.iter().any(|fault| format!("{pd}/{}", fault.name()).contains(filter));
    let shards = shards(kernel).iter().filter(|(_, _, pds)| pds.iter().any(&wanted));
    let beds: Result<Vec<_>> =
        shards.map(|(name, smp, pds)| Ok((Bed::new(kernel, *smp, name)?, *pds))).collect();
    let beds = beds?;
    std::thread::scope(|scope| {
        let runs: Vec<_> = beds.iter().map(|(bed, pds)| scope.spawn(|| shard(bed, pds, filter))).collect();
        let mut records = Vec::new();
        for run in runs {
            records.extend(run.join().map_err(|_| anyhow::anyhow!("a shard panicked"))?);
        }
        Ok(records)
    })
}

/// No release program can be told to fail: the variable that the orders' address is written to is not in it.
fn only_on_order() -> Result<()> {
    for purpose in [Purpose::Faults, Purpose::Release] {
        build::programs(purpose, tested().isa)?;
        for program in build::PROGRAMS {
            let elf = purpose.folder(tested().isa).join(format!("{}.elf", program.name));
            let has_orders = memchr::memmem::find(&std::fs::read(&elf)?, b"fault_orders").is_some();
            ensure!(
                has_orders == (purpose == Purpose::Faults),
                "{}: fault_orders is there: {has_orders}",
                elf.display()
            );
        }
    }
    eprintln!("ok: no release program takes orders to fail");
    Ok(())
}

/// All cells of one machine. A machine that a cell has broken is started again.
fn shard(bed: &Bed, pds: &[&str], filter: &str) -> Vec<Record> {
    let (mut records, mut rig) = (Vec::new(), None);
    let mut pace = Pace::default();
    for fault in FAULTS {
        for pd in pds.iter().filter(|pd| format!("{pd}/{}", fault.name()).contains(filter)) {
            if rig.is_none() {
                pace = Pace::default();
            }
            pace.wait(pd);
            let start = Instant::now();
            let record = match rig.take().map_or_else(|| bed.start(), Ok) {
                Ok(mut machine) => {
                    let record = one(&mut machine, pd, fault);
                    rig = (record.broken.is_empty() && *pd != GUARDIAN).then_some(machine);
                    record
                }
                Err(error) => broken(pd, fault, format!("{error:#}")),
            };
            eprintln!("{} ({:.1} s)", describe(&record), start.elapsed().as_secs_f64());
            records.push(record);
        }
    }
    records
}

/// Faults of one machine: the supervisor gives a PD up that fails too often, which is not what a cell is to show.
#[derive(Default)]
struct Pace(Vec<(String, Instant)>);

impl Pace {
    /// A PD may fail so often in [`Pace::WINDOW`]; the supervisor gives up at the sixth time in a minute.
    const MOST: usize = 4;
    const WINDOW: Duration = Duration::from_secs(62);

    /// Waits until `pd` may fail once more.
    fn wait(&mut self, pd: &str) {
        let times: Vec<_> = self.0.iter().filter(|(name, _)| name == pd).map(|(_, at)| *at).collect();
        if let Some(at) = times.len().checked_sub(Self::MOST).map(|first| times[first]) {
            std::thread::sleep((at + Self::WINDOW).saturating_duration_since(Instant::now()));
        }
        self.0.push((pd.to_owned(), Instant::now()));
    }
}

/// A cell that cannot be run to its end is broken: the machine's last words say why.
fn one(rig: &mut Rig<'_>, pd: &str, fault: Fault) -> Record {
    rig.cell(pd, fault).unwrap_or_else(|error| {
        let text = rig.terminal.since(0);
        let tail = text.ceil_char_boundary(text.len().saturating_sub(1500));
        broken(pd, fault, format!("{error:#}; the end of the transcript:\n{}", &text[tail..]))
    })
}

fn broken(pd: &str, fault: Fault, why: String) -> Record {
    Record { pd: pd.into(), fault: fault.name(), broken: vec![why], ..Record::default() }
}

fn describe(record: &Record) -> String {
    let verdict = if record.broken.is_empty() { "contained" } else { "BROKEN" };
    let echo = record.echo.map_or("-".into(), |echo| {
        format!("{:.1} ms (net {:.1})", echo.took.as_secs_f64() * 1e3, echo.net().as_secs_f64() * 1e3)
    });
    let seconds = |time: Option<std::time::Duration>| {
        time.map_or("-".into(), |time| format!("{:.1} s", time.as_secs_f64()))
    };
    format!(
        "{verdict}: {}/{}: echo {echo}, found {}, healthy {}, restarts {}, `{}` `{}` {}",
        record.pd,
        record.fault,
        seconds(record.found),
        seconds(record.healed),
        record.restarts,
        record.reported,
        record.consequence,
        record.broken.join("; ")
    )
}
