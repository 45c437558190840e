//! No input makes the tool panic: damaged descriptions, overlays, programs and kernels.

mod common;

use common::{BOARD, folder, kernel, program};
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::LazyLock;
use tools_sysgen::{Description, SearchPath, build_image};

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("robustness"));

const SYSTEM: &str = r#"<system><?cloister trust-domain="a b"?>
<memory_region name="r" size="0x200000" page_size="0x200000" prefill_path="small.bin" />
<memory_region name="u" size="0x1000" phys_addr="0x9000000" />
<protection_domain name="a" priority="9" budget="100" period="200" stack_size="0x3000" cpu="1" fpu="false">
<program_image path="pd.elf" /><map mr="r" vaddr="0x4000000" perms="rw" setvar_size="region_size" />
<protection_domain name="b" id="3" priority="8" passive="true"><program_image path="pd.elf" />
<map mr="u" vaddr="0x5000000" cached="false" /><irq irq="33" id="5" trigger="edge" />
<setvar symbol="region_paddr" region_paddr="r" /></protection_domain></protection_domain>
<channel><end pd="b" id="0" pp="true" setvar_id="region_start" /><end pd="a" id="61" notify="false" /></channel>
</system>"#;

/// Words that damage a description where they land.
const WORDS: &[&str] = &[
    "0",
    "-1",
    "0x",
    "18446744073709551615",
    "0xffffffffffffffff",
    "0x7fffffffff000",
    "\"",
    "<",
    "/>",
    "&#0;",
    "é",
    "u",
    "r",
    "a",
    "cpu=\"9\"",
    "<map mr=\"r\" vaddr=\"0x9000000\" />",
    "size",
    "true",
    "</protection_domain>",
    "?>",
    "0x40200000",
    "0x50000000",
];

/// Replaces pieces of a text by words.
fn damaged(text: &str, cuts: &[(usize, usize, usize)]) -> String {
    let mut text = text.to_owned();
    for (at, len, word) in cuts {
        let start = at % (text.len() + 1);
        let start = (0..=start).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let end = (start + len % 12).min(text.len());
        let end = (end..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(start);
        text.replace_range(start..end, WORDS[word % WORDS.len()]);
    }
    text
}

fn flipped(mut bytes: Vec<u8>, flips: &[(usize, u8)]) -> Vec<u8> {
    for (at, value) in flips {
        // Most flips hit the headers at the start and the tables at the end.
        let at = if at % 2 == 0 { at / 2 % 256 } else { bytes.len() - 1 - at / 2 % 1024 };
        bytes[at] = *value;
    }
    bytes
}

fn cuts() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    prop::collection::vec((any::<usize>(), any::<usize>(), any::<usize>()), 0..4)
}

fn flips() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((any::<usize>(), any::<u8>()), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_damaged_description_is_built_or_refused(cuts in cuts()) {
        let Ok(description) = Description::parse("system.xml", &damaged(SYSTEM, &cuts)) else { return Ok(()) };
        let search = SearchPath(vec![FOLDER.clone()]);
        let Ok(system) = description.resolve(&BOARD, &search) else { return Ok(()) };
        let _ = build_image(&system, &search, &kernel().bytes(), &BOARD);
    }

    #[test]
    fn a_damaged_overlay_is_applied_or_refused(cuts in cuts(), cores in 0_u8..4) {
        let overlay = SYSTEM.replace("<system>", "<overlay>").replace("</system>", "</overlay>").replace(" trust", "  trust");
        let mut description = Description::parse("system.xml", SYSTEM).unwrap();
        let _ = description.overlay("overlay.xml", &damaged(&overlay, &cuts));
        description.limit_cores(cores);
        let _ = description.resolve(&BOARD, &SearchPath(vec![FOLDER.clone()]));
    }

    #[test]
    fn a_damaged_program_is_built_or_refused(flips in flips(), length in 0_usize..20_000) {
        let mut bytes = flipped(program().bytes(), &flips);
        bytes.truncate(length.max(if flips.len() > 1 { bytes.len() } else { 0 }));
        let path = FOLDER.join("damaged.elf");
        std::fs::write(&path, bytes).unwrap();
        let text = SYSTEM.replacen("pd.elf", "damaged.elf", 1);
        let search = SearchPath(vec![FOLDER.clone()]);
        let system = Description::parse("system.xml", &text).unwrap().resolve(&BOARD, &search).unwrap();
        let _ = build_image(&system, &search, &kernel().bytes(), &BOARD);
    }

    #[test]
    fn a_damaged_kernel_is_built_or_refused(flips in flips()) {
        let search = SearchPath(vec![FOLDER.clone()]);
        let system = Description::parse("system.xml", SYSTEM).unwrap().resolve(&BOARD, &search).unwrap();
        let _ = build_image(&system, &search, &flipped(kernel().bytes(), &flips), &BOARD);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,200}") {
        if let Ok(description) = Description::parse("system.xml", &text) {
            let _ = description.resolve(&BOARD, &SearchPath::default());
        }
    }
}

#[test]
fn the_undamaged_system_builds() {
    let search = SearchPath(vec![FOLDER.clone()]);
    let system = Description::parse("system.xml", SYSTEM).unwrap().resolve(&BOARD, &search).unwrap();
    assert!(build_image(&system, &search, &kernel().bytes(), &BOARD).is_ok());
}

#[test]
fn thousands_of_errors_are_reported_without_a_long_wait() {
    let mut text = String::from("<system>");
    for index in 0..4000 {
        text.push_str(&format!("<memory_region name=\"region_{index}\" size=\"0x1000\" />\n"));
        text.push_str(&format!("<protection_domain name=\"pd_{index}\"><program_image path=\"x\" />"));
        text.push_str("<map mr=\"no_such_region\" vaddr=\"0x1000\" /></protection_domain>\n");
    }
    text.push_str("</system>");
    let problems = Description::parse("system.xml", &text).unwrap().resolve(&BOARD, &SearchPath::default());
    assert!(problems.unwrap_err().list().len() > 4000);
}

#[test]
fn a_huge_region_is_refused_without_a_long_wait() {
    let text = SYSTEM
        .replace("0x200000\" page_size=\"0x200000\" prefill_path=\"small.bin", "0x7fffff0000")
        .replace("0x4000000", "0x10000000");
    let search = SearchPath(vec![FOLDER.clone()]);
    let system = Description::parse("system.xml", &text).unwrap().resolve(&BOARD, &search).unwrap();
    let error = build_image(&system, &search, &kernel().bytes(), &BOARD).err().unwrap_or_default();
    assert!(error.to_string().contains("RAM is full"), "{error}");
}
