//! Checks across elements: Microkit's own rules and Cloister's.
//!
//! One design rule: one function per rule, each saying what breaks and how to mend it. Cloister's rules, beyond
//! Microkit's: one writer per region (outside a trust domain), device registers mapped once and uncached, W^X across
//! PDs. A protected call goes to a strictly higher priority, so calls cannot form a circle.

use crate::model::{End, Location, MAX_PDS, Map, System};
use crate::parse::Purpose;
use crate::problem::{Place, Problem, Problems};
use crate::regions;
use board_description::Board;
use std::collections::HashMap;

/// Checks everything that needs more than one element.
pub fn check(system: &mut System, board: &Board, purpose: Purpose, problems: &mut Problems) {
    names(system, problems);
    children(system, problems);
    ids(system, problems);
    irqs(system, problems);
    ports(system, problems);
    calls(system, problems);
    for pd in 0..system.pds.len() {
        maps(system, pd, board, problems);
    }
    regions::check(system, purpose, problems);
    warnings(system);
}

fn names(system: &System, problems: &mut Problems) {
    if system.pds.is_empty() {
        problems.at(&system.tree.place, "<system> has no <protection_domain>; add at least one");
    }
    if system.pds.len() > MAX_PDS {
        let text = format!("<protection_domain> '{}' is one too many", system.pds[MAX_PDS].name);
        problems
            .at(&system.pds[MAX_PDS].place, format!("{text}: Microkit runs at most {MAX_PDS}; merge some"));
    }
    let pds = system.pds.iter().map(|pd| (&pd.name, &pd.place, "protection_domain"));
    let regions = system.regions.iter().map(|region| (&region.name, &region.place, "memory_region"));
    let mut seen: HashMap<(&str, &str), &Place> = HashMap::new();
    for (name, place, tag) in pds.chain(regions).filter(|(name, ..)| !name.is_empty()) {
        if let Some(first) = seen.insert((tag, name), place) {
            problems.at(
                place,
                format!("<{tag}> attribute 'name': '{name}' exists at {first} already; rename one"),
            );
        }
    }
}

fn children(system: &System, problems: &mut Problems) {
    let mut seen = HashMap::new();
    for pd in &system.pds {
        let Some(parent) = pd.parent else { continue };
        if let Some(first) = seen.insert((parent, pd.child_id), &pd.name) {
            let text =
                format!("<protection_domain> attribute 'id' of '{}': child {} of", pd.name, pd.child_id);
            let parent = &system.pds[parent].name;
            problems.at(&pd.place, format!("{text} '{parent}' is '{first}' already; choose a free id"));
        }
    }
}

/// Channels and interrupts of a PD share one set of ids.
fn ids(system: &System, problems: &mut Problems) {
    let mut seen: HashMap<(usize, u8), String> = HashMap::new();
    for (index, pd) in system.pds.iter().enumerate() {
        for irq in &pd.irqs {
            let what = format!("interrupt {}", irq.number);
            if let Some(first) = seen.insert((index, irq.id), what) {
                let text = format!("<irq> attribute 'id' of PD '{}': {} is used by {first}", pd.name, irq.id);
                problems.at(&irq.place, format!("{text}; choose a free id"));
            }
        }
    }
    for channel in &system.channels {
        for (end, other) in [(0, 1), (1, 0)].map(|(a, b)| (&channel.ends[a], &channel.ends[b])) {
            let (pd, peer) = (&system.pds[end.pd].name, &system.pds[other.pd].name);
            if let Some(first) = seen.insert((end.pd, end.id), format!("the channel to '{peer}'")) {
                let text = format!("<end> attribute 'id': {} of PD '{pd}' is used by {first}", end.id);
                problems.at(&end.place, format!("{text} already; choose a free id"));
            }
        }
        if channel.ends[0].pd == channel.ends[1].pd {
            let pd = &system.pds[channel.ends[0].pd].name;
            problems.at(
                &channel.ends[1].place,
                format!("<end> attribute 'pd': both ends are '{pd}'; name two PDs"),
            );
        }
    }
}

fn irqs(system: &System, problems: &mut Problems) {
    let mut seen = HashMap::new();
    for pd in &system.pds {
        for irq in &pd.irqs {
            if let Some(first) = seen.insert(irq.number, &pd.name) {
                let text = format!("<irq> attribute 'irq' of PD '{}': {}", pd.name, irq.number);
                problems.at(
                    &pd.place,
                    format!("{text} belongs to PD '{first}' already; one PD owns an interrupt"),
                );
            }
        }
    }
    vectors(system, problems);
}

/// On x86-64 each interrupt has a vector of its own; other boards have none, and all are 0.
fn vectors(system: &System, problems: &mut Problems) {
    let mut seen = HashMap::new();
    let all = system.pds.iter().flat_map(|pd| pd.irqs.iter().map(move |irq| (pd, irq)));
    for (pd, irq) in all.filter(|(_, irq)| irq.vector != 0) {
        if let Some(first) = seen.insert(irq.vector, &pd.name) {
            let text = format!("<irq> attribute 'vector' of PD '{}': {}", pd.name, irq.vector);
            problems.at(&irq.place, format!("{text} is used by PD '{first}' already; choose a free one"));
        }
    }
}

fn ports(system: &System, problems: &mut Problems) {
    let all: Vec<_> = system.pds.iter().flat_map(|pd| pd.ports.iter().map(move |port| (pd, port))).collect();
    for (at, (pd, port)) in all.iter().enumerate() {
        for (other, earlier) in &all[..at] {
            let (start, end) = (u32::from(port.first), u32::from(port.first) + u32::from(port.count));
            let (first, last) =
                (u32::from(earlier.first), u32::from(earlier.first) + u32::from(earlier.count));
            if start < last && first < end {
                let text = format!("<ioport> attribute 'addr' of PD '{}': {start:#x}..{end:#x}", pd.name);
                problems
                    .at(&pd.place, format!("{text} overlaps {first:#x}..{last:#x} of PD '{}'", other.name));
            }
            if pd.name == other.name && port.id == earlier.id {
                let text = format!("<ioport> attribute 'id' of PD '{}': {} is used twice", pd.name, port.id);
                problems.at(&port.place, format!("{text}; choose a free id"));
            }
        }
    }
}

fn calls(system: &System, problems: &mut Problems) {
    for channel in &system.channels {
        let [a, b] = &channel.ends;
        for (caller, server) in [(a, b), (b, a)].into_iter().filter(|(caller, _)| caller.pp) {
            let (from, to) = (&system.pds[caller.pd], &system.pds[server.pd]);
            if from.priority >= to.priority {
                let text = format!("<end> attribute 'pp': '{}' (priority {})", from.name, from.priority);
                let rule = "calls go to a strictly higher priority, which also keeps them free of circles";
                let to = format!("cannot call '{}' (priority {}): {rule}", to.name, to.priority);
                problems.at(&caller.place, format!("{text} {to}; raise the server or lower the caller"));
            }
        }
    }
}

fn maps(system: &System, pd: usize, board: &Board, problems: &mut Problems) {
    let pd = &system.pds[pd];
    let guard = board.ipc_buffer - ipc_abi::STACK_GUARD - pd.stack_size;
    let mut seen: Vec<(u64, u64, &Map)> = Vec::new();
    for map in &pd.maps {
        let region = &system.regions[map.region];
        let name = format!("<map> attribute 'vaddr' of PD '{}': region '{}'", pd.name, region.name);
        let page = 1_u64 << region.page_bits;
        if map.vaddr % page != 0 {
            let below = map.vaddr - map.vaddr % page;
            let text = format!("{name} at {:#x} is not aligned to its pages of {page:#x}", map.vaddr);
            problems.at(&map.place, format!("{text}; use {below:#x}"));
        }
        let end = map.vaddr.saturating_add(region.size);
        if end > guard {
            let text = format!("{name} at {:#x}..{end:#x} reaches the PD's stack at {guard:#x}", map.vaddr);
            problems.at(&map.place, format!("{text}; map it lower"));
        }
        if let Some((start, last, other)) =
            seen.iter().find(|(start, last, _)| map.vaddr < *last && *start < end)
        {
            let other = &system.regions[other.region].name;
            let text = format!("{name} at {:#x}..{end:#x} overlaps region '{other}'", map.vaddr);
            problems.at(&map.place, format!("{text} at {start:#x}..{last:#x}; map one of them elsewhere"));
        }
        seen.push((map.vaddr, end, map));
    }
}

fn warnings(system: &mut System) {
    let mut warnings = Vec::new();
    for (index, region) in system.regions.iter().enumerate() {
        if !system.pds.iter().flat_map(|pd| &pd.maps).any(|map| map.region == index) {
            let message = format!("<memory_region> '{}' is mapped by no PD; remove it", region.name);
            warnings.push(Problem { place: Some(region.place.clone()), message });
        }
        let ram = matches!(region.location, Location::Ram(_));
        let executed =
            system.pds.iter().flat_map(|pd| &pd.maps).any(|m| m.region == index && m.permissions.execute);
        if ram && executed {
            let message =
                format!("<memory_region> '{}' is executable and lies at a fixed address", region.name);
            warnings.push(Problem { place: Some(region.place.clone()), message });
        }
    }
    for (child, pd) in system.pds.iter().enumerate() {
        let Some(index) = pd.parent else { continue };
        let parent = &system.pds[index];
        let endless = pd.budget == pd.period && parent.cpu == pd.cpu && parent.priority < pd.priority;
        if endless && !serves(system, child, index) {
            let text = format!("<protection_domain> '{}' can starve its parent '{}'", pd.name, parent.name);
            let message =
                format!("{text}: raise the parent's priority or give the child a budget below its period");
            warnings.push(Problem { place: Some(pd.place.clone()), message });
        }
    }
    system.warnings = warnings;
}

/// Whether `client` calls `server`, which then must have the higher priority.
fn serves(system: &System, server: usize, client: usize) -> bool {
    let calls = |from: &End, to: &End| from.pp && from.pd == client && to.pd == server;
    system.channels.iter().any(|c| calls(&c.ends[0], &c.ends[1]) || calls(&c.ends[1], &c.ends[0]))
}
