//! Images from correct descriptions, read back byte by byte.

mod common;

use common::{BOARD, folder, kernel, program, resolve};
use kernel_spec::{Mapping, Spec};
use tools_sysgen::{Image, SearchPath, build_image};

const SYSTEM: &str = r#"<?xml version="1.0"?>
<system>
    <!-- two PDs, a parent and a child -->
    <memory_region name="a_to_b" size="0x1000" />
    <memory_region name="model" size="0x400000" page_size="0x200000" prefill_path="small.bin" />
    <memory_region name="big" size="0x400000" page_size="0x200000" />
    <memory_region name="uart" size="0x1000" phys_addr="0x9000000" />
    <protection_domain name="b" priority="100" passive="true" cpu="1" stack_size="0x4000">
        <program_image path="pd.elf" />
        <map mr="a_to_b" vaddr="0x3_000_000" perms="r" setvar_vaddr="region_start" />
        <map mr="uart" vaddr="0x5000000" cached="false" />
        <irq irq="33" id="3" />
        <setvar symbol="region_paddr" region_paddr="big" />
        <map mr="big" vaddr="0x6000000" />
        <protection_domain name="a" id="7" priority="50" budget="200" period="400" fpu="false">
            <program_image path="pd.elf" />
            <map mr="a_to_b" vaddr="0x3000000" setvar_size="region_size" />
            <map mr="model" vaddr="0x4000000" perms="r" setvar_prefill_size="in_bss" />
        </protection_domain>
    </protection_domain>
    <channel>
        <end pd="a" id="1" pp="true" />
        <end pd="b" id="2" notify="false" />
    </channel>
</system>"#;

struct Built {
    image: Image,
}

impl Built {
    fn new(test: &str, text: &str) -> Self {
        let folder = folder(test);
        let system = resolve(text, &folder).unwrap();
        let image = build_image(&system, &SearchPath(vec![folder]), &kernel().bytes(), &BOARD).unwrap();
        Self { image }
    }

    fn at(&self, address: u64, len: usize) -> &[u8] {
        let at = (address - BOARD.image_base) as usize;
        &self.image.bytes[at..at + len]
    }

    fn word(&self, address: u64) -> u64 {
        u64::from_le_bytes(self.at(address, 8).try_into().unwrap())
    }

    fn spec(&self) -> Spec<'_> {
        let kernel_data = BOARD.image_base + 0x2000;
        let (at, size) = (self.word(kernel_data), self.word(kernel_data + 8));
        Spec::parse(self.at(at, size as usize)).unwrap()
    }

    /// Where a PD's virtual address lies in RAM.
    fn physical(&self, pd: u16, vaddr: u64) -> (u64, Mapping) {
        let spec = self.spec();
        let holds =
            |m: &&Mapping| m.pd.get() == pd && vaddr >= m.vaddr.get() && vaddr - m.vaddr.get() < m.size.get();
        let mapping = spec.mappings.iter().find(holds).unwrap();
        (vaddr - mapping.vaddr.get() + mapping.paddr.get(), *mapping)
    }
}

#[test]
fn the_kernel_finds_its_description_and_the_loader_its_size() {
    let built = Built::new("header", SYSTEM);
    assert_eq!(built.at(BOARD.image_base + 56, 4), b"ARM\x64");
    assert_eq!(built.word(BOARD.image_base + 16), built.image.bytes.len() as u64);
    let fixed = SYSTEM.replace("\"big\" size", "\"big\" phys_addr=\"0x50000000\" size");
    assert_eq!(Built::new("fixed", &fixed).word(BOARD.image_base + 16), 0x5040_0000 - BOARD.image_base);
    assert!(built.image.bytes.len() as u64 <= built.image.ram_end - BOARD.image_base);
}

#[test]
fn domains_have_the_attributes_that_were_written() {
    let built = Built::new("domains", SYSTEM);
    let spec = built.spec();
    let (b, a) = (&spec.pds[0], &spec.pds[1]);
    assert_eq!((spec.name(0), spec.name(1)), ("b", "a"));
    assert_eq!((b.priority, b.core, b.flags), (100, 1, 1 | 2 | 4));
    assert_eq!((a.priority, a.core, a.flags, a.child_id), (50, 0, 0, 7));
    assert_eq!((a.budget_us.get(), a.period_us.get()), (200, 400));
    assert_eq!((a.parent.get(), b.parent.get()), (0, kernel_spec::NO_PD));
    assert_eq!(a.stack_top.get(), 0xff_ffff_e000);
    assert_eq!((spec.children[0].parent.get(), spec.children[0].child.get(), spec.children[0].id), (0, 1, 7));
    assert_eq!((spec.irqs[0].irq.get(), spec.irqs[0].id, spec.irqs[0].pd.get()), (33, 3, 0));
    assert_eq!((spec.calls.len(), spec.notifies.len()), (1, 1));
    assert_eq!((spec.calls[0].id, spec.calls[0].badge_id, spec.calls[0].target.get()), (1, 2, 0));
}

#[test]
fn symbols_are_written_as_microkit_does() {
    let built = Built::new("symbols", SYSTEM);
    let symbol = |pd, offset| built.physical(pd, common::DATA + offset).0;
    assert_eq!(built.at(symbol(0, 0), 2), b"b\0");
    assert_eq!((built.at(symbol(0, 64), 1), built.at(symbol(1, 64), 1)), (&[1][..], &[0][..]));
    assert_eq!((built.word(symbol(0, 72)), built.word(symbol(1, 72))), (1 << 3, 0));
    assert_eq!((built.word(symbol(0, 80)), built.word(symbol(1, 80))), (0, 1 << 1));
    assert_eq!((built.word(symbol(0, 88)), built.word(symbol(1, 88))), (0, 1 << 1));
    assert_eq!(built.word(symbol(0, 104)), 0x300_0000);
    assert_eq!(built.word(symbol(1, 112)), 0x1000);
    assert_eq!(built.word(symbol(0, 120)), built.physical(0, 0x600_0000).0);
    assert_eq!(built.word(symbol(1, 0x3000)), 18);
}

#[test]
fn memory_is_where_the_description_says_with_its_permissions() {
    let built = Built::new("memory", SYSTEM);
    assert_eq!(built.physical(0, 0x300_0000).0, built.physical(1, 0x300_0000).0);
    let permissions = |pd, vaddr| built.physical(pd, vaddr).1.permissions;
    assert_eq!(
        (permissions(0, 0x300_0000), permissions(1, 0x300_0000)),
        (Mapping::READ, Mapping::READ | Mapping::WRITE)
    );
    assert_eq!(permissions(0, 0x500_0000), Mapping::READ | Mapping::WRITE | Mapping::DEVICE);
    assert_eq!(built.physical(0, 0x500_0000).0, 0x900_0000);
    assert_eq!(permissions(0, 0x20_0000), Mapping::READ | Mapping::EXECUTE);
    let (model, mapping) = built.physical(1, 0x400_0000);
    assert_eq!((model % 0x20_0000, mapping.page_bits), (0, 21));
    assert_eq!(built.at(model, 18), b"prefilled contents");
    assert_eq!(built.at(built.physical(0, 0x20_0000).0, 0x1234), &program().segments[0].data);
}

#[test]
fn nothing_is_in_two_places_and_all_else_is_cleared() {
    let built = Built::new("clear", SYSTEM);
    let spec = built.spec();
    let end = BOARD.image_base + built.image.bytes.len() as u64;
    let cleared = |at: u64, size: u64| {
        spec.zero.iter().any(|z| at >= z.paddr.get() && at + size <= z.paddr.get() + z.size.get())
    };
    for (left, right) in spec.zero.iter().zip(&spec.zero[1..]) {
        assert!(left.paddr.get() + left.size.get() < right.paddr.get());
    }
    assert!(
        spec.zero
            .iter()
            .all(|z| z.paddr.get() >= end && z.paddr.get() + z.size.get() <= spec.header.ram_end.get())
    );
    for mapping in spec.mappings.iter().filter(|m| m.permissions & Mapping::DEVICE == 0) {
        let (at, size) = (mapping.paddr.get(), mapping.size.get());
        let last = at + size - 0x1000;
        assert!(at + size <= end || cleared(last, 0x1000), "{at:#x}");
        assert!(at < end || cleared(at, size), "{at:#x}");
    }
    assert!(cleared(spec.header.table_pool.get(), spec.header.table_pool_size.get()));
}

#[test]
fn the_page_table_pool_holds_what_a_walk_needs_and_no_more() {
    let built = Built::new("tables", SYSTEM);
    // PD b: root, one level 1 (below 512 GiB) and one (the top), level 2 for GiB 0 and the last, level 3 for the
    // spans at 0x200000, 0x3000000, 0x5000000 and the last 2 MiB; its 2 MiB pages need none. PD a: one span less.
    assert_eq!(built.spec().header.table_pool_size.get(), (1 + 2 + 2 + 4 + 1 + 2 + 2 + 3) * 0x1000);
}

#[test]
fn the_same_input_gives_the_same_image() {
    assert!(Built::new("same1", SYSTEM).image.bytes == Built::new("same2", SYSTEM).image.bytes);
}
