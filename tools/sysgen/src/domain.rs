//! Reads `<protection_domain>` elements and what stands in them.
//!
//! One design rule: parents are stored before their children, as Microkit numbers them.

use crate::attribute::{Reader, shorten};
use crate::model::{Irq, MAX_ID, Map, Port, ProtectionDomain, SetValue};
use crate::parse::add_setvar;
use crate::pci;
use crate::problem::{Problems, did_you_mean};
use crate::xml::Element;
use board_description::{Board, Isa};
use std::collections::HashMap;

/// Largest period: an hour. Beyond it a budget says nothing.
const MAX_PERIOD: u64 = 3_600_000_000;

/// Collects PDs in depth-first order.
pub struct Parser<'a> {
    pub board: &'a Board,
    pub regions: HashMap<String, usize>,
    pub problems: &'a mut Problems,
    pub pds: Vec<ProtectionDomain>,
}

impl Parser<'_> {
    /// Reads one PD and its children; returns nothing, the PDs collect in `pds`.
    pub fn domain(&mut self, element: &Element, parent: Option<usize>, child_id: u8) {
        let mut pd = self.attributes(element);
        (pd.parent, pd.child_id) = (parent, child_id);
        let index = self.pds.len();
        self.contents(element, &mut pd);
        self.pds.push(pd);
        for child in element.elements().filter(|child| child.tag == "protection_domain") {
            let mut reader = Reader { element: child, problems: self.problems };
            let id = reader.decimal("id", MAX_ID.into()).unwrap_or(0) as u8;
            if let Some(symbol) = reader.optional("setvar_id") {
                let setvars = &mut self.pds[index].setvars;
                add_setvar(setvars, symbol, SetValue::Number(id.into()), "setvar_id", &mut reader);
            }
            self.domain(child, Some(index), id);
        }
        if parent.is_none() {
            self.no_child_attributes(element);
        }
    }

    fn no_child_attributes(&mut self, element: &Element) {
        let mut reader = Reader { element, problems: self.problems };
        for name in ["id", "setvar_id"] {
            if reader.optional(name).is_some() {
                reader.wrong(name, "only a child has one; remove it or nest this PD in its parent");
            }
        }
    }

    fn attributes(&mut self, element: &Element) -> ProtectionDomain {
        let cores = u64::from(self.board.max_cores);
        let mut reader = Reader { element, problems: self.problems };
        let budget = reader.within("budget", 1..=MAX_PERIOD, 1000);
        let period = reader.within("period", 1..=MAX_PERIOD, budget);
        if period < budget {
            reader.wrong("budget", format!("{budget} is more than the period {period}; lower it"));
        }
        let stack_size = reader.within("stack_size", 0x1000..=0x100_0000, 0x2000);
        if !stack_size.is_multiple_of(0x1000) {
            let next = stack_size.next_multiple_of(0x1000);
            reader.wrong("stack_size", format!("{stack_size:#x} is not whole 4 KiB pages; use {next:#x}"));
        }
        if reader.boolean("smc", false) {
            reader.wrong("smc", "is refused: no PD may reach the firmware; remove it");
        }
        ProtectionDomain {
            name: name(&mut reader),
            priority: reader.within("priority", 0..=254, 0) as u8,
            budget,
            period,
            passive: reader.boolean("passive", false),
            stack_size,
            cpu: reader.within("cpu", 0..=cores.saturating_sub(1), 0) as u8,
            fpu: reader.boolean("fpu", true),
            parent: None,
            child_id: 0,
            image: String::new(),
            image_for_symbols: None,
            maps: Vec::new(),
            irqs: Vec::new(),
            ports: Vec::new(),
            setvars: Vec::new(),
            place: element.place.clone(),
            image_place: element.place.clone(),
        }
    }

    fn contents(&mut self, element: &Element, pd: &mut ProtectionDomain) {
        let images = element.elements().filter(|child| child.tag == "program_image").count();
        if images != 1 {
            let text = format!("<protection_domain> '{}' has {images} <program_image> elements", pd.name);
            self.problems.at(&element.place, format!("{text}; it must have exactly one"));
        }
        for child in element.elements() {
            let mut reader = Reader { element: child, problems: self.problems };
            match child.tag.as_str() {
                "program_image" => {
                    pd.image = reader.text("path").unwrap_or_default().into();
                    pd.image_for_symbols = reader.optional("path_for_symbols").map(str::to_owned);
                    pd.image_place = child.place.clone();
                }
                "map" => map(&mut reader, &self.regions, pd),
                "irq" => irq(&mut reader, self.board, pd),
                "ioport" => port(&mut reader, self.board, pd),
                "setvar" => setvar(&mut reader, &self.regions, pd),
                _ => {}
            }
        }
    }
}

fn name(reader: &mut Reader) -> String {
    let name = reader.text("name").unwrap_or_default();
    if name.len() > 64 {
        reader.wrong("name", format!("is {} bytes long; 64 are allowed", name.len()));
    }
    if name == "monitor" {
        reader.wrong("name", "'monitor' is reserved by Microkit; choose another");
    }
    name.chars().take(64).collect()
}

fn find_region(reader: &mut Reader, attribute: &str, regions: &HashMap<String, usize>) -> Option<usize> {
    let name = reader.text(attribute)?;
    let found = regions.get(name).copied();
    if found.is_none() {
        let close = did_you_mean(name, regions.keys().map(String::as_str));
        reader.wrong(attribute, format!("there is no memory region '{}'{close}", shorten(name)));
    }
    found
}

fn map(reader: &mut Reader, regions: &HashMap<String, usize>, pd: &mut ProtectionDomain) {
    let region = find_region(reader, "mr", regions);
    let vaddr = reader.required_number("vaddr");
    let permissions = reader.permissions();
    let cached = reader.boolean("cached", true);
    let (Some(region), Some(vaddr)) = (region, vaddr) else { return };
    let symbols = [
        ("setvar_vaddr", SetValue::Number(vaddr)),
        ("setvar_size", SetValue::RegionSize(region)),
        ("setvar_prefill_size", SetValue::PrefillSize(region)),
    ];
    for (attribute, value) in symbols {
        if let Some(symbol) = reader.optional(attribute) {
            add_setvar(&mut pd.setvars, symbol, value, attribute, reader);
        }
    }
    pd.maps.push(Map { region, vaddr, permissions, cached, place: reader.place() });
}

fn setvar(reader: &mut Reader, regions: &HashMap<String, usize>, pd: &mut ProtectionDomain) {
    let symbol = reader.text("symbol");
    let region = find_region(reader, "region_paddr", regions);
    let (Some(symbol), Some(region)) = (symbol, region) else { return };
    add_setvar(&mut pd.setvars, symbol, SetValue::RegionPaddr(region), "symbol", reader);
}

fn irq(reader: &mut Reader, board: &Board, pd: &mut ProtectionDomain) {
    let id = reader.decimal("id", MAX_ID.into());
    let parsed = match (board.isa, reader.optional("pcidev")) {
        (Isa::Aarch64, None) => arm_irq(reader, board),
        (Isa::Aarch64, Some(_)) => {
            let text = "message-signalled interrupts are refused; use the device's wired interrupt";
            return reader.wrong("pcidev", text);
        }
        (Isa::X86_64, None) => x86_irq(reader, board),
        (Isa::X86_64, Some(device)) => pci::message(reader, device),
    };
    let (Some(id), Some(irq)) = (id, parsed) else { return };
    let id = id as u8;
    if let Some(symbol) = reader.optional("setvar_id") {
        add_setvar(&mut pd.setvars, symbol, SetValue::Number(id.into()), "setvar_id", reader);
    }
    pd.irqs.push(Irq { id, ..irq });
}

fn other_isa(reader: &mut Reader, names: &[&str], board: &Board, instead: &str) {
    for name in names {
        if reader.optional(name).is_some() {
            reader.wrong(name, format!("does not exist on board {}; use {instead}", board.name));
        }
    }
}

fn arm_irq(reader: &mut Reader, board: &Board) -> Option<Irq> {
    other_isa(reader, &["pin", "vector", "ioapic", "polarity", "handle"], board, "'irq'");
    let number = reader.decimal("irq", u32::MAX)?;
    let edge = reader.choice("trigger", ["level", "edge"], 0) == 1;
    if !board.irq_allowed(number) {
        let (first, last) = (board.irq_first, board.irq_first + board.irq_count - 1);
        let text = format!("{number} is not an interrupt that a PD may own on {}", board.name);
        let others: String = board.irq_others.iter().map(|irq| format!(", {irq}")).collect();
        reader.wrong("irq", format!("{text}; those are {first} to {last}{others}"));
    }
    Some(Irq { number, vector: 0, id: 0, edge, active_low: false, place: reader.place() })
}

fn x86_irq(reader: &mut Reader, board: &Board) -> Option<Irq> {
    other_isa(reader, &["irq", "handle"], board, "'pin' and 'vector'");
    let (number, vector) = (reader.decimal("pin", 255)?, reader.decimal("vector", 107)?);
    if reader.within("ioapic", 0..=0, 0) != 0 {
        return None;
    }
    let edge = reader.choice("trigger", ["level", "edge"], 0) == 1;
    let active_low = reader.choice("polarity", ["high", "low"], 0) == 1;
    Some(Irq { number, vector, id: 0, edge, active_low, place: reader.place() })
}

fn port(reader: &mut Reader, board: &Board, pd: &mut ProtectionDomain) {
    if board.isa != Isa::X86_64 {
        let text =
            format!("<ioport> does not exist on board {}; remove it, or move it into an overlay", board.name);
        return reader.problems.at(&reader.element.place, text);
    }
    let id = reader.decimal("id", MAX_ID.into());
    let (first, count) = (reader.required_number("addr"), reader.required_number("size"));
    let (Some(id), Some(first), Some(count)) = (id, first, count) else { return };
    if count == 0 || first.saturating_add(count) > 0x1_0000 {
        return reader.wrong(
            "size",
            format!("ports {first:#x} + {count:#x} leave the 64 Ki ports; lower one of them"),
        );
    }
    let id = id as u8;
    for (attribute, value) in [("setvar_id", u64::from(id)), ("setvar_addr", first)] {
        if let Some(symbol) = reader.optional(attribute) {
            add_setvar(&mut pd.setvars, symbol, SetValue::Number(value), attribute, reader);
        }
    }
    // `count` may be 0x10000 only from port 0: 0xffff ports then, the last one is reserved on every PC.
    pd.ports.push(Port { first: first as u16, count: count.min(0xffff) as u16, id, place: reader.place() });
}
