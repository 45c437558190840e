//! What a description says of PCI devices: interrupts that they write as messages, and the memory that an IOMMU lets
//! them reach.
//!
//! One design rule: an isolation that a kernel does not enforce is not accepted for it. Address spaces of devices are
//! read here, because the official kernel has them on x86-64; `build_image` refuses them.

use crate::attribute::{Reader, shorten};
use crate::model::{Irq, LARGE_BITS, System};
use crate::problem::{Problems, did_you_mean};
use crate::xml::Element;
use board_description::{Board, Isa};
use kernel_spec::IrqEnd;

/// Addresses that seL4's page tables for devices translate.
const IO_ADDRESS_END: u64 = 1 << 39;

/// An interrupt that the PCI device writes as a message. Which device it is matters to an IOMMU only.
pub fn message(reader: &mut Reader, device: &str) -> Option<Irq> {
    for attribute in ["irq", "pin", "ioapic", "trigger", "polarity"] {
        if reader.optional(attribute).is_some() {
            reader.wrong(attribute, "belongs to a wired interrupt; leave it out beside 'pcidev'");
        }
    }
    pci_address(reader, "pcidev", device);
    reader.decimal("handle", u32::MAX)?;
    let vector = reader.decimal("vector", 107)?;
    let number = IrqEnd::FIRST_MESSAGE + vector;
    Some(Irq { number, vector, id: 0, edge: true, active_low: false, place: reader.place() })
}

/// Checks BUS:DEVICE.FUNCTION.
fn pci_address(reader: &mut Reader, attribute: &str, text: &str) {
    let number = |digits: &str, most: u32| {
        let hexadecimal = !digits.is_empty() && digits.len() <= 2 && !digits.starts_with('+');
        hexadecimal && u32::from_str_radix(digits, 16).is_ok_and(|number| number <= most)
    };
    let parts = text.split_once(':').and_then(|(bus, rest)| Some((bus, rest.split_once('.')?)));
    let good = parts.is_some_and(|(bus, (device, function))| {
        number(bus, 0xff) && number(device, 0x1f) && number(function, 7)
    });
    if !good {
        let text = format!("is '{}'; write BUS:DEVICE.FUNCTION in hexadecimal, as 00:04.0", shorten(text));
        reader.wrong(attribute, text);
    }
}

/// Reads `<io_address_space>`, which boards of the official kernel with an IOMMU have.
pub fn io_spaces(tree: &Element, board: &Board, system: &mut System, problems: &mut Problems) {
    for element in tree.elements().filter(|element| element.tag == "io_address_space") {
        if board.isa != Isa::X86_64 {
            let text = "<io_address_space> is refused: Cloister's kernel programs no IOMMU on";
            problems.at(&element.place, format!("{text} {}; remove it", board.name));
            continue;
        }
        let mut reader = Reader { element, problems };
        let name = reader.text("name").unwrap_or_default().to_owned();
        if let Some(device) = reader.text("peripheral_id") {
            pci_address(&mut reader, "peripheral_id", device);
        }
        reader.decimal("domain_id", 0xffff);
        if system.io_spaces.contains(&name) {
            reader.wrong("name", format!("'{}' is used twice; choose another", shorten(&name)));
        }
        system.io_spaces.push(name);
        for element in element.elements().filter(|element| element.tag == "iomap") {
            io_map(&mut Reader { element, problems }, system);
        }
    }
}

fn io_map(reader: &mut Reader, system: &System) {
    let name = reader.text("mr").unwrap_or_default();
    let Some(region) = system.region(name).map(|index| &system.regions[index]) else {
        let close = did_you_mean(name, system.regions.iter().map(|region| region.name.as_str()));
        return reader.wrong("mr", format!("there is no memory region '{}'{close}", shorten(name)));
    };
    if region.page_bits == LARGE_BITS {
        let text = format!("'{name}' has pages of 2 MiB, which seL4 does not map for devices; use 4 KiB");
        reader.wrong("mr", text);
    }
    let address = reader.required_number("iovaddr");
    let fits = |start: u64| start.checked_add(region.size).is_some_and(|end| end <= IO_ADDRESS_END);
    if address.is_some_and(|start| !start.is_multiple_of(0x1000) || !fits(start)) {
        reader.wrong("iovaddr", "must be a multiple of 0x1000, the region's end at most 2^39");
    }
    if reader.optional("perms").is_some_and(|perms| !["r", "w", "rw"].contains(&perms)) {
        reader.wrong("perms", "must be r, w or rw");
    }
}
