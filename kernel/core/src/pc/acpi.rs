//! The interrupt controllers and processors of ACPI's multiple APIC description table (ACPI 6.5, 5.2.5 to 5.2.12).

use super::Physical;
use core::fmt;

/// Processors that are listed; more are counted.
pub const MAX_LISTED: usize = 16;
/// I/O APICs that are listed.
pub const MAX_IO_APICS: usize = 4;
/// Largest table that is looked at.
const MAX_TABLE: u64 = 64 * 1024;
const HEADER: u64 = 36;

const LOCAL_APIC: u64 = 0;
const IO_APIC: u64 = 1;
const LOCAL_APIC_ADDRESS: u64 = 5;
const ENABLED: u64 = 1;

/// Why the tables are of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcpiError {
    /// No root pointer where the loader or the BIOS area has it.
    NoRootPointer,
    /// The table with this name has a wrong length or checksum.
    Damaged(&'static str),
    /// There is no multiple APIC description table.
    NoApicTable,
    /// That table names no I/O APIC.
    NoIoApic,
}

impl fmt::Display for AcpiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRootPointer => f.write_str("there are no ACPI tables (no RSDP)"),
            Self::Damaged(name) => write!(f, "the ACPI table {name} is damaged"),
            Self::NoApicTable => f.write_str("the ACPI tables describe no APICs (no MADT)"),
            Self::NoIoApic => f.write_str("the ACPI tables name no I/O APIC"),
        }
    }
}

/// One I/O APIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IoApic {
    /// Physical address of its registers.
    pub address: u64,
    /// Its first interrupt, among those of all.
    pub first: u32,
}

/// Processors and interrupt controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apics {
    /// Physical address of each core's local APIC.
    pub local: u64,
    /// APIC ids of the usable cores, the first [`MAX_LISTED`].
    pub cores: [u32; MAX_LISTED],
    /// Usable cores.
    pub core_count: usize,
    /// I/O APICs.
    pub io: [IoApic; MAX_IO_APICS],
    /// How many there are.
    pub io_count: usize,
}

impl Apics {
    /// Reads the tables. `rsdp` is what the loader said; otherwise the BIOS area is searched.
    ///
    /// # Errors
    /// See [`AcpiError`].
    pub fn read(memory: &impl Physical, rsdp: Option<u64>) -> Result<Self, AcpiError> {
        let rsdp = rsdp.or_else(|| search(memory)).ok_or(AcpiError::NoRootPointer)?;
        if !is_root_pointer(memory, rsdp) {
            return Err(AcpiError::Damaged("RSDP"));
        }
        let revision = memory.number::<1>(rsdp + 15).unwrap_or(0);
        let extended = memory.number::<8>(rsdp + 24).filter(|xsdt| revision >= 2 && *xsdt != 0);
        let damaged = AcpiError::Damaged("RSDP");
        let madt = match extended {
            Some(xsdt) => find::<8>(memory, xsdt, "XSDT")?,
            None => find::<4>(memory, memory.number::<4>(rsdp + 16).ok_or(damaged)?, "RSDT")?,
        };
        let madt = madt.ok_or(AcpiError::NoApicTable)?;
        let size = checked(memory, madt, "MADT")?;
        entries(memory, madt, size).ok_or(AcpiError::Damaged("MADT"))?.with_io()
    }

    fn with_io(self) -> Result<Self, AcpiError> {
        if self.io_count == 0 { Err(AcpiError::NoIoApic) } else { Ok(self) }
    }
}

fn is_root_pointer(memory: &impl Physical, address: u64) -> bool {
    let mut bytes = [0; 20];
    memory.read(address, &mut bytes) && bytes.starts_with(b"RSD PTR ") && sums_to_zero(&bytes)
}

fn sums_to_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) == 0
}

/// The root pointer in the BIOS's read-only memory, on a 16-byte boundary.
fn search(memory: &impl Physical) -> Option<u64> {
    (0xe_0000..0x10_0000).step_by(16).find(|address| is_root_pointer(memory, *address))
}

/// A table's size, its checksum being right.
fn checked(memory: &impl Physical, table: u64, name: &'static str) -> Result<u64, AcpiError> {
    let damaged = AcpiError::Damaged(name);
    let size = memory.number::<4>(table + 4).ok_or(damaged)?;
    if !(HEADER..=MAX_TABLE).contains(&size) {
        return Err(damaged);
    }
    let mut sum = 0u8;
    for at in 0..size {
        sum = sum.wrapping_add(memory.number::<1>(table + at).ok_or(damaged)? as u8);
    }
    if sum == 0 { Ok(size) } else { Err(damaged) }
}

/// The APIC table among those that a root table with entries of `N` bytes names.
fn find<const N: usize>(
    memory: &impl Physical,
    root: u64,
    name: &'static str,
) -> Result<Option<u64>, AcpiError> {
    let size = checked(memory, root, name)?;
    let named = (0..(size - HEADER) / N as u64).map(|index| root + HEADER + index * N as u64);
    let mut tables = named.filter_map(|entry| memory.number::<N>(entry));
    Ok(tables.find(|table| memory.number::<4>(*table) == Some(u64::from(u32::from_le_bytes(*b"APIC")))))
}

fn entries(memory: &impl Physical, madt: u64, size: u64) -> Option<Apics> {
    if size < HEADER + 8 {
        return None;
    }
    let mut apics = Apics {
        local: memory.number::<4>(madt + HEADER)?,
        cores: [0; MAX_LISTED],
        core_count: 0,
        io: [IoApic::default(); MAX_IO_APICS],
        io_count: 0,
    };
    let mut at = HEADER + 8;
    while at + 2 <= size {
        let (kind, length) = (memory.number::<1>(madt + at)?, memory.number::<1>(madt + at + 1)?);
        let least = match kind {
            LOCAL_APIC => 8,
            IO_APIC | LOCAL_APIC_ADDRESS => 12,
            _ => 2,
        };
        if length < least || at + length > size {
            return None;
        }
        apics.add(memory, madt + at, kind)?;
        at += length;
    }
    Some(apics)
}

impl Apics {
    fn add(&mut self, memory: &impl Physical, entry: u64, kind: u64) -> Option<()> {
        match kind {
            LOCAL_APIC if memory.number::<4>(entry + 4)? & ENABLED != 0 => {
                if let Some(core) = self.cores.get_mut(self.core_count) {
                    *core = memory.number::<1>(entry + 3)? as u32;
                }
                self.core_count += 1;
            }
            IO_APIC if self.io_count < MAX_IO_APICS => {
                let first = memory.number::<4>(entry + 8)? as u32;
                self.io[self.io_count] = IoApic { address: memory.number::<4>(entry + 4)?, first };
                self.io_count += 1;
            }
            LOCAL_APIC_ADDRESS => self.local = memory.number::<8>(entry + 4)?,
            _ => {}
        }
        Some(())
    }
}
