//! The report that goes with an image.
//!
//! One design rule: everything that a reviewer must know of an image stands in it as text: who sees which memory with
//! which permissions, who may talk to whom, what each part costs.

use crate::inputs::Inputs;
use crate::kernel::Kernel;
use crate::model::System;
use crate::plan::{Mapping, Plan, Source};
use crate::problem::Problem;
use board_description::Board;
use std::fmt::Write;

/// What a report is about.
pub struct Facts<'a> {
    pub system: &'a System,
    pub inputs: &'a Inputs,
    pub plan: &'a Plan,
    pub kernel: &'a Kernel,
    pub board: &'a Board,
    pub warnings: &'a [Problem],
}

/// Writes the report.
pub fn report(facts: &Facts) -> String {
    let mut out = String::new();
    totals(&mut out, facts);
    domains(&mut out, facts);
    regions(&mut out, facts);
    channels(&mut out, facts.system);
    mappings(&mut out, facts);
    warnings(&mut out, facts.warnings);
    out
}

// Writing to a String cannot fail, so results of `write!` are dropped here.
macro_rules! line {
    ($out:expr) => {{ let _ = writeln!($out); }};
    ($out:expr, $($argument:tt)*) => {{ let _ = writeln!($out, $($argument)*); }};
}

fn kib(bytes: u64) -> String {
    match bytes {
        b if b >= 16 << 20 => format!("{} MiB", b.div_ceil(1 << 20)),
        b => format!("{} KiB", b.div_ceil(1 << 10)),
    }
}

fn totals(out: &mut String, facts: &Facts) {
    let Facts { system, plan, kernel, board, .. } = facts;
    let memory = plan.ram_end - board.image_base;
    line!(out, "# Image for {}", board.name);
    line!(out);
    line!(out, "protection domains {:>12}", system.pds.len());
    line!(out, "cores              {:>12}", system.cores());
    line!(
        out,
        "kernel             {:>12}  (code and data {})",
        kib(kernel.bytes.len() as u64),
        kib(kernel.file_bytes)
    );
    line!(out, "description        {:>12}  at {:#x}", kib(plan.spec.size), plan.spec.base);
    line!(out, "page tables        {:>12}  at {:#x}", kib(plan.pool.size), plan.pool.base);
    line!(
        out,
        "image file         {:>12}  at {:#x}",
        kib(plan.contents_end - board.image_base),
        board.image_base
    );
    line!(out, "cleared at boot    {:>12}", kib(plan.zero.iter().map(|range| range.size).sum()));
    line!(out, "RAM up to          {:>12}  ({:#x})", kib(memory), plan.ram_end);
}

fn domains(out: &mut String, facts: &Facts) {
    let Facts { system, inputs, plan, .. } = facts;
    line!(out, "\n# Protection domains\n");
    line!(
        out,
        "{:<16} {:>4} {:>3} {:>9} {:>9}  {:<12} {:>10} {:>10}  image",
        "name",
        "prio",
        "cpu",
        "budget",
        "period",
        "flags",
        "private",
        "mapped"
    );
    for (index, pd) in system.pds.iter().enumerate() {
        let private = plan.mappings[index].iter().filter(|m| !matches!(m.source, Source::Region(_)));
        let mapped = plan.mappings[index].iter().filter(|m| matches!(m.source, Source::Region(_)));
        let sum = |all: &mut dyn Iterator<Item = &Mapping>| kib(all.map(|m| m.size).sum());
        let (private, mapped) = (sum(&mut private.into_iter()), sum(&mut mapped.into_iter()));
        let flags = [(pd.passive, "passive"), (!pd.fpu, "no-fpu"), (system.has_endpoint(index), "server")];
        let flags: Vec<_> = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        let flags = flags.join(",");
        let (name, image) = (&pd.name, &pd.image);
        line!(
            out,
            "{name:<16} {:>4} {:>3} {:>9} {:>9}  {flags:<12} {private:>10} {mapped:>10}  {image} (entry {:#x})",
            pd.priority,
            pd.cpu,
            pd.budget,
            pd.period,
            inputs.programs[index].entry
        );
    }
    for pd in system.pds.iter().filter(|pd| pd.parent.is_some()) {
        let parent = pd.parent.map_or("", |parent| &system.pds[parent].name);
        line!(out, "{} is child {} of {parent}", pd.name, pd.child_id);
    }
}

fn regions(out: &mut String, facts: &Facts) {
    let Facts { system, inputs, plan, .. } = facts;
    line!(out, "\n# Memory regions\n");
    line!(out, "{:<24} {:>14} {:>10} {:>6}  used by", "name", "physical", "size", "pages");
    for (index, region) in system.regions.iter().enumerate() {
        let all = system.pds.iter().flat_map(|pd| pd.maps.iter().map(move |map| (pd, map)));
        let users = all.filter(|(_, map)| map.region == index);
        let users: Vec<_> = users.map(|(pd, map)| format!("{} {}", pd.name, map.permissions)).collect();
        let prefill = match (&region.prefill, &inputs.prefills[index]) {
            (Some(path), Some(contents)) => format!("  filled from {path} ({} bytes)", contents.len()),
            _ => String::new(),
        };
        let page = if region.page_bits == 12 { "4K" } else { "2M" };
        let (name, size) = (&region.name, kib(region.size));
        line!(
            out,
            "{name:<24} {:>14} {size:>10} {page:>6}  {}{prefill}",
            format!("{:#x}", plan.regions[index]),
            users.join(", ")
        );
    }
}

fn channels(out: &mut String, system: &System) {
    line!(out, "\n# Channels and interrupts\n");
    for channel in &system.channels {
        let [a, b] = &channel.ends;
        for (from, to) in [(a, b), (b, a)] {
            let rights = match (from.notify, from.pp) {
                (true, true) => "notifies and calls",
                (true, false) => "notifies",
                (false, true) => "calls",
                (false, false) => continue,
            };
            let (caller, server) = (&system.pds[from.pd].name, &system.pds[to.pd].name);
            line!(out, "{caller} ({}) {rights} {server} ({})", from.id, to.id);
        }
    }
    for pd in &system.pds {
        for irq in &pd.irqs {
            let message = irq.number >= kernel_spec::IrqEnd::FIRST_MESSAGE && irq.vector > 0;
            let trigger = match (message, irq.edge) {
                (true, _) => "message",
                (false, true) => "edge",
                (false, false) => "level",
            };
            line!(out, "interrupt {} ({trigger}) reaches {} ({})", irq.number, pd.name, irq.id);
        }
        for port in &pd.ports {
            line!(out, "{} uses ports {:#x} + {} ({})", pd.name, port.first, port.count, port.id);
        }
    }
    for domain in &system.trust_domains {
        let names: Vec<_> = domain.iter().map(|pd| system.pds[*pd].name.as_str()).collect();
        line!(out, "trust domain: {}", names.join(", "));
    }
}

fn mappings(out: &mut String, facts: &Facts) {
    let Facts { system, plan, .. } = facts;
    for (pd, mappings) in system.pds.iter().zip(&plan.mappings) {
        line!(out, "\n# What {} sees\n", pd.name);
        for mapping in mappings {
            let what = match mapping.source {
                Source::Segment => "program",
                Source::Zero => "program, zeroed",
                Source::Stack => "stack",
                Source::IpcBuffer => "IPC buffer",
                Source::Region(region) => &system.regions[region].name,
            };
            let (end, device) = (mapping.vaddr + mapping.size, if mapping.device { " uncached" } else { "" });
            line!(
                out,
                "{:#014x}..{end:#014x} {} at {:#012x} {what}{device}",
                mapping.vaddr,
                mapping.permissions,
                mapping.paddr
            );
        }
    }
}

fn warnings(out: &mut String, warnings: &[Problem]) {
    if !warnings.is_empty() {
        line!(out, "\n# Warnings\n");
    }
    for warning in warnings {
        line!(out, "{warning}");
    }
}
