//! Two readings of one description in the same words: our image builder's and the official tool's ([`crate::capdl`]).
//!
//! One design rule: a reading is a set of lines, one fact each, so that a difference can be read by a person.
//! What belongs to the program files (segments) and to a kernel (page tables, slots 1 to 9) is not compared.

use anyhow::{Result, ensure};
use kernel_spec::IrqEnd;
use std::collections::BTreeSet;
use tools_sysgen::System;
use tools_sysgen::model::{End, Map, ProtectionDomain};

/// One line for each fact.
pub type Facts = BTreeSet<String>;

/// What our image builder understood, on the board of this name.
pub fn facts(system: &System, board: &str) -> Facts {
    let mut facts = Facts::new();
    // The stack ends one guard page below the IPC buffer.
    let buffer = tools_sysgen::board(board).map_or(0, |board| board.ipc_buffer);
    for pd in &system.pds {
        domain(system, pd, buffer.saturating_sub(ipc_abi::STACK_GUARD), &mut facts);
    }
    for channel in &system.channels {
        let [a, b] = &channel.ends;
        for (from, to) in [(a, b), (b, a)] {
            let line = |what: &str, from: &End, to: &End| {
                let name = |end: &End| format!("{} {}", system.pds[end.pd].name, end.id);
                format!("{what} {} -> {}", name(from), name(to))
            };
            facts.extend(from.notify.then(|| line("notify", from, to)));
            facts.extend(from.pp.then(|| line("call", from, to)));
        }
    }
    facts
}

fn domain(system: &System, pd: &ProtectionDomain, stack_top: u64, facts: &mut Facts) {
    let ProtectionDomain { name, priority, cpu, budget, period, passive, fpu, stack_size, .. } = pd;
    facts.insert(format!(
        "pd {name}: priority {priority}, core {cpu}, budget {budget} of {period} us, passive {passive}, fpu {fpu}"
    ));
    let bottom = stack_top.saturating_sub(*stack_size);
    facts.insert(format!(
        "map {name}: its stack rw- cached at {bottom:#x}, {stack_size:#x} bytes in pages of 0x1000"
    ));
    facts.extend(pd.maps.iter().map(|map| mapping(system, name, map)));
    facts.extend(pd.irqs.iter().map(|irq| {
        let trigger = if irq.edge { "edge" } else { "level" };
        match irq.vector {
            0 => format!("interrupt {name} {}: {}, {trigger}, core {cpu}", irq.id, irq.number),
            vector if irq.number >= IrqEnd::FIRST_MESSAGE => {
                format!("interrupt {name} {}: a message, vector {vector}", irq.id)
            }
            vector => {
                let level = if irq.active_low { "low" } else { "high" };
                format!(
                    "interrupt {name} {}: pin {}, {trigger}, {level}, vector {vector}",
                    irq.id, irq.number
                )
            }
        }
    }));
    facts.extend(pd.ports.iter().map(|port| {
        let last = u32::from(port.first) + u32::from(port.count) - 1;
        format!("ports {name} {}: {} to {last}", port.id, port.first)
    }));
    facts
        .extend(pd.parent.map(|parent| format!("child {} {}: {name}", system.pds[parent].name, pd.child_id)));
}

fn mapping(system: &System, pd: &str, map: &Map) -> String {
    let region = &system.regions[map.region];
    let cached = if map.cached { "cached" } else { "uncached" };
    let page = 1_u64 << region.page_bits;
    let (name, rights, size) = (&region.name, map.permissions, region.size);
    format!("map {pd}: {name} {rights} {cached} at {:#x}, {size:#x} bytes in pages of {page:#x}", map.vaddr)
}

/// Refuses a difference.
///
/// # Errors
/// Names every fact that only one side has.
pub fn compare(ours: &Facts, official: &Facts) -> Result<()> {
    let only = |title: &str, some: &Facts, others: &Facts| -> String {
        some.difference(others).map(|line| format!("\n  {title} {line}")).collect()
    };
    let differences = only("only ours:    ", ours, official) + &only("only official:", official, ours);
    ensure!(
        differences.is_empty(),
        "our reading of the description and the official tool's differ:{differences}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;
    use tools_sysgen::{Description, SearchPath, board};

    fn recorded() -> Facts {
        let text = std::fs::read_to_string(shell::root().join("tests/oracle/system.json")).unwrap();
        serde_json::from_str::<Vec<String>>(&text).unwrap().into_iter().collect()
    }

    fn ours(path: &std::path::Path) -> Facts {
        let board = board("qemu_virt_aarch64").unwrap();
        facts(&Description::read(path).unwrap().resolve(&board, &SearchPath(Vec::new())).unwrap(), board.name)
    }

    #[test]
    fn we_read_a_description_as_the_official_tool_does() {
        compare(&ours(&shell::root().join("tests/oracle/system.xml")), &recorded()).unwrap();
    }

    #[test]
    fn a_difference_names_both_sides() {
        let (mut changed, official) = (recorded(), recorded());
        let line = changed.iter().find(|line| line.contains("edge")).cloned().unwrap();
        changed.remove(&line);
        changed.insert(line.replace("edge", "level"));
        let said = compare(&changed, &official).unwrap_err().to_string();
        assert!(
            said.contains("only ours") && said.contains("only official") && said.contains("interrupt"),
            "{said}"
        );
        assert!(compare(&Facts::new(), &official).is_err());
    }
}
