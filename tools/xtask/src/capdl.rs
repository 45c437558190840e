//! What Microkit's tool makes of a description, read from its `--capdl-json` in the words of [`crate::oracle`].
//!
//! One design rule: only what the kernel will be told counts: capabilities, page tables and thread parameters. Names are
//! used to say which region, PD or stack an object belongs to (`frame_mr_<region>_<page>`, `tcb_<pd>`, …).

use crate::oracle::Facts;
use anyhow::{Context, Result, ensure};
use ipc_abi::slot;
use serde_json::Value;
use std::collections::BTreeMap;

/// Slots of a thread: capability table (a root table whose slot 0 holds it) and address space.
const TABLE: u64 = 0;
const SPACE: u64 = 1;
/// A page table of level 3 maps pages of 4 KiB; each level above, 512 times as much.
const LAST_LEVEL: u64 = 3;

/// The facts of a specification.
///
/// # Errors
/// When the text is not a specification as version 2.3.0 writes it; names the object.
pub fn facts(json: &str) -> Result<Facts> {
    let text: Value = serde_json::from_str(json)?;
    let list = |name: &str| text[name].as_array().cloned().with_context(|| format!("no list '{name}'"));
    let numbers =
        list("irqs")?.iter().filter_map(|irq| Some((number(irq, "handler")?, number(irq, "irq")?))).collect();
    let specification = Specification { objects: list("objects")?, irqs: numbers };
    let mut facts = Facts::new();
    for object in &specification.objects {
        if let Some(pd) = name(object).strip_prefix("tcb_").filter(|pd| *pd != "monitor") {
            specification.domain(pd, object, &mut facts).with_context(|| format!("object tcb_{pd}"))?;
        }
    }
    Ok(facts)
}

struct Specification {
    objects: Vec<Value>,
    /// Interrupt numbers by the object of their handler.
    irqs: BTreeMap<u64, u64>,
}

impl Specification {
    fn domain(&self, pd: &str, object: &Value, facts: &mut Facts) -> Result<()> {
        let thread = &object["object"]["Tcb"];
        let root = self.cap(thread, TABLE, "CNode").context("no capability table")?;
        let table =
            self.cap(&root["object"]["CNode"], 0, "CNode").context("no capability table in its root")?;
        let time = self.named(&format!("sched_context_{pd}")).context("no scheduling context")?;
        let (extra, time) = (&thread["extra"], &time["object"]["SchedContext"]["extra"]);
        let passive = slots(&table["object"]["CNode"]).any(|(slot, _)| slot == slot::MONITOR);
        facts.insert(format!(
            "pd {pd}: priority {}, core {}, budget {} of {} us, passive {passive}, fpu {}",
            extra["prio"],
            extra["affinity"],
            time["budget"],
            time["period"],
            extra["fpu_disabled"] == false
        ));
        slots(&table["object"]["CNode"]).try_for_each(|(slot, cap)| self.capability(pd, slot, cap, facts))?;
        let space = self.cap(thread, SPACE, "PageTable").context("no address space")?;
        let mut pages = BTreeMap::new();
        self.pages(space, 0, &mut pages)?;
        self.mappings(pd, &pages, facts)
    }

    /// What a capability lets a PD do to others.
    fn capability(&self, pd: &str, slot: u64, cap: &Value, facts: &mut Facts) -> Result<()> {
        let base = |base: u64| (base..base + slot::PER_KIND).contains(&slot).then(|| slot - base);
        let (kind, cap) = variant(cap).context("an empty slot")?;
        let index = number(cap, "object").context("a capability without an object")?;
        let other = name(self.object(index)?);
        let badge = cap["badge"].as_u64().unwrap_or(0);
        if let (Some(id), "Notification") = (base(slot::NOTIFY_BASE), kind) {
            ensure!(badge.is_power_of_two(), "slot {slot}: badge {badge:#x}");
            facts.insert(format!("notify {pd} {id} -> {} {}", owner(other, "ntfn_"), badge.trailing_zeros()));
        } else if let (Some(id), "Endpoint") = (base(slot::CALL_BASE), kind) {
            let peer = badge & (slot::PER_KIND - 1);
            ensure!(badge == ipc_abi::badge::CALL | peer, "slot {slot}: badge {badge:#x}");
            facts.insert(format!("call {pd} {id} -> {} {peer}", owner(other, "ep_")));
        } else if let (Some(id), "Tcb") = (base(slot::CHILD_BASE), kind) {
            facts.insert(format!("child {pd} {id}: {}", owner(other, "tcb_")));
        } else if let (Some(id), "ArmIrqHandler") = (base(slot::IRQ_BASE), kind) {
            let irq = self.irqs.get(&index).context("an interrupt without a number")?;
            let extra = &self.object(index)?["object"]["ArmIrq"]["extra"];
            let trigger = if extra["trigger"] == 0 { "level" } else { "edge" };
            facts.insert(format!("interrupt {pd} {id}: {irq}, {trigger}, core {}", extra["target"]));
        } else if let (Some(id), "IrqIOApicHandler") = (base(slot::IRQ_BASE), kind) {
            let vector = self.irqs.get(&index).context("an interrupt without a vector")?;
            let extra = &self.object(index)?["object"]["IrqIOApic"]["extra"];
            let trigger = if extra["level"] == 0 { "edge" } else { "level" };
            let level = if extra["polarity"] == 0 { "high" } else { "low" };
            facts.insert(format!(
                "interrupt {pd} {id}: pin {}, {trigger}, {level}, vector {vector}",
                extra["pin"]
            ));
        } else if let (Some(id), "IrqMsiHandler") = (base(slot::IRQ_BASE), kind) {
            let vector = self.irqs.get(&index).context("an interrupt without a vector")?;
            facts.insert(format!("interrupt {pd} {id}: a message, vector {vector}"));
        } else if let (Some(id), "IOPorts") = (base(slot::PORT_BASE), kind) {
            let ports = &self.object(index)?["object"]["IOPorts"];
            facts.insert(format!("ports {pd} {id}: {} to {}", ports["start_port"], ports["end_port"]));
        } else {
            ensure!(
                slot < slot::NOTIFY_BASE,
                "slot {slot} of {pd} holds a {kind}, which a PD of ours never has"
            );
        }
        Ok(())
    }

    /// All pages below a table: virtual address to (capability, bytes).
    fn pages<'a>(
        &'a self,
        table: &'a Value,
        base: u64,
        out: &mut BTreeMap<u64, (&'a Value, u64)>,
    ) -> Result<()> {
        let table = &table["object"]["PageTable"];
        let level =
            number(table, "level").filter(|level| *level <= LAST_LEVEL).context("a table without a level")?;
        let size = 1 << (12 + 9 * (LAST_LEVEL - level));
        for (slot, cap) in slots(table) {
            let address = base + slot * size;
            match variant(cap) {
                Some(("Frame", frame)) => drop(out.insert(address, (frame, size))),
                Some(("PageTable", next)) if level < LAST_LEVEL => {
                    self.pages(self.object(number(next, "object").context("no object")?)?, address, out)?;
                }
                _ => anyhow::bail!("an entry that is no page and no table"),
            }
        }
        Ok(())
    }

    /// Pages of one region that follow each other are one mapping.
    fn mappings(&self, pd: &str, pages: &BTreeMap<u64, (&Value, u64)>, facts: &mut Facts) -> Result<()> {
        let mut runs: Vec<(String, u64, u64, u64)> = Vec::new();
        for (address, (cap, size)) in pages {
            let object = name(self.object(number(cap, "object").context("no object")?)?);
            let Some((what, page)) = self.mapped(pd, object, cap) else { continue };
            match runs.last_mut() {
                Some((last, start, bytes, _)) if page > 0 && *last == what && *start + *bytes == *address => {
                    *bytes += size
                }
                _ => runs.push((what, *address, *size, *size)),
            }
        }
        for (what, start, bytes, page) in runs {
            facts.insert(format!("map {pd}: {what} at {start:#x}, {bytes:#x} bytes in pages of {page:#x}"));
        }
        Ok(())
    }

    /// The region or stack that a page belongs to with the rights to it, and its number there; `None` for a program's.
    fn mapped(&self, pd: &str, object: &str, cap: &Value) -> Option<(String, u64)> {
        let (what, page) = object.strip_prefix("frame_")?.rsplit_once('_')?;
        let what = match what.strip_prefix("mr_") {
            Some(region) => region,
            None if what == format!("{pd}_stack") => "its stack",
            None => return None,
        };
        let right = |name: &str, letter| if cap["rights"][name] == true { letter } else { '-' };
        let execute = if cap["executable"] == true { 'x' } else { '-' };
        let cached = if cap["cached"] == true { "cached" } else { "uncached" };
        let rights = format!("{}{}{execute}", right("read", 'r'), right("write", 'w'));
        Some((format!("{what} {rights} {cached}"), page.parse().ok()?))
    }

    fn object(&self, index: u64) -> Result<&Value> {
        self.objects.get(index as usize).with_context(|| format!("there is no object {index}"))
    }

    fn named(&self, wanted: &str) -> Option<&Value> {
        self.objects.iter().find(|object| name(object) == wanted)
    }

    fn cap(&self, object: &Value, slot: u64, kind: &str) -> Option<&Value> {
        let (_, cap) = slots(object).find(|(at, _)| *at == slot)?;
        self.object(number(&cap[kind], "object")?).ok()
    }
}

fn slots(object: &Value) -> impl Iterator<Item = (u64, &Value)> {
    let entries = object["slots"].as_array().into_iter().flatten();
    entries.filter_map(|entry| Some((number(entry, "slot")?, &entry["cap"])))
}

/// The only member of an object: kind and value.
fn variant(value: &Value) -> Option<(&str, &Value)> {
    value.as_object()?.iter().next().map(|(kind, value)| (kind.as_str(), value))
}

fn name(object: &Value) -> &str {
    object["name"].as_str().unwrap_or_default()
}

fn number(value: &Value, key: &str) -> Option<u64> {
    value[key].as_u64()
}

fn owner<'a>(object: &'a str, prefix: &str) -> &'a str {
    object.strip_prefix(prefix).unwrap_or(object)
}
