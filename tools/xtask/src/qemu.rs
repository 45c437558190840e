//! QEMU: its command line, and a running machine whose UART we hold.
//!
//! One design rule: a limit is time in which the machine could run: while the host gives it no processor, nobody's
//! patience ends.

use crate::{host, install};
use anyhow::{Context, Result, bail};
use board_description::Isa;
use clap::ValueEnum;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Microkit's loader for `qemu_virt_aarch64` is linked at this address and is entered there.
const LOADER_ADDRESS: u64 = 0x7000_0000;

/// The disk of a PC, in whichever slot is free.
const PC_DISK: &str = "virtio-blk-pci,drive=disk,disable-legacy=on";
/// The same where the official kernel restricts it by the IOMMU: the slot is the one in the board's `sel4.xml`.
const ISOLATED_DISK: &str = "virtio-blk-pci,drive=disk,disable-legacy=on,addr=4,iommu_platform=on";
/// UEFI firmware of Debian's package `ovmf`.
pub const OVMF: &str = "/usr/share/ovmf/OVMF.fd";

/// How the image is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Ours: QEMU loads it as a kernel; with a command line for it.
    Kernel(String),
    /// The official SDK's: its loader lies in RAM, and the CPU starts there with the hypervisor's rights.
    Loader,
    /// The official SDK's on a PC: this kernel, with the image as its module.
    Module(PathBuf),
    /// From a CD, by the firmware and the boot loader on it.
    Cd(Firmware),
}

/// A PC's firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS, which comes with QEMU.
    Bios,
    /// [`OVMF`].
    Uefi,
}

/// QEMU's PCs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Pc {
    /// With PCI Express (ICH9).
    #[default]
    Q35,
    /// The older one (PIIX).
    Pc,
}

impl Pc {
    /// As QEMU's `-machine` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Q35 => "q35",
            Self::Pc => "pc",
        }
    }
}

/// A machine to start.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Instruction set.
    pub isa: Isa,
    /// Kernel image.
    pub image: PathBuf,
    /// How it is started.
    pub start: Start,
    /// Which PC it is, where it is one.
    pub pc: Pc,
    /// Disk image, if there is a disk.
    pub disk: Option<PathBuf>,
    /// Cores.
    pub cores: u32,
    /// RAM in MiB.
    pub ram_mib: u64,
    /// CPU model.
    pub cpu: String,
    /// Count instructions instead of time: repeatable figures.
    pub icount: bool,
}

impl Machine {
    /// The command line without the console.
    pub fn command(&self) -> Command {
        let mut command = Command::new(install::qemu(self.isa).name);
        let machine = match (self.isa, &self.start) {
            (Isa::Aarch64, Start::Loader) => "virt,virtualization=on",
            (Isa::Aarch64, _) => "virt",
            (Isa::X86_64, _) => self.pc.name(),
        };
        command.args(["-machine", machine, "-cpu", &self.cpu]);
        command.args(["-smp", &self.cores.to_string(), "-m", &format!("{}M", self.ram_mib)]);
        command.args(["-display", "none", "-nodefaults", "-no-reboot"]);
        self.boot(&mut command);
        if let Some(disk) = &self.disk {
            let drive =
                format!("if=none,format=raw,id=disk,file={}", disk.display().to_string().replace(',', ",,"));
            command.args(["-drive", &drive]);
            match self.isa {
                Isa::Aarch64 => command.args([
                    "-global",
                    "virtio-mmio.force-legacy=false",
                    "-device",
                    "virtio-blk-device,drive=disk",
                ]),
                Isa::X86_64 if matches!(self.start, Start::Module(_)) => {
                    command.args(["-device", "intel-iommu", "-device", ISOLATED_DISK])
                }
                Isa::X86_64 => command.args(["-device", PC_DISK]),
            };
        }
        if self.icount {
            command.args(["-icount", "shift=0,sleep=off"]);
        }
        command
    }

    fn boot(&self, command: &mut Command) {
        let image = self.image.display().to_string();
        let option = image.replace(',', ",,");
        match &self.start {
            Start::Kernel(words) if words.is_empty() => command.args(["-kernel", &image]),
            Start::Kernel(words) => command.args(["-kernel", &image, "-append", words]),
            Start::Loader => {
                command.args(["-device", &format!("loader,file={option},addr={LOADER_ADDRESS:#x},cpu-num=0")])
            }
            Start::Module(kernel) => command.arg("-kernel").arg(kernel).args(["-initrd", &image]),
            Start::Cd(firmware) => {
                if *firmware == Firmware::Uefi {
                    command.args(["-bios", OVMF]);
                }
                command.args(["-vga", "std", "-boot", "d"]);
                command.args(["-drive", &format!("if=none,id=cd,media=cdrom,readonly=on,file={option}")]);
                command.args(["-device", "ide-cd,drive=cd,bus=ide.1"])
            }
        };
    }

    /// Runs with the user's terminal as the UART, until the user or the system ends it.
    ///
    /// # Errors
    /// When QEMU cannot be started.
    pub fn interactive(&self, farewell: &str) -> Result<()> {
        let mut command = self.command();
        command.args(["-serial", "mon:stdio"]).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start QEMU")?;
        let mut output = child.stdout.take().context("QEMU has no output")?;
        let (mut seen, mut buffer) = (String::new(), [0; 4096]);
        loop {
            let count = output.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            std::io::stdout().write_all(&buffer[..count])?;
            std::io::stdout().flush()?;
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
            if seen.contains(farewell) {
                terminate(&child);
                break;
            }
            let keep = seen.len().saturating_sub(farewell.len() * 2);
            seen = seen.split_off(seen.ceil_char_boundary(keep));
        }
        child.wait()?;
        Ok(())
    }

    /// Starts with the UART held by us.
    ///
    /// # Errors
    /// When QEMU cannot be started.
    pub fn start(&self) -> Result<Running> {
        self.start_with(&[])
    }

    /// As [`Machine::start`], with further options for QEMU.
    ///
    /// # Errors
    /// When QEMU cannot be started.
    pub fn start_with(&self, options: &[String]) -> Result<Running> {
        let mut command = self.command();
        command.args(options);
        command.args(["-serial", "stdio", "-monitor", "none"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        Running::spawn(command)
    }
}

/// Ends QEMU so that it puts the terminal back in order.
fn terminate(child: &Child) {
    let _ = Command::new("kill").arg(child.id().to_string()).status();
}

/// A machine that runs, with its UART.
pub struct Running {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// Everything the machine has written.
    pub transcript: Vec<u8>,
    searched: usize,
    /// When it was started.
    pub started: Instant,
}

impl Running {
    fn spawn(mut command: Command) -> Result<Self> {
        let started = Instant::now();
        let mut child = command.spawn().context("cannot start QEMU")?;
        let input = child.stdin.take().context("QEMU has no input")?;
        let mut stream = child.stdout.take().context("QEMU has no output")?;
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, input, output, transcript: Vec::new(), searched: 0, started })
    }

    /// QEMU's process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Types bytes.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn type_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.input.write_all(bytes)?;
        Ok(self.input.flush()?)
    }

    /// Waits for `text` behind what was found last; returns what lies before it.
    ///
    /// # Errors
    /// When it does not come in time or QEMU ends; the error shows the last lines.
    pub fn wait_for(&mut self, text: &str, limit: Duration) -> Result<String> {
        self.wait_for_any(&[text], limit).map(|(_, before)| before)
    }

    /// Waits for the first of several texts; returns which, and what lies before it.
    ///
    /// # Errors
    /// As for [`Running::wait_for`].
    pub fn wait_for_any(&mut self, texts: &[&str], limit: Duration) -> Result<(usize, String)> {
        let patience = Patience::new(self.process(), limit);
        loop {
            let rest = &self.transcript[self.searched..];
            let found =
                texts.iter().enumerate().filter_map(|(i, t)| find(rest, t.as_bytes()).map(|at| (at, i)));
            if let Some((at, which)) = found.min() {
                let before = String::from_utf8_lossy(&rest[..at]).into_owned();
                self.searched += at + texts[which].len();
                return Ok((which, before));
            }
            match self.output.recv_timeout(patience.left()) {
                Ok(bytes) => self.transcript.extend(bytes),
                Err(RecvTimeoutError::Timeout) if !patience.left().is_zero() => (),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("no {texts:?} within {limit:?}; the end of the transcript:\n{}", self.tail())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("QEMU ended before {texts:?}; the end of the transcript:\n{}", self.tail())
                }
            }
        }
    }

    /// What has come since the last text that was waited for.
    pub fn unread(&self) -> &[u8] {
        &self.transcript[self.searched..]
    }

    /// Nothing that has come so far is searched any more.
    pub fn skip(&mut self) {
        self.searched = self.transcript.len();
    }

    /// Takes in what the machine writes within `limit`; returns as soon as something came. Whether it did.
    ///
    /// # Errors
    /// When QEMU has ended.
    pub fn pump(&mut self, limit: Duration) -> Result<bool> {
        match self.output.recv_timeout(limit) {
            Ok(bytes) => self.transcript.extend(bytes),
            Err(RecvTimeoutError::Timeout) => return Ok(false),
            Err(RecvTimeoutError::Disconnected) => bail!("QEMU ended; its last lines:\n{}", self.tail()),
        }
        while let Ok(bytes) = self.output.try_recv() {
            self.transcript.extend(bytes);
        }
        Ok(true)
    }

    fn tail(&self) -> String {
        let from = self.transcript.len().saturating_sub(2000);
        String::from_utf8_lossy(&self.transcript[from..]).into_owned()
    }
}

/// How long a machine is waited for: a limit, and the time in which the host kept it waiting.
pub struct Patience {
    process: u32,
    start: Instant,
    stalled: Duration,
    limit: Duration,
}

impl Patience {
    /// Begins now.
    pub fn new(process: u32, limit: Duration) -> Self {
        Self { process, start: Instant::now(), stalled: host::longest_wait(process), limit }
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        let stalled = host::longest_wait(self.process).saturating_sub(self.stalled);
        (self.limit + stalled).saturating_sub(self.start.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
