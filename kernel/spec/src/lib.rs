//! The compiled system description: what `tools/sysgen` writes into an image and the kernel reads at boot.
//!
//! One design rule: the file is a header and flat tables of fixed-size little-endian records, so the
//! kernel reads it in place, without allocation, and a wrong count is an error and never a stray read.
//! Every physical address in it was assigned by `sysgen`; the kernel chooses none.
//!
//! Limits are those of Microkit 2.3.0: 63 protection domains, ids 0–61, priorities 0–254.
#![no_std]
#![forbid(unsafe_code)]

mod tables;

pub use tables::{CallEnd, ChildEnd, Header, IrqEnd, Mapping, NotifyEnd, Pd, PortEnd, Table, ZeroRange};

use zerocopy::FromBytes;

/// "CLOISTER" as little-endian bytes.
pub const MAGIC: u64 = u64::from_le_bytes(*b"CLOISTER");
/// Raised whenever a record changes.
pub const VERSION: u32 = 1;
/// Largest number of protection domains.
pub const MAX_PDS: usize = 63;
/// Ids of channels, interrupts, children and ports are below this.
pub const MAX_IDS: usize = 62;
/// "No parent" in [`Pd::parent`].
pub const NO_PD: u16 = u16::MAX;

/// Why a compiled description was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecError {
    /// The bytes do not start with [`MAGIC`]: the image is damaged or was not made by `sysgen`.
    Magic,
    /// Made by another version of `sysgen`: rebuild the image.
    Version(u32),
    /// A table (by its place in the header) lies outside the file.
    TableRange(&'static str),
    /// A record names a PD that does not exist.
    UnknownPd(u16),
    /// An id, priority or core of this PD is out of range.
    BadPd(u16),
}

/// A checked view of a compiled description.
#[derive(Clone, Copy)]
pub struct Spec<'a> {
    /// The header, as read.
    pub header: &'a Header,
    /// All PDs; a PD's index in this table is its number everywhere else.
    pub pds: &'a [Pd],
    /// What each PD sees of memory, sorted by PD and address.
    pub mappings: &'a [Mapping],
    /// Notification capabilities.
    pub notifies: &'a [NotifyEnd],
    /// Protected-procedure-call capabilities.
    pub calls: &'a [CallEnd],
    /// Interrupts delivered to PDs.
    pub irqs: &'a [IrqEnd],
    /// Children that a parent may stop, resume and restart, and whose faults it handles.
    pub children: &'a [ChildEnd],
    /// x86 I/O ports that a PD may use.
    pub ports: &'a [PortEnd],
    /// Physical ranges the kernel clears before it starts the first PD.
    pub zero: &'a [ZeroRange],
}

impl<'a> Spec<'a> {
    /// Reads and checks a compiled description.
    ///
    /// # Errors
    /// See [`SpecError`]; nothing is returned half-checked.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SpecError> {
        let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| SpecError::Magic)?;
        if header.magic.get() != MAGIC {
            return Err(SpecError::Magic);
        }
        if header.version.get() != VERSION {
            return Err(SpecError::Version(header.version.get()));
        }
        let spec = Self {
            header,
            pds: header.pds.read(bytes, "pds")?,
            mappings: header.mappings.read(bytes, "mappings")?,
            notifies: header.notifies.read(bytes, "notifies")?,
            calls: header.calls.read(bytes, "calls")?,
            irqs: header.irqs.read(bytes, "irqs")?,
            children: header.children.read(bytes, "children")?,
            ports: header.ports.read(bytes, "ports")?,
            zero: header.zero.read(bytes, "zero")?,
        };
        spec.check()?;
        Ok(spec)
    }

    fn check(&self) -> Result<(), SpecError> {
        if self.pds.len() > MAX_PDS {
            return Err(SpecError::TableRange("pds"));
        }
        for (pd, record) in self.pds.iter().enumerate() {
            let core = record.core < 8 && u32::from(record.core) < self.header.cores.get();
            if record.priority > 254 || !core || record.budget_us.get() > record.period_us.get() {
                return Err(SpecError::BadPd(pd as u16));
            }
        }
        let ends = self.mappings.iter().map(|m| m.pd.get());
        let ends = ends.chain(self.notifies.iter().flat_map(|n| [n.pd.get(), n.target.get()]));
        let ends = ends.chain(self.calls.iter().flat_map(|c| [c.pd.get(), c.target.get()]));
        let ends = ends.chain(self.children.iter().flat_map(|c| [c.parent.get(), c.child.get()]));
        let mut ends =
            ends.chain(self.irqs.iter().map(|i| i.pd.get())).chain(self.ports.iter().map(|p| p.pd.get()));
        match ends.find(|pd| usize::from(*pd) >= self.pds.len()) {
            Some(pd) => Err(SpecError::UnknownPd(pd)),
            None => Ok(()),
        }
    }

    /// A PD's name, for messages; bytes after the first zero are not part of it.
    pub fn name(&self, pd: usize) -> &'a str {
        let Some(record) = self.pds.get(pd) else { return "?" };
        let len = record.name.iter().position(|b| *b == 0).unwrap_or(record.name.len());
        core::str::from_utf8(&record.name[..len]).unwrap_or("?")
    }
}
