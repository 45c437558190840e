//! Loads the files that a system names: program images and prefills.
//!
//! One design rule: all files are looked at before anything is built, so one run names all that are missing or wrong.

use crate::elf::ProgramImage;
use crate::model::{ProtectionDomain, System};
use crate::problem::Problems;
use crate::search::SearchPath;
use board_description::Board;

/// The loaded files of a system.
pub struct Inputs {
    /// Program image of each PD.
    pub programs: Vec<ProgramImage>,
    /// Prefill of each region that has one.
    pub prefills: Vec<Option<Vec<u8>>>,
}

impl Inputs {
    /// Loads everything.
    ///
    /// # Errors
    /// Everything that is missing or wrong.
    pub fn load(system: &System, search: &SearchPath, board: &Board) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut programs = Vec::new();
        for pd in &system.pds {
            programs.extend(program(pd, search, board, &mut problems));
        }
        let prefills = prefills(system, search, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        for (pd, program) in system.pds.iter().zip(&programs) {
            overlaps(system, pd, program, board, &mut problems);
        }
        problems.or(Self { programs, prefills })
    }
}

fn program(
    pd: &ProtectionDomain,
    search: &SearchPath,
    board: &Board,
    problems: &mut Problems,
) -> Option<ProgramImage> {
    let mut wrong = |attribute: &str, message: &str| {
        let text = format!("<program_image> attribute '{attribute}' of PD '{}': {message}", pd.name);
        problems.at(&pd.image_place, text);
    };
    let bytes = search.read(&pd.image).map_err(|error| wrong("path", &error)).ok()?;
    let other = match &pd.image_for_symbols {
        Some(path) => Some(search.read(path).map_err(|error| wrong("path_for_symbols", &error)).ok()?),
        None => None,
    };
    let parsed = ProgramImage::parse(&bytes, other.as_ref().unwrap_or(&bytes), board);
    parsed.map_err(|all| all.iter().for_each(|e| wrong("path", &format!("'{}': {e}", pd.image)))).ok()
}

fn prefills(system: &System, search: &SearchPath, problems: &mut Problems) -> Vec<Option<Vec<u8>>> {
    let mut prefills = Vec::new();
    for region in &system.regions {
        let read = region.prefill.as_ref().map(|path| search.read(path));
        let contents = match read {
            Some(Ok(contents)) if contents.len() as u64 > region.size => {
                let (len, size) = (contents.len(), region.size);
                let text = format!("<memory_region> attribute 'size' of '{}': {size:#x}", region.name);
                problems.at(
                    &region.place,
                    format!("{text} is less than its prefill file's {len:#x} bytes; enlarge it"),
                );
                None
            }
            Some(Ok(contents)) => Some(contents),
            Some(Err(error)) => {
                let text = format!("<memory_region> attribute 'prefill_path' of '{}': {error}", region.name);
                problems.at(&region.place, text);
                None
            }
            None => None,
        };
        prefills.push(contents);
    }
    prefills
}

/// Segments against maps, stack and IPC buffer; maps against each other were checked with the description.
fn overlaps(
    system: &System,
    pd: &ProtectionDomain,
    program: &ProgramImage,
    board: &Board,
    problems: &mut Problems,
) {
    let stack_guard = board.ipc_buffer - ipc_abi::STACK_GUARD - pd.stack_size - 0x1000;
    for segment in &program.segments {
        let (start, end) = (segment.vaddr, segment.vaddr + segment.size);
        if end > stack_guard {
            let text = format!("<program_image> of PD '{}': segment {start:#x}..{end:#x}", pd.name);
            let hint = format!("reaches the stack and its guard page at {stack_guard:#x}; link it lower");
            problems.at(&pd.image_place, format!("{text} {hint}"));
        }
        for map in &pd.maps {
            let region = &system.regions[map.region];
            if start < map.vaddr.saturating_add(region.size) && map.vaddr < end {
                let text = format!("<map> attribute 'vaddr' of PD '{}': region '{}'", pd.name, region.name);
                let hint = format!("overlaps the program's segment {start:#x}..{end:#x}; map it elsewhere");
                problems.at(&map.place, format!("{text} at {:#x} {hint}", map.vaddr));
            }
        }
    }
}
