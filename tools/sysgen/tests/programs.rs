//! Program images and kernels that cannot work are refused with the reason and the fix.

mod common;

use common::{BOARD, EXECUTE, Elf, READ, Segment, WRITE, folder, kernel, program, resolve};
use tools_sysgen::{SearchPath, build_image};

const SYSTEM: &str = r#"<system>
    <memory_region name="r" size="0x1000" />
    <protection_domain name="a">
        <program_image path="pd.elf" />
        MAP
    </protection_domain>
</system>"#;

fn build(test: &str, map: &str, program: &[u8], kernel: &[u8]) -> String {
    let folder = folder(test);
    std::fs::write(folder.join("pd.elf"), program).unwrap();
    let system = resolve(&SYSTEM.replace("MAP", map), &folder).unwrap();
    match build_image(&system, &SearchPath(vec![folder]), kernel, &BOARD) {
        Ok(_) => "built".into(),
        Err(problems) => problems.to_string(),
    }
}

/// The message for a PD's ELF that was changed in one way.
fn refused(test: &str, change: impl FnOnce(&mut Elf)) -> String {
    let mut elf = program();
    change(&mut elf);
    build(test, "", &elf.bytes(), &kernel().bytes())
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

#[test]
fn a_correct_program_builds() {
    assert_eq!(refused("correct", |_| {}), "built");
}

#[test]
fn files_that_are_no_program_for_this_board() {
    let place = "error: system.xml:4:9: <program_image> attribute 'path' of PD 'a': 'pd.elf': ";
    let text = build("text", "", b"#!/bin/sh\n", &kernel().bytes());
    says(&text, &[place, "not a 64-bit ELF file"]);
    says(&refused("x86", |elf| elf.machine = 62), &[place, "machine 62", "build it for this board"]);
    says(&refused("pie", |elf| elf.kind = 3), &[place, "position-independent", "relocation-model=static"]);
    says(&refused("object", |elf| elf.kind = 1), &[place, "not an executable; link it"]);
    says(&refused("stripped", |elf| elf.symbol_table = false), &[place, "no symbol table", "strip"]);
    says(&refused("entry", |elf| elf.entry = common::DATA), &[place, "entry point", "no executable segment"]);
}

#[test]
fn segments_that_cannot_be_mapped() {
    says(
        &refused("wx", |elf| elf.segments[1].flags = READ | WRITE | EXECUTE),
        &["W^X", "separate code and data"],
    );
    says(&refused("unreadable", |elf| elf.segments[0].flags = EXECUTE), &["not readable"]);
    let shared = |elf: &mut Elf| {
        let (vaddr, data) = (0x20_1800, vec![0; 8]);
        elf.segments.push(Segment { vaddr, paddr: vaddr, flags: READ, data, memory: 8 });
    };
    says(&refused("shared", shared), &["two segments share the page at 0x201000", "align"]);
    says(&refused("huge", |elf| elf.segments[1].memory = 1 << 40), &["more than 1 GiB"]);
    says(&refused("top", |elf| elf.segments[1].vaddr = u64::MAX - 0x2000), &["impossible sizes"]);
    says(
        &refused("stack", |elf| elf.segments[1].vaddr = 0xff_ffff_9000),
        &["reaches the stack", "link it lower"],
    );
    let mut cut = program().bytes();
    cut.truncate(0x400);
    says(&build("cut", "", &cut, &kernel().bytes()), &["outside the file"]);
}

#[test]
fn a_map_over_the_program_names_both() {
    let message = build("over", r#"<map mr="r" vaddr="0x200000" />"#, &program().bytes(), &kernel().bytes());
    says(&message, &["system.xml:5:9", "region 'r' at 0x200000", "segment 0x200000..0x202000"]);
}

#[test]
fn symbols_that_microkit_needs() {
    for name in [
        "microkit_name",
        "microkit_passive",
        "microkit_irqs",
        "microkit_notifications",
        "microkit_pps",
        "microkit_ioports",
    ] {
        let message = refused(name, |elf| elf.symbols.retain(|symbol| symbol.name != name));
        says(&message, &[&format!("no symbol '{name}'"), "#[no_mangle]"]);
    }
    says(
        &refused("short-name", |elf| elf.symbols[0].size = 16),
        &["'microkit_name' has 16 bytes", "must have 64"],
    );
    says(
        &refused("twice", |elf| elf.symbols.push(elf.symbols[2].clone())),
        &["'microkit_irqs' exists 2 times"],
    );
    says(
        &refused("outside", |elf| elf.symbols[2].address = 0x99_0000),
        &["'microkit_irqs' lies in no loadable segment"],
    );
}

#[test]
fn symbols_that_the_description_sets() {
    let set = |test: &str, symbol: &str| {
        let map = format!(r#"<map mr="r" vaddr="0x1000000" setvar_vaddr="{symbol}" />"#);
        build(test, &map, &program().bytes(), &kernel().bytes())
    };
    assert_eq!(set("set", "region_start"), "built");
    says(
        &set("unknown", "region_strat"),
        &[
            "system.xml:5:39: <map> attribute 'setvar_vaddr' of PD 'a'",
            "no symbol 'region_strat'",
            "did you mean 'region_start'?",
        ],
    );
    says(&set("small", "small"), &["symbol 'small' has 4 bytes; it must have 8"]);
    says(&set("ambiguous", "twice"), &["symbol 'twice' exists 2 times"]);
}

#[test]
fn kernels_that_cannot_boot() {
    let refused = |test: &str, change: &dyn Fn(&mut Elf)| {
        let mut elf = kernel();
        change(&mut elf);
        build(test, "", &program().bytes(), &elf.bytes())
    };
    says(
        &refused("k-place", &|elf| elf.segments[0].paddr = 0x4000_0000),
        &["kernel's ELF", "0x40000000 lies outside"],
    );
    says(&refused("k-magic", &|elf| elf.segments[0].data[56] = 0), &["no Linux arm64 image header"]);
    says(&refused("k-symbol", &|elf| elf.symbols.truncate(1)), &["no symbol 'cloister_spec_size'"]);
    says(
        &refused("k-bss", &|elf| elf.symbols[0].address += 0x2000),
        &["'cloister_spec_paddr' has no contents"],
    );
    says(&refused("k-huge", &|elf| elf.segments[0].memory = 1 << 50), &["lies outside"]);
}

#[test]
fn machines_that_are_too_small() {
    let folder = folder("small-ram");
    let text = SYSTEM
        .replace("0x1000\"", "0x40000000\" page_size=\"0x200000\"")
        .replace("MAP", r#"<map mr="r" vaddr="0x40000000" />"#);
    let system = resolve(&text, &folder).unwrap();
    let search = SearchPath(vec![folder]);
    let small = build_image(&system, &search, &kernel().bytes(), &BOARD.with_ram(512 << 20));
    let message = small.err().map(|problems| problems.to_string()).unwrap_or_default();
    says(&message, &["RAM is full at region 'r'", "516 MiB are missing", "--ram"]);
}

#[test]
fn a_fixed_region_within_the_image_is_named() {
    let folder = folder("within");
    let text = SYSTEM
        .replace("0x1000\"", "0x1000\" phys_addr=\"0x40201000\"")
        .replace("MAP", r#"<map mr="r" vaddr="0x40000000" />"#);
    let system = resolve(&text, &folder).unwrap();
    let built = build_image(&system, &SearchPath(vec![folder]), &kernel().bytes(), &BOARD);
    says(
        &built.err().map(|p| p.to_string()).unwrap_or_default(),
        &["system.xml:2:5", "'phys_addr' of 'r'", "within the image"],
    );
}

#[test]
fn a_prefill_larger_than_its_region_is_refused() {
    let folder = folder("large-prefill");
    std::fs::write(folder.join("large.bin"), vec![1; 0x1001]).unwrap();
    let text = SYSTEM
        .replace("0x1000\"", "0x1000\" prefill_path=\"large.bin\"")
        .replace("MAP", r#"<map mr="r" vaddr="0x40000000" />"#);
    let system = resolve(&text, &folder).unwrap();
    let built = build_image(&system, &SearchPath(vec![folder]), &kernel().bytes(), &BOARD);
    says(
        &built.err().map(|p| p.to_string()).unwrap_or_default(),
        &["system.xml:2:5", "0x1000 is less than", "0x1001"],
    );
}
