//! Reading a description that is for no board of ours, to report on it.
//!
//! One design rule: only what gives nobody a right is left out: the schedule of domains, and where the boot information
//! lies. Everything else that is not understood is refused by name.

use crate::description::descendants;
use crate::xml::{Element, Node};
use board_description::{Board, Device, Isa, Range};

/// Every physical address of a machine.
const ANYWHERE: &[Device] = &[Device { name: "any", range: Range { base: 0, size: 1 << 56 } }];

/// Some board of Microkit's: whatever a description says of devices and interrupts is there.
const ANY: Board = Board {
    name: "any",
    isa: Isa::Aarch64,
    default_cpu: "",
    ram: Range { base: 0, size: 0 },
    ram_most: 0,
    reserved: 0,
    image_base: 0,
    kept: Range { base: 0, size: 0 },
    devices: ANYWHERE,
    max_cores: u8::MAX,
    irq_first: 0,
    irq_count: u32::MAX,
    irq_others: &[],
    ipc_buffer: 0x7fff_ffff_f000,
};

/// The board that a description is for: PCs have I/O ports, and interrupts with pins and vectors.
pub fn board(tree: &Element) -> Board {
    let of_a_pc = |element: &Element| {
        let words = ["pin", "vector", "pcidev"];
        element.tag == "ioport"
            || element.tag == "irq" && words.iter().any(|word| element.value(word).is_some())
    };
    let isa = if descendants(tree).any(of_a_pc) { Isa::X86_64 } else { Isa::Aarch64 };
    Board { isa, ..ANY }
}

/// Removes what gives nobody a right.
pub fn leave_out(element: &mut Element) {
    element.children.retain(|node| !matches!(node, Node::Element(child) if child.tag == "domains"));
    let unused: &[&str] = match element.tag.as_str() {
        "protection_domain" => &["domain"],
        "memory_region" => &["prefill_bootinfo"],
        _ => &[],
    };
    element.attributes.retain(|attribute| !unused.contains(&attribute.name.as_str()));
    element.elements_mut().for_each(leave_out);
}
