use super::*;
use std::vec;
use std::vec::Vec;

/// Memory from address 0.
struct Bytes(Vec<u8>);

impl Physical for Bytes {
    fn read(&self, address: u64, out: &mut [u8]) -> bool {
        let start = address as usize;
        let Some(bytes) = self.0.get(start..start.saturating_add(out.len())) else { return false };
        out.copy_from_slice(bytes);
        true
    }
}

impl Bytes {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }
    fn put_words(&mut self, at: usize, words: &[u32]) {
        for (index, word) in words.iter().enumerate() {
            self.put(at + index * 4, &word.to_le_bytes());
        }
    }
    /// Makes the bytes sum to zero by changing the one at `sum`.
    fn seal(&mut self, at: usize, size: usize, sum: usize) {
        self.0[at + sum] = 0;
        let total = self.0[at..at + size].iter().fold(0u8, |total, byte| total.wrapping_add(*byte));
        self.0[at + sum] = 0u8.wrapping_sub(total);
    }
    fn table(&mut self, at: usize, name: &[u8; 4], contents: &[u8]) {
        self.put(at, name);
        self.put_words(at + 4, &[36 + contents.len() as u32]);
        self.put(at + 36, contents);
        self.seal(at, 36 + contents.len(), 9);
    }
}

const RSDP: usize = 0xe_0040;

/// Two cores (a third is disabled) and one I/O APIC, by a root table of 32-bit entries.
fn machine() -> Bytes {
    let mut memory = Bytes(vec![0; 0x10_0000]);
    memory.put(RSDP, b"RSD PTR ");
    memory.put_words(RSDP + 16, &[0x2000]);
    memory.seal(RSDP, 20, 8);
    memory.table(0x2000, b"RSDT", &[0x00, 0x30, 0, 0, 0x00, 0x40, 0, 0]);
    memory.table(0x3000, b"FACP", &[0; 8]);
    let mut madt = vec![0x00, 0x00, 0xe0, 0xfe, 1, 0, 0, 0];
    madt.extend([0, 8, 0, 0, 1, 0, 0, 0]);
    madt.extend([0, 8, 1, 4, 1, 0, 0, 0]);
    madt.extend([0, 8, 2, 5, 0, 0, 0, 0]);
    madt.extend([1, 12, 0, 0, 0x00, 0x00, 0xc0, 0xfe, 0, 0, 0, 0]);
    memory.table(0x4000, b"APIC", &madt);
    memory
}

#[test]
fn apics_and_cores_are_found_with_and_without_the_loaders_pointer() {
    let apics = Apics::read(&machine(), None).unwrap();
    assert_eq!((apics.local, apics.core_count, &apics.cores[..2]), (0xfee0_0000, 2, &[0, 4][..]));
    assert_eq!((apics.io_count, apics.io[0]), (1, IoApic { address: 0xfec0_0000, first: 0 }));
    assert_eq!(Apics::read(&machine(), Some(RSDP as u64)), Ok(apics));
}

#[test]
fn each_broken_table_is_named() {
    let broken = |at: usize| {
        let mut memory = machine();
        memory.0[at] ^= 0x55;
        Apics::read(&memory, Some(RSDP as u64)).unwrap_err()
    };
    assert_eq!(broken(RSDP + 10), AcpiError::Damaged("RSDP"));
    assert_eq!(broken(0x2000 + 20), AcpiError::Damaged("RSDT"));
    assert_eq!(broken(0x4000 + 60), AcpiError::Damaged("MADT"));
    assert_eq!(broken(0x4000), AcpiError::NoApicTable);
    assert_eq!(Apics::read(&Bytes(vec![0; 0x10_0000]), None), Err(AcpiError::NoRootPointer));
}

#[test]
fn entries_that_lead_nowhere_end_the_search() {
    let mut memory = machine();
    memory.0[0x4000 + 45] = 0; // An entry of no length.
    memory.seal(0x4000, 36 + 44, 9);
    assert_eq!(Apics::read(&memory, None), Err(AcpiError::Damaged("MADT")));
    let mut memory = machine();
    memory.put_words(0x4000 + 4, &[u32::MAX]);
    assert_eq!(Apics::read(&memory, None), Err(AcpiError::Damaged("MADT")));
}

#[test]
fn a_table_without_io_apic_is_refused() {
    let mut memory = machine();
    memory.0[0x4000 + 36 + 32] = 9;
    memory.seal(0x4000, 36 + 44, 9);
    assert_eq!(Apics::read(&memory, None), Err(AcpiError::NoIoApic));
}

fn entry(memory: &mut Bytes, at: usize, start: u64, size: u64, kind: u32) {
    memory.put(at, &start.to_le_bytes());
    memory.put(at + 8, &size.to_le_bytes());
    memory.put_words(at + 16, &[kind, 0]);
}

#[test]
fn both_protocols_tell_ram_and_root_pointer() {
    let mut memory = machine();
    memory.put_words(0x100, &[0x336e_c578, 1]);
    memory.put(0x100 + 32, &(RSDP as u64).to_le_bytes());
    memory.put_words(0x100 + 40, &[0x200, 0, 3]);
    memory.put_words(0x400, &[16 + 72 + 8 + 24, 0, 6, 16 + 72, 24, 0]);
    for map in [0x200, 0x400 + 8 + 16] {
        entry(&mut memory, map, 0, 0x9_fc00, 1);
        entry(&mut memory, map + 24, 0x10_0000, 0x1000_0000, 1);
        entry(&mut memory, map + 48, 0x1010_0000, 0x1000_0000, 2);
    }
    let ram = (0x10_0000, 0x1010_0000);
    let pvh = BootInfo::read(&memory, 0, 0x100, 0x20_0000);
    let command = CommandLine::EMPTY;
    assert_eq!(pvh, Ok(BootInfo { loader: Loader::Pvh, ram, rsdp: Some(RSDP as u64), command }));
    memory.put_words(0x400 + 96, &[15, 24]);
    let tags = BootInfo::read(&memory, MULTIBOOT2, 0x400, 0x20_0000);
    let loader = Loader::Multiboot2;
    assert_eq!(tags, Ok(BootInfo { loader, ram, rsdp: Some(0x400 + 104), command }));
}

#[test]
fn unknown_loaders_and_maps_without_the_image_are_refused() {
    let memory = machine();
    assert_eq!(BootInfo::read(&memory, 0, 0x100, 0x20_0000), Err(BootError::UnknownLoader));
    assert_eq!(BootInfo::read(&memory, 0, u64::MAX - 1, 0x20_0000), Err(BootError::UnknownLoader));
    assert_eq!(BootInfo::read(&memory, MULTIBOOT2, 0x100, 0x20_0000), Err(BootError::NoMemoryMap));
}

/// Multiboot2 information with a memory map of RAM up to 256 MiB and `tags` after it.
fn tagged(tags: &[u32]) -> Bytes {
    let mut memory = machine();
    let total = 16 + 40 + tags.len() as u32 * 4;
    memory.put_words(0x400, &[total, 0, 6, 40, 24, 0]);
    entry(&mut memory, 0x418, 0x10_0000, 0x1000_0000, 1);
    memory.put_words(0x430, tags);
    memory
}

fn read(memory: &Bytes) -> Result<BootInfo, BootError> {
    BootInfo::read(memory, MULTIBOOT2, 0x400, 0x20_0000)
}

#[test]
fn a_command_line_is_read_word_by_word() {
    // "verbose\tmemtest" with its zero byte: type 1, size 8 + 16.
    let words = [u32::from_le_bytes(*b"verb"), u32::from_le_bytes(*b"ose\t"), u32::from_le_bytes(*b"memt")];
    let memory = tagged(&[1, 24, words[0], words[1], words[2], u32::from_le_bytes(*b"est\0"), 0, 8]);
    let command = read(&memory).unwrap().command;
    assert_eq!(command.options(), Options { verbose: true, memory_test: true });
    assert_eq!(command.unknown(), None);
    let memory = tagged(&[1, 16, u32::from_le_bytes(*b"mem\xff"), u32::from_le_bytes(*b" \n\r\0"), 0, 8]);
    let command = read(&memory).unwrap().command;
    assert_eq!(command.options(), Options::default());
    assert_eq!(std::format!("{}", command.unknown().unwrap()), "mem\\xff");
}

#[test]
fn a_command_line_ends_where_its_tag_ends_and_the_rest_is_dropped() {
    let memory = tagged(&[1, 12, u32::from_le_bytes(*b"verb"), 0, 0, 8]);
    assert_eq!(std::format!("{}", read(&memory).unwrap().command.unknown().unwrap()), "verb");
    let mut long = vec![1, 8 + 4096];
    long.extend([u32::from_le_bytes(*b"aaaa"); 1024]);
    let command = read(&tagged(&long)).unwrap().command;
    assert_eq!(std::format!("{}", command.unknown().unwrap()).len(), MAX_COMMAND);
}

#[test]
fn odd_tags_end_the_list_and_what_came_before_counts() {
    for odd in [[14, 0], [14, 7], [1, u32::MAX], [77, 0x10_0000]] {
        let info = read(&tagged(&[odd[0], odd[1], 15, 16, 0, 0])).unwrap();
        assert_eq!((info.ram, info.rsdp), ((0x10_0000, 0x1010_0000), None), "{odd:?}");
    }
    let unknown = read(&tagged(&[4096, 12, 5, 0, 15, 16, 0, 0])).unwrap();
    assert_eq!(unknown.rsdp, Some(0x430 + 16 + 8), "tags are padded to 8 bytes");
}

#[test]
fn odd_memory_maps_are_no_map() {
    for (size, stride) in [(12, 24), (40, 0), (40, 23), (40, u32::MAX), (u32::MAX, 24), (15, 24)] {
        let mut memory = tagged(&[0, 8]);
        memory.put_words(0x40c, &[size, stride]);
        assert_eq!(read(&memory), Err(BootError::NoMemoryMap), "size {size}, stride {stride}");
    }
    let mut memory = tagged(&[0, 8]);
    entry(&mut memory, 0x418, 0x20_0000, u64::MAX, 1);
    assert_eq!(read(&memory).unwrap().ram, (0x20_0000, u64::MAX), "a size that overflows is cut");
    memory.put_words(0x400, &[u32::MAX]);
    assert!(read(&memory).is_ok(), "a total that lies is bounded by the end tag");
}

#[test]
fn truncated_tables_are_named() {
    let mut memory = machine();
    memory.0.truncate(0xe_0050);
    assert_eq!(Apics::read(&memory, Some(RSDP as u64)), Err(AcpiError::Damaged("RSDP")));
    for (table, name) in [(0x2000, "RSDT"), (0x4000, "MADT")] {
        for size in [0, 35, 36 + 3, 65_537] {
            let mut memory = machine();
            memory.put_words(table + 4, &[size]);
            if size == 39 {
                memory.seal(table, 39, 9);
            }
            let said = Apics::read(&memory, Some(RSDP as u64)).unwrap_err();
            let empty_root = size == 39 && name == "RSDT";
            let expected = if empty_root { AcpiError::NoApicTable } else { AcpiError::Damaged(name) };
            assert_eq!(said, expected, "{name} of {size} bytes");
        }
    }
}
