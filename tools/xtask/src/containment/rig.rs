//! A machine whose PDs fail on order, and the model that it talks with.

use super::ram::Ram;
use super::terminal::Terminal;
use crate::data::{self, Golden};
use crate::options::{Kernel, SystemOptions};
use crate::qemu::Machine;
use crate::{disk, system};
use anyhow::{Context, Result, ensure};
use ipc_injection::{Area, KIND, Kind, TAKEN};
use std::time::Duration;
use tools_sysgen::model::Location;
use tools_sysgen::{Description, Problems, System};

/// Where the pages of orders lie in RAM: above everything else and below what QEMU or firmware keeps at its end.
const ORDERS: u64 = 0x1300_0000;
/// Where a PD sees its own.
pub const ORDERS_SEEN: u64 = 0x2fff_0000;
/// RAM of the machine on our kernel.
const RAM: u64 = 320 << 20;
/// The model of these tests.
pub const MODEL: &str = "stories260K-q8_0";
/// How the lines begin that end an answer.
const FIGURES: [&str; 2] = ["[Prompt", "[Retrieval"];
/// How lines begin that the system says of a fault in the middle of an answer.
const REPORTS: [&str; 3] = ["fault in ", "  the conversation is kept", "warning: compute restarted"];
const BOOT: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(60);

/// Gives every PD a page that the tests write from outside the machine.
///
/// # Errors
/// When the description does not take them.
pub fn add_orders(description: &mut Description) -> Result<(), Problems> {
    let mut text = String::from("<overlay>\n");
    for (index, pd) in description.pd_names().iter().enumerate() {
        let place = super::ram::base() + ORDERS + 0x1000 * index as u64;
        text += &format!(
            "<memory_region name=\"{pd}_orders\" size=\"0x1000\" phys_addr=\"{place:#x}\" add=\"true\"/>\n\
             <protection_domain name=\"{pd}\"><map mr=\"{pd}_orders\" vaddr=\"{ORDERS_SEEN:#x}\" perms=\"rw\" \
             setvar_vaddr=\"fault_orders\" add=\"true\"/></protection_domain>\n"
        );
    }
    description.overlay("orders of the containment tests", &(text + "</overlay>"))
}

/// An image to start again and again.
pub struct Bed {
    machine: Machine,
    /// What it holds.
    pub system: System,
    /// Where everything lies in RAM.
    pub report: String,
    golden: Golden,
}

impl Bed {
    /// Builds the image and a disk with the model.
    ///
    /// # Errors
    /// When something cannot be built, or the shared test data is missing.
    pub fn new(kernel: Kernel, smp: u8, name: &str) -> Result<Self> {
        let shared = data::shared_or_fail()?;
        let golden = Golden::read(&shared, MODEL)?;
        let disk = disk::fresh(&format!("containment-{name}"))?;
        let options = SystemOptions {
            kernel,
            smp,
            faults: true,
            ram: (kernel == Kernel::Cloister).then_some(RAM),
            model: Some(data::story(&shared, MODEL)),
            disk: Some(disk.clone()),
            ..SystemOptions::standard()
        };
        let built = system::prepare(&options)?;
        // Several machines are built one after the other into one folder, and then run at the same time.
        let image = disk.with_extension("image");
        std::fs::copy(&built.machine.image, &image)?;
        let report = std::fs::read_to_string(built.folder.join("report.txt"))?;
        Ok(Self { machine: Machine { image, ..built.machine }, system: built.system, report, golden })
    }

    /// RAM of the machine.
    pub fn ram_mib(&self) -> u64 {
        self.machine.ram_mib
    }

    /// Starts it and waits for the prompt.
    ///
    /// # Errors
    /// When no prompt comes.
    pub fn start(&self) -> Result<Rig<'_>> {
        self.start_for(false)
    }

    /// As [`Bed::start`], for a person who watches.
    ///
    /// # Errors
    /// As [`Bed::start`].
    pub fn start_watched(&self) -> Result<Rig<'_>> {
        self.start_for(true)
    }

    fn start_for(&self, watched: bool) -> Result<Rig<'_>> {
        let ram = Ram::new(self.machine.ram_mib)?;
        let running = self.machine.start_with(&ram.options())?;
        let mut terminal = Terminal::new(running);
        terminal.watched = watched;
        let up = terminal.wait(0, BOOT, |text| text.ends_with("\n>>> "))?;
        ensure!(up, "the system did not come up:\n{}", terminal.since(0));
        Ok(Rig { bed: self, ram, terminal })
    }
}

/// A machine that runs.
pub struct Rig<'a> {
    /// What it was started from.
    pub bed: &'a Bed,
    /// Its memory.
    pub ram: Ram,
    /// Its UART.
    pub terminal: Terminal,
}

impl Rig<'_> {
    fn orders(&self, pd: &str) -> Result<u64> {
        let region = self.bed.system.region(&format!("{pd}_orders"));
        let region = region.with_context(|| format!("there is no PD {pd}"))?;
        match self.bed.system.regions[region].location {
            Location::Ram(base) => Ok(base),
            _ => anyhow::bail!("the orders of {pd} have no fixed place"),
        }
    }

    /// Orders a fault. `watch`: it waits until the word at this address of the PD has grown by so much.
    ///
    /// # Errors
    /// When there is no such PD.
    pub fn order(&self, pd: &str, kind: Kind, target: u64, watch: Option<(u64, u64)>) -> Result<()> {
        let page = self.orders(pd)?;
        for (word, value) in ipc_injection::encode(target, watch, &areas(&self.bed.system, pd)) {
            self.ram.set_word(page + word as u64 * 8, value)?;
        }
        self.ram.set_word(page + KIND as u64 * 8, kind as u64)
    }

    /// Orders that the PD has obeyed.
    ///
    /// # Errors
    /// When there is no such PD.
    pub fn taken(&self, pd: &str) -> Result<u64> {
        self.ram.word(self.orders(pd)? + TAKEN as u64 * 8)
    }

    /// Says the prompt to the model afresh; what came instead of the golden text, `None`: that is what came.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn converse(&mut self, tokens: u32) -> Result<Option<String>> {
        if let Some(why) = self.prepare(tokens)? {
            return Ok(Some(why));
        }
        let prompt = self.prompt().to_owned();
        let Some(answer) = self.terminal.ask(&prompt, ANSWER)? else {
            return Ok(Some("no answer".into()));
        };
        Ok(self.differs(&answer))
    }

    /// Begins a greedy conversation of so many tokens; why that was not possible.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn prepare(&mut self, tokens: u32) -> Result<Option<String>> {
        let number = format!("/set num_predict {tokens}");
        for line in ["/set temperature 0", &number, "/clear"] {
            if self.terminal.ask(line, ANSWER)?.is_none() {
                return Ok(Some(format!("no prompt after `{line}`")));
            }
        }
        Ok(None)
    }

    /// The prompt whose answer is known.
    pub fn prompt(&self) -> &str {
        &self.bed.golden.prompt
    }

    /// Compares an answer, reports of faults in it left out, with the golden text.
    pub fn differs(&self, answer: &str) -> Option<String> {
        let said = answer.split_once(self.bed.golden.prompt.as_str()).map_or(answer, |(_, rest)| rest);
        let is_answer = |line: &&str| !FIGURES.iter().any(|figures| line.starts_with(figures));
        let said: Vec<&str> = said.lines().take_while(is_answer).collect();
        let is_report = |line: &&&str| REPORTS.iter().any(|report| line.starts_with(report));
        let said: String = said.iter().filter(|line| !is_report(line)).copied().collect();
        let (said, golden) = (dense(&said), dense(&self.bed.golden.text));
        let same = said.len() >= 24 && (golden.starts_with(&said) || said == golden);
        (!same).then(|| format!("`{said}`"))
    }
}

/// Without white space: a report in the middle of an answer begins a new line.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What a PD can write and others see, with the region that answers.
fn areas(system: &System, pd: &str) -> Vec<Area> {
    let Some(index) = system.pd(pd) else { return Vec::new() };
    let maps = &system.pds[index].maps;
    let shared =
        |region| system.pds.iter().filter(|pd| pd.maps.iter().any(|map| map.region == region)).count() > 1;
    let area = |map: &tools_sysgen::model::Map| {
        let region = &system.regions[map.region];
        let answer = region.name.split_once("_to_").map(|(from, to)| format!("{to}_to_{from}"));
        let answer = answer.and_then(|name| system.region(&name));
        let peer = maps.iter().find(|map| Some(map.region) == answer).map_or(0, |map| map.vaddr);
        Area { address: map.vaddr, bytes: region.size, peer }
    };
    maps.iter().filter(|map| map.permissions.write && map.cached && shared(map.region)).map(area).collect()
}
