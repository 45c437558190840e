//! `docs/containment.md`: what was seen, as tables.

use super::cases::{FAULTS, GUARDIAN};
use super::cell::Record;
use super::matrix::PDS;
use super::recovery::{Death, describe};
use super::rig::MODEL;
use crate::{bench, shell};
use anyhow::Result;
use std::fmt::Write;
use std::time::Duration;

/// Writes the page.
///
/// # Errors
/// When it cannot be written.
pub fn write(records: &[Record], deaths: &[Death], took: Duration) -> Result<()> {
    let mut page = String::from(INTRODUCTION);
    writeln!(
        page,
        "Machine: `{}`. Model: `{MODEL}.gguf`. The matrix took {:.0} s.\n",
        bench::machine()?,
        took.as_secs_f64()
    )?;
    overview(&mut page, records)?;
    for pd in PDS {
        details(&mut page, pd, records)?;
    }
    recovery(&mut page, deaths)?;
    page += LIMITS;
    let path = shell::root().join("docs/containment.md");
    std::fs::write(&path, page)?;
    println!("{}", path.display());
    Ok(())
}

fn find<'a>(records: &'a [Record], pd: &str, fault: &str) -> Option<&'a Record> {
    records.iter().find(|record| record.pd == pd && record.fault == fault)
}

fn overview(page: &mut String, records: &[Record]) -> Result<()> {
    let contained = records.iter().filter(|record| record.broken.is_empty()).count();
    writeln!(page, "## The matrix\n\n{contained} of {} cells are contained.", records.len())?;
    if let Some(worst) = records
        .iter()
        .filter(|record| record.pd != "console")
        .filter_map(|record| record.echo)
        .max_by_key(|echo| echo.net())
    {
        writeln!(
            page,
            "The slowest echo outside of the console's own faults took {} ({} of it the host's).",
            ms(worst.took),
            ms(worst.stalled)
        )?;
    }
    writeln!(
        page,
        "A cell gives the time until everything was healthy again, and the slowest echo meanwhile.\n"
    )?;
    writeln!(page, "| fault | {} |\n|---|{}", PDS.join(" | "), "---|".repeat(PDS.len()))?;
    for fault in FAULTS {
        let cells = PDS.iter().map(|pd| find(records, pd, fault.name()).map_or("not run".into(), cell));
        writeln!(page, "| {} | {} |", fault.name(), cells.collect::<Vec<_>>().join(" | "))?;
    }
    writeln!(page)?;
    Ok(())
}

fn cell(record: &Record) -> String {
    if !record.broken.is_empty() {
        return "**not contained**".into();
    }
    let healed = match record.healed {
        _ if record.pd == GUARDIAN => "goes on without it".into(),
        Some(time) => seconds(time),
        None => "-".into(),
    };
    format!("{healed}; {}", record.echo.map_or("-".into(), |echo| ms(echo.took)))
}

fn details(page: &mut String, pd: &str, records: &[Record]) -> Result<()> {
    writeln!(
        page,
        "### {pd}\n\n| fault | what the console says of it | told after | restarts | what is lost | afterwards |\n|---|---|---|---|---|---|"
    )?;
    for record in FAULTS.iter().filter_map(|fault| find(records, pd, fault.name())) {
        let remark = if record.remark.is_empty() { String::new() } else { format!(" ({})", record.remark) };
        let said = if record.reported.is_empty() { "nothing" } else { &record.reported };
        let told = record.found.map_or("-".into(), seconds);
        let after = match record.broken.is_empty() {
            true => "the golden text".into(),
            false => format!("**{}**", record.broken.join("; ").replace(['\n', '|'], " ")),
        };
        writeln!(
            page,
            "| {}{remark} | {said} | {told} | {} | {} | {after} |",
            record.fault, record.restarts, record.consequence
        )?;
    }
    writeln!(page)?;
    Ok(())
}

fn recovery(page: &mut String, deaths: &[Death]) -> Result<()> {
    writeln!(page, "{RECOVERY}")?;
    for death in deaths {
        writeln!(page, "- {}", describe(death))?;
    }
    let mut times: Vec<Duration> = deaths.iter().filter_map(|death| death.back).collect();
    times.sort();
    if let Some(median) = times.get(times.len() / 2) {
        writeln!(page, "\nMedian of the time from the fault to the next text: {}.\n", ms(*median))?;
    }
    Ok(())
}

fn ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

const INTRODUCTION: &str = "# Containment

What becomes of the system when one of its parts fails: every kind of fault, in every protection domain (PD), each tried in QEMU.
This page is written by `cargo xtask bench containment`; `cargo xtask test \"containment\"` runs the same and fails on a cell that is not contained.

How a cell is run: the PDs are built with the runtime's feature `fault-injection` (no release program has it; a test looks). Each has a page of orders,
which is written from outside, through the file that QEMU keeps the machine's RAM in. Keys are typed at the console all the while, about thirty in a second.
A cell is **contained** when

- every key was echoed within 100 ms (host time, less the time in which the host gave the emulator no processor), except while the console itself is restarted;
- the console names the PD and the cause, and the PD is restarted by itself;
- afterwards `status` finds it healthy, and the model answers a prompt with the golden text, token for token.

";

const RECOVERY: &str = "## Killed in the middle of an answer

Compute reads address 0 after so many tokens of an answer have been handed to session. The greedy text must equal the golden text, whatever the moment.
The time runs from the fault to the next text at the console; of a worker on another core the moment is not chosen by token.
";

const LIMITS: &str = "## What this does not show

- **The guardian** is trusted: nobody restarts it. Without it everything else goes on; only the supervisor would no longer be restarted.
- **A PD that lies about its heartbeat** is not found by the watchdog. It can burn the time that its priority gives it, and no more than its own links and regions.
- **Garbage** is written once. A program that notices that its own side of a link is not what it wrote ends itself and is restarted; one that was taken over
  would not notice, and then its peers distrust the link, and say so, until a person restarts it.
- **Faults of the hardware**, and of the kernel.
";
