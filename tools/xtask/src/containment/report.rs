//! `docs/containment*.md`: what was seen, as tables; a page for each kernel and board.

use super::cases::{FAULTS, Fault, GUARDIAN};
use super::cell::Record;
use super::matrix::PDS;
use super::recovery::{Death, describe};
use super::rig::MODEL;
use crate::options::Kernel;
use crate::{bench, shell};
use anyhow::Result;
use board_description::{Board, Isa};
use std::fmt::Write;
use std::time::Duration;

/// A page that is written.
pub struct Page {
    path: &'static str,
    introduction: &'static str,
    /// With what the console said of each fault; else of those alone that are not contained.
    whole: bool,
    limits: &'static str,
}

const FIRST: Page =
    Page { path: "docs/containment.md", introduction: INTRODUCTION, whole: true, limits: LIMITS };
const PC: Page = Page { path: "docs/containment-x86_64.md", introduction: ON_PC, whole: false, limits: "" };
const OFFICIAL: Page =
    Page { path: "docs/containment-sel4.md", introduction: ON_SEL4, whole: true, limits: "" };

/// The page of a kernel and a board.
pub fn page(kernel: Kernel, board: &Board) -> &'static Page {
    match (kernel, board.isa) {
        (Kernel::Sel4, _) => &OFFICIAL,
        (Kernel::Cloister, Isa::Aarch64) => &FIRST,
        (Kernel::Cloister, Isa::X86_64) => &PC,
    }
}

/// Writes a page.
///
/// # Errors
/// When it cannot be written.
pub fn write(page: &Page, records: &[Record], deaths: &[Death], took: Duration) -> Result<()> {
    let mut text = matrix(page, records, took)?;
    recovery(&mut text, deaths)?;
    text += page.limits;
    let path = shell::root().join(page.path);
    std::fs::write(&path, text.trim_end().to_owned() + "\n")?;
    println!("{}", path.display());
    Ok(())
}

/// Introduction, machine, and the cells.
fn matrix(page: &Page, records: &[Record], took: Duration) -> Result<String> {
    let mut text = String::from(page.introduction);
    writeln!(
        text,
        "Machine: `{}`. Model: `{MODEL}.gguf`. The matrix took {:.0} s.\n",
        bench::machine()?,
        took.as_secs_f64()
    )?;
    overview(&mut text, records)?;
    for pd in PDS {
        let shown = |record: &&Record| record.pd == pd && (page.whole || !record.broken.is_empty());
        details(&mut text, pd, &records.iter().filter(shown).collect::<Vec<_>>())?;
    }
    Ok(text)
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

fn details(page: &mut String, pd: &str, records: &[&Record]) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "### {pd}\n\n| fault | what the console says of it | told after | restarts | what is lost | afterwards |\n|---|---|---|---|---|---|"
    )?;
    let of = |fault: &Fault| records.iter().find(|record| record.fault == fault.name());
    for record in FAULTS.iter().filter_map(of) {
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
Pages of their own: [on a PC](containment-x86_64.md), [on the official kernel](containment-sel4.md).

How a cell is run: the PDs are built with the runtime's feature `fault-injection` (no release program has it; a test looks). Each has a page of orders,
which is written from outside, through the file that QEMU keeps the machine's RAM in. Keys are typed at the console all the while, about thirty in a second.
A cell is **contained** when

- every key was echoed within 100 ms (host time, less the time in which the host gave the emulator no processor), except while the console itself is restarted;
- the console names the PD and the cause, and the PD is restarted by itself;
- afterwards `status` finds it healthy, and the model answers a prompt with the golden text, token for token.

";

const ON_SEL4: &str = "\
# Faults contained by the official kernel

Generated by `cargo xtask bench containment --kernel sel4`; do not edit. The same programs, description and tests as in [containment.md](containment.md), packed by a seL4 Microkit SDK
(2.3.0, configuration release; see [sel4.md](sel4.md)) on one core, so without `compute_1`.

";

const ON_PC: &str = "\
# Faults contained on a PC

Generated by `cargo xtask bench containment --board x86_64_generic`; do not edit. The same sources, description and tests as in [containment.md](containment.md), on QEMU's PC (q35).
What the console says of each fault is there, too; here addresses and codes are those of x86-64. Cells that are not contained are told in full.
The timer shares one page more than there: the speed of the clock, which no instruction tells a PD here. Garbage in it is found by the timer, which restarts and measures again; whoever had read it before keeps what was true.

";

const RECOVERY: &str = "## Killed in the middle of an answer

Compute reads address 0 after so many tokens of an answer have been handed to session. The greedy text must equal the golden text, whatever the moment.
The time runs from the fault to the next text at the console; of a worker on another core the moment is not chosen by token.
";

const LIMITS: &str = "## What this does not show

- **The guardian** is trusted: nobody restarts it. Without it everything else goes on; only the supervisor would no longer be restarted.
  The supervisor watches its heartbeat: the console says so once, and `status` shows it as `FAULTED`.
- **A PD that lies about its heartbeat** is not found by the watchdog. It can burn the time that its priority gives it, and no more than its own links and regions.
- **Garbage** is written once. A program that notices that its own side of a link is not what it wrote ends itself and is restarted; one that was taken over
  would not notice, and then its peers distrust the link, and say so, until a person restarts it.
- **Faults of the hardware**, and of the kernel.
";
