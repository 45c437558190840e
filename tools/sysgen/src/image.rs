//! Puts an image together: kernel, compiled description, program pages and prefills at their final addresses.
//!
//! One design rule: byte `i` of the image is physical address `image_base + i`, and nothing is moved at boot.

use crate::inputs::Inputs;
use crate::kernel::Kernel;
use crate::model::System;
use crate::plan::{self, Plan, Source};
use crate::problem::{Problem, Problems};
use crate::report::{self, Facts};
use crate::search::SearchPath;
use crate::{spec, symbols};
use board_description::Board;
use kernel_spec::Spec;

/// A bootable image.
pub struct Image {
    /// The contents, for physical load at the board's image address.
    pub bytes: Vec<u8>,
    /// Where the kernel's ELF file begins to execute; a physical address where boot loaders want one.
    pub entry: u64,
    /// The report for people.
    pub report: String,
    /// First byte past the RAM that the system uses: a machine with less RAM cannot run it.
    pub ram_end: u64,
    /// What is allowed but probably not meant: the system's warnings and those of the files.
    pub warnings: Vec<Problem>,
}

/// Builds an image from a checked system and the kernel's ELF.
///
/// # Errors
/// Everything that is wrong with the files, or where RAM runs out.
pub fn build_image(
    system: &System,
    search: &SearchPath,
    kernel_elf: &[u8],
    board: &Board,
) -> Result<Image, Problems> {
    if let Some(name) = system.io_spaces.first() {
        let text =
            format!("<io_address_space> '{name}': Cloister's kernel programs no IOMMU on {}", board.name);
        return Err(Problems::one(format!("{text}; remove it, or use the official kernel")));
    }
    let mut inputs = Inputs::load(system, search, board)?;
    let kernel = Kernel::parse(kernel_elf, board);
    let mut kernel = kernel.map_err(|error| Problems::one(format!("the kernel's ELF file: {error}")))?;
    let kernel_end = board.image_base + kernel.bytes.len() as u64;
    // Symbols are written twice: before planning to find what is missing and which pages get contents, then with addresses.
    symbols::write(system, &mut inputs, &[])?;
    let plan = plan::plan(system, &inputs, spec::bound(system, &inputs), kernel_end, board)?;
    symbols::write(system, &mut inputs, &plan.regions)?;
    let compiled = spec::compile(system, &inputs, &plan, board);
    if compiled.len() as u64 > plan.spec.size || Spec::parse(&compiled).is_err() {
        return Err(Problems::one("the compiled description does not read back: this is a fault of sysgen"));
    }
    kernel.patch(plan.spec.base, compiled.len() as u64, plan.occupied_end - board.image_base, board);
    let warnings = warnings(system, &inputs);
    let report = report::report(&Facts {
        system,
        inputs: &inputs,
        plan: &plan,
        kernel: &kernel,
        board,
        warnings: &warnings,
    });
    Ok(Image {
        entry: kernel.entry,
        bytes: assemble(&inputs, &plan, kernel, &compiled, board),
        report,
        ram_end: plan.ram_end,
        warnings,
    })
}

fn assemble(inputs: &Inputs, plan: &Plan, kernel: Kernel, compiled: &[u8], board: &Board) -> Vec<u8> {
    let mut bytes = kernel.bytes;
    bytes.resize((plan.contents_end - board.image_base) as usize, 0);
    let mut put = |address: u64, contents: &[u8]| {
        let at = (address - board.image_base) as usize;
        bytes[at..at + contents.len()].copy_from_slice(contents);
    };
    put(plan.spec.base, compiled);
    for (program, mappings) in inputs.programs.iter().zip(&plan.mappings) {
        for mapping in mappings.iter().filter(|mapping| mapping.source == Source::Segment) {
            let segment = program.segments.iter().find(|segment| segment.vaddr == mapping.vaddr);
            put(mapping.paddr, segment.map_or(&[], |segment| &segment.data));
        }
    }
    for (prefill, address) in inputs.prefills.iter().zip(&plan.regions) {
        if let Some(contents) = prefill {
            put(*address, contents);
        }
    }
    bytes
}

/// The system's own warnings, programs with data that a restart does not renew, prefills that Microkit's tool cannot take.
fn warnings(system: &System, inputs: &Inputs) -> Vec<Problem> {
    let mut warnings = system.warnings.clone();
    for (pd, program) in system.pds.iter().zip(&inputs.programs) {
        let data: usize = program.segments.iter().filter(|s| s.permissions.write).map(|s| s.data.len()).sum();
        if data > 0 {
            let text =
                format!("<program_image> of PD '{}' has {data} bytes of initialised writable data", pd.name);
            let message = format!("{text}, which a restart does not renew; use zero-initialised statics");
            warnings.push(Problem { place: Some(pd.image_place.clone()), message });
        }
    }
    for (region, prefill) in system.regions.iter().zip(&inputs.prefills) {
        let len = prefill.as_ref().map_or(region.size, |contents| contents.len() as u64);
        if region.size - len >= 1 << region.page_bits {
            let text =
                format!("<memory_region> '{}' is a page or more larger than its prefill file", region.name);
            let message = format!("{text}; Microkit 2.3.0's tool stops at that: pad the file for it");
            warnings.push(Problem { place: Some(region.place.clone()), message });
        }
    }
    warnings
}
