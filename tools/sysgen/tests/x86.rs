//! What an x86-64 board has beside: I/O ports and I/O APIC interrupts.

mod common;

use board_description::{Board, Isa};
use common::{BOARD, folder, kernel, program};
use kernel_spec::Spec;
use tools_sysgen::{Description, Problems, SearchPath, System, build_image};

const X86: Board = Board { name: "x86", isa: Isa::X86_64, ipc_buffer: 0x7fff_ffff_e000, ..BOARD };

fn resolve(first: &str, second: &str, folder: &std::path::Path) -> Result<System, Problems> {
    let pd = |name, body| {
        format!(
            "<protection_domain name=\"{name}\"><program_image path=\"pd.elf\" />\n{body}\n</protection_domain>\n"
        )
    };
    let text = format!("<system>\n{}{}</system>", pd("a", first), pd("b", second));
    Description::parse("x.system", &text)?.resolve(&X86, &SearchPath(vec![folder.into()]))
}

fn refused(first: &str, second: &str) -> String {
    resolve(first, second, &folder("x86-refused")).err().unwrap_or_default().to_string()
}

#[test]
fn ports_and_interrupts_reach_the_compiled_description() {
    let folder = folder("x86");
    let (mut pd, mut core) = (program(), kernel());
    (pd.machine, core.machine) = (62, 62);
    core.segments[0].data[8..12].copy_from_slice(&0xe852_50d6_u32.to_le_bytes());
    core.entry = X86.image_base + 0x10;
    std::fs::write(folder.join("pd.elf"), pd.bytes()).unwrap();
    let ports = "<ioport id=\"2\" addr=\"0x3f8\" size=\"8\" setvar_id=\"region_start\" setvar_addr=\"region_size\" />";
    let irq = "<irq id=\"5\" pin=\"4\" vector=\"7\" trigger=\"edge\" polarity=\"low\" />";
    let system = resolve(ports, irq, &folder).unwrap();
    let image = build_image(&system, &SearchPath(vec![folder]), &core.bytes(), &X86).unwrap();
    let word = |at: usize| u64::from_le_bytes(image.bytes[at..at + 8].try_into().unwrap());
    let start = (word(0x2000) - X86.image_base) as usize;
    let spec = Spec::parse(&image.bytes[start..start + word(0x2008) as usize]).unwrap();
    let (port, irq) = (&spec.ports[0], &spec.irqs[0]);
    assert_eq!((port.first.get(), port.count.get(), port.pd.get(), port.id), (0x3f8, 8, 0, 2));
    assert_eq!(
        (irq.irq.get(), irq.vector.get(), irq.pd.get(), irq.id, irq.edge, irq.active_low),
        (4, 7, 1, 5, 1, 1)
    );
}

#[test]
fn ports_that_overlap_or_leave_the_port_space_are_refused() {
    let com1 = "<ioport id=\"0\" addr=\"0x3f8\" size=\"8\" />";
    let message = refused(com1, "<ioport id=\"0\" addr=\"0x3ff\" size=\"1\" />");
    assert!(
        message.contains("x.system:5:1") && message.contains("0x3ff..0x400 overlaps 0x3f8..0x400 of PD 'a'"),
        "{message}"
    );
    let message = refused("<ioport id=\"0\" addr=\"0xffff\" size=\"2\" />", "");
    assert!(message.contains("leave the 64 Ki ports"), "{message}");
    let message = refused(&format!("{com1}<ioport id=\"0\" addr=\"0x60\" size=\"1\" />"), "");
    assert!(message.contains("'id' of PD 'a': 0 is used twice"), "{message}");
}

#[test]
fn interrupts_are_of_this_machine() {
    let message = refused("<irq id=\"0\" irq=\"33\" />", "");
    assert!(message.contains("'irq': does not exist on board x86; use 'pin' and 'vector'"), "{message}");
    let message = refused("<irq id=\"0\" pin=\"4\" vector=\"108\" />", "");
    assert!(message.contains("'vector': is '108'; it must be a decimal number from 0 to 107"), "{message}");
}

#[test]
fn messages_of_devices_are_interrupts_with_numbers_of_their_own() {
    let folder = folder("x86-message");
    let mut pd = program();
    pd.machine = 62;
    std::fs::write(folder.join("pd.elf"), pd.bytes()).unwrap();
    let message = "<irq id=\"5\" pcidev=\"00:1f.7\" handle=\"0\" vector=\"4\" />";
    let system = resolve("<irq id=\"5\" pin=\"4\" vector=\"5\" />", message, &folder).unwrap();
    let irq = &system.pds[1].irqs[0];
    assert_eq!((irq.number, irq.vector, irq.edge), (260, 4, true));
    let message = refused("<irq id=\"1\" pin=\"9\" vector=\"4\" />", message);
    assert!(message.contains("'vector' of PD 'b': 4 is used by PD 'a' already"), "{message}");
}

#[test]
fn what_devices_reach_is_read_for_kernels_that_restrict_it_and_refused_for_ours() {
    let folder = folder("x86-io");
    let (mut pd, mut core) = (program(), kernel());
    (pd.machine, core.machine) = (62, 62);
    std::fs::write(folder.join("pd.elf"), pd.bytes()).unwrap();
    core.segments[0].data[8..12].copy_from_slice(&0xe852_50d6_u32.to_le_bytes());
    core.entry = X86.image_base + 0x10;
    let read = |space: &str, map: &str| {
        let text = format!(
            "<system><memory_region name=\"a\" size=\"0x1000\" /><memory_region name=\"b\" size=\"0x200000\" \
             page_size=\"0x200000\" /><protection_domain name=\"p\"><program_image path=\"pd.elf\" />\
             </protection_domain><io_address_space {space}>{map}</io_address_space></system>"
        );
        Description::parse("x.system", &text)?.resolve(&X86, &SearchPath(vec![folder.clone()]))
    };
    let good = "name=\"disk\" peripheral_id=\"00:04.0\" domain_id=\"1\"";
    let system = read(good, "<iomap mr=\"a\" iovaddr=\"0x1000\" perms=\"r\" />").unwrap();
    assert_eq!(system.io_spaces, ["disk"]);
    let said = build_image(&system, &SearchPath(vec![folder.clone()]), &core.bytes(), &X86);
    let said = said.err().unwrap().to_string();
    assert!(said.contains("<io_address_space> 'disk': Cloister's kernel programs no IOMMU"), "{said}");
    for (space, map, expected) in [
        (good, "<iomap mr=\"c\" iovaddr=\"0\" />", "there is no memory region 'c'"),
        (good, "<iomap mr=\"b\" iovaddr=\"0\" />", "pages of 2 MiB"),
        (good, "<iomap mr=\"a\" iovaddr=\"1\" />", "'iovaddr': must be a multiple of 0x1000"),
        (
            good,
            "<iomap mr=\"a\" iovaddr=\"0x7ffffff000\" /><iomap mr=\"a\" iovaddr=\"0xfffffffffffff000\" />",
            "2^39",
        ),
        (good, "<iomap mr=\"a\" iovaddr=\"0\" perms=\"x\" />", "'perms': must be r, w or rw"),
        ("name=\"d\" peripheral_id=\"4\" domain_id=\"1\"", "", "'peripheral_id': is '4'"),
        ("name=\"d\" peripheral_id=\"0:4.0\" domain_id=\"x\"", "", "'domain_id': is 'x'"),
    ] {
        let said = read(space, map).err().unwrap_or_default().to_string();
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn messages_of_no_device_are_refused() {
    for bad in ["", "4", "00:04", "00:20.0", "00:1f.8", "100:1.0", "0:+1.0", "0x0:1.0", "a:b.c"] {
        let message = refused(&format!("<irq id=\"1\" pcidev=\"{bad}\" handle=\"0\" vector=\"4\" />"), "");
        assert!(message.contains("write BUS:DEVICE.FUNCTION"), "{bad}: {message}");
    }
    let message = refused("<irq id=\"1\" pcidev=\"00:04.0\" pin=\"4\" handle=\"0\" vector=\"4\" />", "");
    assert!(message.contains("'pin': belongs to a wired interrupt"), "{message}");
    let message = refused("<irq id=\"1\" pcidev=\"00:04.0\" vector=\"4\" />", "");
    assert!(message.contains("'handle': is missing"), "{message}");
}

#[test]
fn the_file_is_what_loaders_of_pcs_take() {
    let folder = folder("x86-file");
    let (mut pd, mut core) = (program(), kernel());
    (pd.machine, core.machine) = (62, 62);
    std::fs::write(folder.join("pd.elf"), pd.bytes()).unwrap();
    let system = resolve("", "", &folder).unwrap();
    let build =
        |core: &common::Elf| build_image(&system, &SearchPath(vec![folder.clone()]), &core.bytes(), &X86);
    core.entry = X86.image_base + 0x10;
    let message = build(&core).err().unwrap_or_default().to_string();
    assert!(message.contains("no Multiboot2 header near physical"), "{message}");
    core.segments[0].data[8..12].copy_from_slice(&0xe852_50d6_u32.to_le_bytes());
    let image = build(&core).unwrap();
    let file = image.file(&X86);
    let word = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    assert_eq!((&file[..4], word(24)), (&b"\x7fELF"[..], X86.image_base + 0x10));
    let (load, note) = (64, 64 + 56);
    assert_eq!((word(load + 8), word(load + 24)), (0x1000, X86.image_base));
    assert_eq!((word(load + 32), &file[0x1000..]), (image.bytes.len() as u64, &image.bytes[..]));
    let at = word(note + 8) as usize;
    assert_eq!((&file[at + 12..at + 16], word(at + 16)), (&b"Xen\0"[..], X86.image_base + 0x10));
    core.entry = 0xffff_ffff_8020_0010;
    let message = build(&core).err().unwrap_or_default().to_string();
    assert!(message.contains("not the physical address"), "{message}");
}
