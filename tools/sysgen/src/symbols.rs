//! Writes the symbols through which a program learns about its system.
//!
//! One design rule: the same symbols with the same values as Microkit 2.3.0 writes (`tool/microkit/src/symbols.rs`), so a
//! program cannot tell which tool built its image.

use crate::elf::ProgramImage;
use crate::inputs::Inputs;
use crate::model::{ProtectionDomain, SetValue, System};
use crate::problem::Problems;

/// Writes all symbols; `addresses` are the regions' physical addresses, if known yet.
///
/// # Errors
/// Every symbol that is missing, ambiguous or of another size.
pub fn write(system: &System, inputs: &mut Inputs, addresses: &[u64]) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for (index, pd) in system.pds.iter().enumerate() {
        let program = &mut inputs.programs[index];
        fixed(system, index, program, &mut problems);
        for setvar in &pd.setvars {
            let value = match setvar.value {
                SetValue::Number(number) => number,
                SetValue::RegionSize(region) => system.regions[region].size,
                SetValue::RegionPaddr(region) => addresses.get(region).copied().unwrap_or(0),
                SetValue::PrefillSize(region) => inputs.prefills[region].as_ref().map_or(0, Vec::len) as u64,
            };
            if let Err(message) = program.write(&setvar.symbol, &value.to_le_bytes(), true) {
                let text = format!("{} of PD '{}' ('{}'): {message}", setvar.origin, pd.name, pd.image);
                problems.at(&setvar.place, text);
            }
        }
    }
    problems.or(())
}

/// The symbols that every program has.
fn fixed(system: &System, index: usize, program: &mut ProgramImage, problems: &mut Problems) {
    let pd = &system.pds[index];
    let mut name = [0; 64];
    name[..pd.name.len()].copy_from_slice(pd.name.as_bytes());
    let mut write = |symbol: &str, value: &[u8]| {
        if let Err(message) = program.write(symbol, value, false) {
            let text = format!("<program_image> of PD '{}' ('{}'): {message}", pd.name, pd.image);
            problems.at(&pd.image_place, text);
        }
    };
    write("microkit_name", &name);
    write("microkit_passive", &[u8::from(pd.passive)]);
    for (symbol, ids) in ids(system, index, pd) {
        write(symbol, &ids.to_le_bytes());
    }
}

/// One bit for each id that the PD has of a kind.
fn ids(system: &System, index: usize, pd: &ProtectionDomain) -> [(&'static str, u64); 4] {
    let bits = |all: &mut dyn Iterator<Item = u8>| all.fold(0, |bits, id| bits | 1 << id);
    let ends = || system.channels.iter().flat_map(|channel| &channel.ends).filter(|end| end.pd == index);
    [
        ("microkit_irqs", bits(&mut pd.irqs.iter().map(|irq| irq.id))),
        ("microkit_notifications", bits(&mut ends().filter(|end| end.notify).map(|end| end.id))),
        ("microkit_pps", bits(&mut ends().filter(|end| end.pp).map(|end| end.id))),
        ("microkit_ioports", bits(&mut pd.ports.iter().map(|port| port.id))),
    ]
}
