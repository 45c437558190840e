//! A CD image from which PCs start: GRUB by BIOS and by UEFI, the system's image, and a manifest with SHA-256 sums.
//!
//! One design rule: nothing is made here. GRUB's own tool puts Debian's GRUB and our files together; the image is the
//! one that `-kernel` takes.

use crate::install::{self, Program};
use crate::shell::{self, Job};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What makes a CD image, by a file of each Debian package.
pub const TOOLS: [Program; 5] = [
    Program { name: "grub-mkrescue", package: "grub-common" },
    Program { name: "/usr/lib/grub/i386-pc/multiboot2.mod", package: "grub-pc-bin" },
    Program { name: "/usr/lib/grub/x86_64-efi/multiboot2.mod", package: "grub-efi-amd64-bin" },
    Program { name: "xorriso", package: "xorriso" },
    Program { name: "mformat", package: "mtools" },
];

/// A choice in GRUB's menu.
pub struct Entry {
    /// What it is called.
    pub title: &'static str,
    /// The key that chooses it.
    pub key: char,
    /// Words for the kernel.
    pub words: &'static str,
    /// GRUB's commands before.
    pub before: &'static str,
}

/// The menu of an image.
pub const MENU: [Entry; 3] = [
    Entry { title: "Cloister: chat", key: '1', words: "", before: "" },
    Entry { title: "Cloister: chat with verbose log", key: '2', words: "verbose", before: "" },
    Entry {
        title: "Cloister: memory test of the model region and all RAM that starts empty",
        key: '3',
        words: "memtest",
        before: "",
    },
];

/// By BIOS the menu is on the UART as well; by UEFI it is where the firmware's console is, which may be the UART.
const CONSOLES: &str = "set timeout=5\nset default=0\n\
    if [ \"$grub_platform\" = pc ]; then\n    serial --unit=0 --speed=115200\n    terminal_input serial console\n    \
    terminal_output serial console\nelse\n    insmod all_video\nfi\n";

/// Makes `folder/cloister.iso` of a system's image, with `menu` and further files for `/boot`, and beside it
/// `cloister.iso.sha256`. Its path.
///
/// # Errors
/// When a tool is missing and cannot be installed, or fails.
pub fn build(folder: &Path, image: &Path, menu: &[Entry], files: &[(&str, Vec<u8>)]) -> Result<PathBuf> {
    install::programs(&TOOLS)?;
    let tree = folder.join("iso");
    let _ = std::fs::remove_dir_all(&tree);
    let boot = tree.join("boot");
    std::fs::create_dir_all(boot.join("grub"))?;
    std::fs::copy(image, boot.join("cloister.elf"))?;
    std::fs::write(boot.join("grub/grub.cfg"), configuration(menu))?;
    for (name, contents) in files {
        std::fs::write(boot.join(name), contents)?;
    }
    for name in ["resolved.system", "report.txt"] {
        let from = folder.join(name);
        std::fs::copy(&from, tree.join(name)).with_context(|| format!("{}", from.display()))?;
    }
    std::fs::write(tree.join("MANIFEST.sha256"), manifest(&tree)?)?;
    let iso = folder.join("cloister.iso");
    let mut command = Command::new("grub-mkrescue");
    command.arg("-o").arg(&iso).arg(&tree).args(["--", "-volid", "CLOISTER"]);
    Job::new(command).quiet().run()?;
    let sum = shell::output(Command::new("sha256sum").arg("cloister.iso").current_dir(folder))?;
    std::fs::write(folder.join("cloister.iso.sha256"), sum)?;
    Ok(iso)
}

fn configuration(menu: &[Entry]) -> String {
    let entry = |Entry { title, key, words, before }: &Entry| {
        let before = if before.is_empty() { String::new() } else { format!("    {before}\n") };
        format!(
            "menuentry \"{title}\" --hotkey={key} {{\n{before}    multiboot2 /boot/cloister.elf {words}\n}}\n"
        )
    };
    CONSOLES.to_owned() + &menu.iter().map(entry).collect::<String>()
}

/// Sums of all files of a folder, as `sha256sum` writes and checks them.
fn manifest(tree: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut folders = vec![tree.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let names = files.iter().filter_map(|path| path.strip_prefix(tree).ok());
    shell::output(Command::new("sha256sum").args(names).current_dir(tree))
}

/// Whether the files on a CD image are those of its manifest.
///
/// # Errors
/// When one is not.
pub fn verify(iso: &Path, scratch: &Path) -> Result<()> {
    let _ = std::fs::remove_dir_all(scratch);
    let mut command = Command::new("xorriso");
    command.args(["-osirrox", "on", "-indev"]).arg(iso).args(["-extract", "/"]).arg(scratch);
    Job::new(command).quiet().run()?;
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "--quiet", "MANIFEST.sha256"]).current_dir(scratch);
    Job::new(check).quiet().run().context("a file of the CD image is not the manifest's")?;
    let listed = std::fs::read_to_string(scratch.join("MANIFEST.sha256"))?;
    for name in ["boot/cloister.elf", "boot/grub/grub.cfg", "resolved.system", "report.txt"] {
        ensure!(
            listed.lines().any(|line| line.ends_with(&format!("  {name}"))),
            "{name} is not in the manifest"
        );
    }
    let _ = std::fs::remove_dir_all(scratch);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MENU, configuration};

    #[test]
    fn the_menu_has_an_entry_for_each_way_to_start() {
        let text = configuration(&MENU);
        assert_eq!(text.matches("menuentry").count(), 3);
        assert!(
            text.contains("multiboot2 /boot/cloister.elf \n")
                && text.contains("/boot/cloister.elf verbose\n")
        );
        assert!(text.contains("--hotkey=3 {\n    multiboot2 /boot/cloister.elf memtest\n}"), "{text}");
    }
}
