//! The report as text and as JSON.

use crate::flows::{Flows, Pair};
use crate::paths::Paths;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The report for people: for each PD what it reaches directly, then what data of each region can reach.
pub fn text(flows: &Flows) -> String {
    let mut out = String::new();
    for pd in &flows.pds {
        let _ = writeln!(out, "{pd}");
        let regions = |wanted: fn(bool, bool) -> bool| {
            let reached =
                flows.regions.iter().filter(|(_, a)| wanted(a.write.contains(pd), a.read.contains(pd)));
            reached
                .map(|(name, a)| if a.device { format!("{name} (device)") } else { name.clone() })
                .collect::<Vec<_>>()
        };
        line(&mut out, "writes", &regions(|write, _| write));
        line(&mut out, "reads", &regions(|write, read| read && !write));
        line(&mut out, "calls", &others(&flows.call, pd));
        line(&mut out, "signals", &others(&flows.notify, pd));
        line(&mut out, "controls", &others(&flows.control, pd));
        let interrupts = flows.interrupts.get(pd).into_iter().flatten().map(u32::to_string);
        line(&mut out, "interrupts", &interrupts.collect::<Vec<_>>());
        line(&mut out, "ports", &flows.ports.get(pd).into_iter().flatten().cloned().collect::<Vec<_>>());
    }
    let _ = writeln!(out, "\nwhere the data of a region can get to, over any number of steps:");
    let paths = Paths::of(flows);
    for region in flows.regions.keys() {
        let reached: Vec<_> =
            paths.reach(region).into_iter().filter(|node| flows.pds.contains(node)).collect();
        let _ = writeln!(
            out,
            "  {region}: {}",
            if reached.is_empty() { "nobody".into() } else { reached.join(" ") }
        );
    }
    out
}

fn others(pairs: &BTreeSet<Pair>, pd: &str) -> Vec<String> {
    pairs.iter().filter(|pair| pair.from == pd).map(|pair| pair.to.clone()).collect()
}

fn line(out: &mut String, does: &str, what: &[String]) {
    if !what.is_empty() {
        let _ = writeln!(out, "  {does:<11}{}", what.join(" "));
    }
}

/// The report for programs.
///
/// # Errors
/// None in practice: names and numbers always serialise.
pub fn json(flows: &Flows) -> serde_json::Result<String> {
    serde_json::to_string_pretty(flows)
}
