//! From the checked tree to the typed [`System`].
//!
//! One design rule: names are turned into indices here and nowhere else; an unknown name lists what there is.

use crate::attribute::{Reader, shorten};
use crate::model::{
    Channel, End, LARGE_BITS, Location, MAX_ID, ProtectionDomain, Region, SMALL_BITS, SetValue, SetVar,
    System,
};
use crate::problem::{Problems, did_you_mean};
use crate::search::SearchPath;
use crate::xml::{Element, Node};
use crate::{domain, lint, pci};
use board_description::Board;
use std::collections::HashMap;

/// Largest memory region: half of the largest user space.
const MAX_REGION: u64 = 1 << 47;

/// What a description is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An image for Cloister's kernel: its rules count as well as Microkit's.
    Image,
    /// A report on what it gives to whom: Microkit's rules alone.
    Report,
}

/// Reads a tree that passed the grammar.
pub fn system(
    tree: Element,
    board: &Board,
    search: &SearchPath,
    purpose: Purpose,
    problems: &mut Problems,
) -> System {
    let mut system = System {
        pds: Vec::new(),
        regions: Vec::new(),
        channels: Vec::new(),
        trust_domains: Vec::new(),
        io_spaces: Vec::new(),
        warnings: Vec::new(),
        tree: Element { children: Vec::new(), ..tree.clone() },
    };
    for element in tree.elements().filter(|element| element.tag == "memory_region") {
        let region = region(&mut Reader { element, problems }, board, search);
        system.regions.push(region);
    }
    let mut parser = domain::Parser { board, regions: index(&system), problems, pds: Vec::new() };
    for element in tree.elements().filter(|element| element.tag == "protection_domain") {
        parser.domain(element, None, 0);
    }
    system.pds = parser.pds;
    for element in tree.elements().filter(|element| element.tag == "channel") {
        system.channels.extend(channel(element, &mut system.pds, problems));
    }
    system.trust_domains =
        tree.children.iter().filter_map(|node| directive(node, &system, problems)).collect();
    page_sizes(&tree, &mut system);
    pci::io_spaces(&tree, board, &mut system, problems);
    system.tree = tree;
    lint::check(&mut system, board, purpose, problems);
    system
}

fn index(system: &System) -> HashMap<String, usize> {
    let mut index = HashMap::new();
    for (at, region) in system.regions.iter().enumerate() {
        index.entry(region.name.clone()).or_insert(at);
    }
    index
}

fn region(reader: &mut Reader, board: &Board, search: &SearchPath) -> Region {
    let prefill = reader.optional("prefill_path").map(str::to_owned);
    let page = match reader.number("page_size") {
        Some(0x20_0000) => 0x20_0000_u64,
        Some(0x1000) | None => 0x1000,
        Some(other) => {
            reader.wrong("page_size", format!("is {other:#x}; supported are 0x1000 and 0x200000"));
            0x1000
        }
    };
    let size = region_size(reader, prefill.as_deref(), page, search);
    let location = location(reader, board, page, size);
    if prefill.is_some() && location != Location::Chosen {
        reader.wrong(
            "prefill_path",
            "cannot be combined with phys_addr: prefilled pages lie in the image; drop one",
        );
    }
    Region {
        name: reader.text("name").unwrap_or_default().to_owned(),
        size,
        page_bits: page.trailing_zeros() as u8,
        location,
        prefill,
        place: reader.place(),
    }
}

fn region_size(reader: &mut Reader, prefill: Option<&str>, page: u64, search: &SearchPath) -> u64 {
    let size = match (reader.optional("size"), prefill) {
        (Some(_), _) => reader.number("size"),
        (None, Some(path)) => match search.size(path) {
            Ok(bytes) => bytes.checked_next_multiple_of(page),
            Err(error) => {
                reader.wrong("prefill_path", format!("{error}; or give the region a size"));
                None
            }
        },
        (None, None) => {
            reader.wrong("size", "is missing; only a region with prefill_path may leave it out");
            None
        }
    };
    match size {
        Some(size) if size > 0 && size.is_multiple_of(page) && size <= MAX_REGION => size,
        Some(size) if size > MAX_REGION => {
            reader.wrong("size", format!("is {size:#x}; a region has at most {MAX_REGION:#x} bytes"));
            page
        }
        Some(size) => {
            let next = size.max(1).next_multiple_of(page);
            reader.wrong(
                "size",
                format!("is {size:#x}; it must be whole pages of {page:#x}, for example {next:#x}"),
            );
            page
        }
        None => page,
    }
}

fn location(reader: &mut Reader, board: &Board, page: u64, size: u64) -> Location {
    let Some(base) = reader.number("phys_addr") else { return Location::Chosen };
    if base % page != 0 {
        let below = base - base % page;
        reader.wrong(
            "phys_addr",
            format!("{base:#x} is not aligned to the page size {page:#x}; use {below:#x}"),
        );
        return Location::Chosen;
    }
    if board.ram.holds(base, size) {
        return Location::Ram(base);
    }
    if board.devices.iter().any(|device| device.range.holds(base, size)) {
        return Location::Device(base);
    }
    let known = board.devices.iter().map(|d| format!("{} {:#x}..{:#x}", d.name, d.range.base, d.range.end()));
    let known = known.chain([format!("RAM {:#x}..{:#x}", board.ram.base, board.ram.end())]);
    let known = known.collect::<Vec<_>>().join(", ");
    let end = base.saturating_add(size);
    reader
        .wrong("phys_addr", format!("{base:#x}..{end:#x} lies in no range of board {}: {known}", board.name));
    Location::Chosen
}

/// The largest page that fits size, physical and virtual addresses, where the description names none (as in Microkit).
fn page_sizes(tree: &Element, system: &mut System) {
    let large = |address: u64| address.is_multiple_of(1 << LARGE_BITS);
    let elements = tree.elements().filter(|element| element.tag == "memory_region");
    let io: Vec<_> =
        tree.elements().flat_map(|space| space.elements()).filter_map(|e| e.value("mr")).collect();
    for (index, element) in elements.enumerate() {
        let region = &mut system.regions[index];
        if element.value("page_size").is_some() || !large(region.size) || io.contains(&region.name.as_str()) {
            continue;
        }
        let physical = match region.location {
            Location::Ram(base) | Location::Device(base) => large(base),
            Location::Chosen => true,
        };
        let mut maps = system.pds.iter().flat_map(|pd| &pd.maps).filter(|map| map.region == index);
        region.page_bits = if physical && maps.all(|map| large(map.vaddr)) { LARGE_BITS } else { SMALL_BITS };
    }
}

fn channel(element: &Element, pds: &mut [ProtectionDomain], problems: &mut Problems) -> Option<Channel> {
    let ends: Vec<_> = element.elements().filter_map(|element| end(element, pds, problems)).collect();
    if element.elements().count() != 2 {
        problems.at(&element.place, "<channel> must have exactly two <end> elements, one for each PD");
        return None;
    }
    let ends: [End; 2] = ends.try_into().ok()?;
    if ends[0].pp && ends[1].pp {
        problems.at(
            &ends[1].place,
            "<end> attribute 'pp': both ends call each other; only the lower priority may call",
        );
    }
    Some(Channel { ends })
}

fn end(element: &Element, pds: &mut [ProtectionDomain], problems: &mut Problems) -> Option<End> {
    let mut reader = Reader { element, problems };
    let name = reader.text("pd");
    let id = reader.decimal("id", MAX_ID.into());
    let (notify, pp) = (reader.boolean("notify", true), reader.boolean("pp", false));
    let Some(pd) = pds.iter().position(|pd| Some(pd.name.as_str()) == name) else {
        if let Some(name) = name {
            let close = did_you_mean(name, pds.iter().map(|pd| pd.name.as_str()));
            reader.wrong("pd", format!("there is no protection domain '{}'{close}", shorten(name)));
        }
        return None;
    };
    let id = id? as u8;
    if let Some(symbol) = reader.optional("setvar_id") {
        let value = SetValue::Number(id.into());
        add_setvar(&mut pds[pd].setvars, symbol, value, "setvar_id", &mut reader);
    }
    Some(End { pd, id, notify, pp, place: element.place.clone() })
}

/// Adds a symbol to write, unless the PD already writes it.
pub fn add_setvar(
    setvars: &mut Vec<SetVar>,
    symbol: &str,
    value: SetValue,
    attribute: &str,
    reader: &mut Reader,
) {
    if setvars.iter().any(|setvar| setvar.symbol == symbol) {
        reader.wrong(
            attribute,
            format!("symbol '{}' is already set in this PD; use each once", shorten(symbol)),
        );
        return;
    }
    let place = reader.element.place_of(attribute).clone();
    let origin = format!("<{}> attribute '{attribute}'", reader.element.tag);
    setvars.push(SetVar { symbol: symbol.into(), value, origin, place });
}

/// `<?cloister trust-domain="a b c"?>`; any other text for `cloister` is an error, other targets are not ours.
fn directive(node: &Node, system: &System, problems: &mut Problems) -> Option<Vec<usize>> {
    let Node::Directive { target, text, place } = node else { return None };
    if target != "cloister" {
        return None;
    }
    let names = text.trim().strip_prefix("trust-domain=\"").and_then(|rest| rest.strip_suffix('"'));
    let Some(names) = names.filter(|names| !names.contains('"')) else {
        let text = shorten(text);
        problems
            .at(place, format!("<?cloister {text}?> is not known; write <?cloister trust-domain=\"a b\"?>"));
        return None;
    };
    let mut members = Vec::new();
    for name in names.split_whitespace() {
        match system.pd(name) {
            Some(pd) => members.push(pd),
            None => {
                let close = did_you_mean(name, system.pds.iter().map(|pd| pd.name.as_str()));
                let name = shorten(name);
                problems.at(place, format!("trust-domain: there is no protection domain '{name}'{close}"));
            }
        }
    }
    Some(members)
}
