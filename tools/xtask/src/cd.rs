//! Starting PCs from the CD image: by BIOS and by UEFI, each choice of the menu; machines with broken ACPI tables.

use crate::install::{self, Program};
use crate::iso::{self, Entry, MENU};
use crate::qemu::{Firmware, Machine, OVMF, Start};
use crate::script::{self, passed};
use crate::{pc, shell, system};
use anyhow::{Context, Result};
use board_description::Isa;
use std::time::Duration;

const FIRMWARE: Program = Program { name: OVMF, package: "ovmf" };
/// Longest time for firmware, menu and start.
const LIMIT: Duration = Duration::from_secs(240);
/// The last words of GRUB's menu.
const MENU_SHOWN: &str = "executed automatically";

/// Builds the image, checks it against its manifest, and starts it in every way.
///
/// # Errors
/// The first that fails.
pub fn all() -> Result<()> {
    install::programs(&[install::qemu(Isa::X86_64), FIRMWARE])?;
    let built = system::prepare(&crate::options::SystemOptions { no_disk: true, smp: 2, ..pc::standard() })?;
    let iso = iso::build(&built.folder, &built.machine.image, &MENU, &[])?;
    iso::verify(&iso, &shell::root().join("target/test/iso"))?;
    passed("the CD image holds what its manifest says");
    let machine =
        |firmware| Machine { image: iso.clone(), start: Start::Cd(firmware), ..built.machine.clone() };
    for firmware in [Firmware::Bios, Firmware::Uefi] {
        let machine = machine(firmware);
        choose(&machine, '1', script::PROMPT)?;
        choose(&machine, '2', "cloister: started by Multiboot2")?;
        choose(&machine, '3', "4 patterns, 0 errors")?;
        passed(&format!("GRUB by {firmware:?} starts the system, with a verbose log, and the memory test"));
    }
    broken_tables(&built)
}

/// Starts a machine, presses a key in GRUB's menu and waits for `text`.
fn choose(machine: &Machine, key: char, text: &str) -> Result<()> {
    let mut running = machine.start()?;
    running.wait_for(MENU_SHOWN, LIMIT)?;
    running.type_bytes(key.to_string().as_bytes())?;
    running.wait_for(text, LIMIT).with_context(|| format!("choice {key} by {:?}", machine.start))?;
    Ok(())
}

const BROKEN: [(Entry, &str); 5] = [
    (broken("length", '1', "acpi --exclude=APIC /boot/length"), "the ACPI table MADT is damaged"),
    (broken("sum", '2', "acpi --exclude=APIC /boot/sum"), "the ACPI table MADT is damaged"),
    (broken("truncated", '3', "acpi --exclude=APIC /boot/truncated"), "the ACPI table MADT is damaged"),
    (broken("lines", '4', "acpi --exclude=APIC /boot/lines"), "the ACPI tables name no I/O APIC"),
    (broken("none", '5', "acpi --exclude=APIC"), "the ACPI tables describe no APICs (no MADT)"),
];

const fn broken(title: &'static str, key: char, before: &'static str) -> Entry {
    Entry { title, key, words: "", before }
}

/// Machines whose APIC table GRUB replaced by a broken one: the kernel says which table it is, in one line.
fn broken_tables(built: &system::Built) -> Result<()> {
    let folder = shell::root().join("target/test/acpi");
    std::fs::create_dir_all(&folder)?;
    for name in ["resolved.system", "report.txt"] {
        std::fs::copy(built.folder.join(name), folder.join(name))?;
    }
    let (local, core, io) = ([0, 0, 0xe0, 0xfe, 1, 0, 0, 0], [0, 8, 0, 0, 1, 0, 0, 0], io_apic());
    let whole = [&local[..], &core, &io].concat();
    let files = [
        ("length", madt(&[&local[..], &core, &[0, 0], &io].concat(), 0, 0)),
        ("sum", madt(&whole, 0, 1)),
        ("truncated", madt(&whole, 400, 0)),
        ("lines", madt(&[local, core].concat(), 0, 0)),
    ];
    let (menu, said): (Vec<Entry>, Vec<&str>) = BROKEN.into_iter().unzip();
    let iso = iso::build(&folder, &built.machine.image, &menu, &files)?;
    let machine = Machine { image: iso, start: Start::Cd(Firmware::Bios), ..built.machine.clone() };
    for (entry, said) in menu.iter().zip(said) {
        choose(&machine, entry.key, &format!("cloister: cannot start: {said}"))?;
        passed(&format!("a broken APIC table ({}) is refused with `{said}`", entry.title));
    }
    std::fs::remove_dir_all(&folder).context("the CD image of broken tables")
}

fn io_apic() -> [u8; 12] {
    [1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]
}

/// An APIC table (ACPI 6.5, 5.2.12) that says it is `more` bytes longer than it is, with a checksum that is off by `wrong`.
fn madt(contents: &[u8], more: u32, wrong: u8) -> Vec<u8> {
    let mut table = b"APIC".to_vec();
    table.extend((36 + contents.len() as u32 + more).to_le_bytes());
    table.extend(b"\x03\0CLOISTTEST    \x01\0\0\0TEST\x01\0\0\0");
    table.extend(contents);
    let sum = table.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    table[9] = 0u8.wrapping_sub(sum).wrapping_add(wrong);
    table
}
