//! Whether two images are made of the same program files: every page of every program is looked for in both.
//!
//! One design rule: bytes, not names. An image builder writes the variables that the description sets into a program's
//! constants; such a page is in neither image as the file has it, and there may be no more than [`CHANGED`] of a program.

use anyhow::{Result, ensure};
use memchr::memmem;
use std::collections::BTreeMap;
use tools_sysgen::ProgramImage;

const PAGE: usize = 0x1000;
/// Most pages of one program that hold variables.
const CHANGED: usize = 2;
/// A page with fewer bytes before its zeros says too little.
const TELLING: usize = 64;

/// Looks for the pages of `programs` in both images; how many are in both.
///
/// # Errors
/// Names the program and the page that only one image has, and the program of which too much is in neither.
pub fn same(programs: &BTreeMap<String, Vec<u8>>, ours: &[u8], official: &[u8]) -> Result<usize> {
    let mut found = 0;
    for (name, file) in programs {
        let (mut changed, before) = (0, found);
        for (address, page) in pages(name, file)? {
            let [here, there] = [ours, official].map(|image| memmem::find(image, &page).is_some());
            ensure!(here == there, "{name}.elf: the page at {address:#x} is in one of the two images only");
            found += usize::from(here);
            changed += usize::from(!here);
        }
        ensure!(changed <= CHANGED, "{name}.elf: {changed} of its pages are in neither image");
        ensure!(found > before, "{name}.elf: none of its pages is in the images");
    }
    Ok(found)
}

/// Pages of the segments, without the zeros at their ends.
fn pages(name: &str, file: &[u8]) -> Result<Vec<(u64, Vec<u8>)>> {
    let board = tools_sysgen::board("qemu_virt_aarch64").map_err(|wrong| anyhow::anyhow!("{wrong}"))?;
    let program = ProgramImage::parse(file, file, &board)
        .map_err(|problems| anyhow::anyhow!("{name}.elf: {}", problems.join("; ")))?;
    let pages = program.segments.iter().flat_map(|segment| {
        let starts = (segment.vaddr..).step_by(PAGE);
        starts.zip(segment.data.chunks(PAGE)).map(|(address, page)| (address, trimmed(page)))
    });
    Ok(pages.filter(|(_, page)| page.len() >= TELLING).collect())
}

fn trimmed(page: &[u8]) -> Vec<u8> {
    let end = page.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    page[..end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::{same, trimmed};
    use board_description::Isa;
    use std::collections::BTreeMap;

    #[test]
    fn zeros_at_the_end_of_a_page_do_not_count() {
        assert_eq!(trimmed(&[1, 0, 2, 0, 0]), [1, 0, 2]);
        assert!(trimmed(&[0; 16]).is_empty());
    }

    #[test]
    fn a_program_that_an_image_lacks_is_named() {
        let own = std::fs::read(crate::build::program_folder(Isa::Aarch64).join("timer.elf"));
        let Ok(file) = own else { return eprintln!("skipped: no programs have been built") };
        let programs = BTreeMap::from([("timer".to_owned(), file.clone())]);
        assert!(same(&programs, &file, &file).unwrap() > 0);
        let said = same(&programs, &file, &[]).unwrap_err().to_string();
        assert!(said.contains("timer.elf") && said.contains("one of the two"), "{said}");
        assert!(same(&programs, &[], &[]).unwrap_err().to_string().contains("in neither"));
    }
}
