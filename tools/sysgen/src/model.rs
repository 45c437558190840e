//! The system that a description describes: typed, with indices instead of names.
//!
//! One design rule: a [`System`] exists only when every check passed, so the image builder may rely on its indices,
//! ranges and ids. Terms are those of Microkit's manual.

use crate::problem::{Place, Problem};
use crate::xml::Element;

/// Largest id of a channel, interrupt, child or port.
pub const MAX_ID: u8 = 61;
/// Largest number of protection domains.
pub const MAX_PDS: usize = 63;
/// 4 KiB pages.
pub const SMALL_BITS: u8 = 12;
/// 2 MiB pages.
pub const LARGE_BITS: u8 = 21;

/// A checked system.
#[derive(Clone, Debug)]
pub struct System {
    /// Protection domains; parents stand before their children.
    pub pds: Vec<ProtectionDomain>,
    /// Memory regions.
    pub regions: Vec<Region>,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Sets of PDs that may write the same regions, from `<?cloister trust-domain="…"?>`.
    pub trust_domains: Vec<Vec<usize>>,
    /// Devices whose memory accesses an IOMMU restricts, by name; for the official kernel only.
    pub io_spaces: Vec<String>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
    pub(crate) tree: Element,
}

impl System {
    /// The resolved description in Microkit's format: what Microkit's own tool is given.
    pub fn to_xml(&self) -> String {
        self.tree.to_xml()
    }

    /// A PD's index by name.
    pub fn pd(&self, name: &str) -> Option<usize> {
        self.pds.iter().position(|pd| pd.name == name)
    }

    /// A region's index by name.
    pub fn region(&self, name: &str) -> Option<usize> {
        self.regions.iter().position(|region| region.name == name)
    }

    /// Cores the system uses: one more than the highest `cpu`.
    pub fn cores(&self) -> u8 {
        self.pds.iter().map(|pd| pd.cpu + 1).max().unwrap_or(1)
    }

    /// Whether a PD receives protected calls or is a parent, so that its input is an endpoint.
    pub fn has_endpoint(&self, pd: usize) -> bool {
        let called = |end: &End, other: &End| end.pp && other.pd == pd;
        self.pds.iter().any(|child| child.parent == Some(pd))
            || self.channels.iter().any(|c| called(&c.ends[0], &c.ends[1]) || called(&c.ends[1], &c.ends[0]))
    }
}

/// A protection domain.
#[derive(Clone, Debug)]
pub struct ProtectionDomain {
    /// Unique name, 1 to 64 bytes.
    pub name: String,
    /// 0 to 254.
    pub priority: u8,
    /// Microseconds, at most `period`.
    pub budget: u64,
    /// Microseconds.
    pub period: u64,
    /// Gives its scheduling context away after init.
    pub passive: bool,
    /// Bytes, whole pages.
    pub stack_size: u64,
    /// Core.
    pub cpu: u8,
    /// May use FPU and SIMD registers.
    pub fpu: bool,
    /// Index of the parent and the child's id there.
    pub parent: Option<usize>,
    /// Id in the parent, 0 without one.
    pub child_id: u8,
    /// ELF file, relative to the search path.
    pub image: String,
    /// Another ELF to look symbols up in.
    pub image_for_symbols: Option<String>,
    /// Mappings of regions.
    pub maps: Vec<Map>,
    /// Interrupts.
    pub irqs: Vec<Irq>,
    /// x86 I/O ports.
    pub ports: Vec<Port>,
    /// Symbols to write.
    pub setvars: Vec<SetVar>,
    /// Where the element begins.
    pub place: Place,
    /// Where its program image is named.
    pub image_place: Place,
}

/// Permissions of a mapping; a writable one is never executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Readable.
    pub read: bool,
    /// Writable.
    pub write: bool,
    /// Executable.
    pub execute: bool,
}

impl std::fmt::Display for Permissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letters = [(self.read, 'r'), (self.write, 'w'), (self.execute, 'x')];
        letters.iter().try_for_each(|(set, letter)| write!(f, "{}", if *set { *letter } else { '-' }))
    }
}

/// A region mapped into a PD.
#[derive(Clone, Debug)]
pub struct Map {
    /// Index of the region.
    pub region: usize,
    /// Virtual address, aligned to the region's pages.
    pub vaddr: u64,
    /// Permissions.
    pub permissions: Permissions,
    /// Cached normal memory.
    pub cached: bool,
    /// Where.
    pub place: Place,
}

/// Where a region lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// `sysgen` chooses RAM for it.
    Chosen,
    /// RAM at `phys_addr`.
    Ram(u64),
    /// Device registers at `phys_addr`.
    Device(u64),
}

/// A memory region.
#[derive(Clone, Debug)]
pub struct Region {
    /// Unique name.
    pub name: String,
    /// Bytes, whole pages.
    pub size: u64,
    /// [`SMALL_BITS`] or [`LARGE_BITS`].
    pub page_bits: u8,
    /// Where it lies.
    pub location: Location,
    /// File it is filled from, relative to the search path.
    pub prefill: Option<String>,
    /// Where.
    pub place: Place,
}

/// What raises an interrupt.
#[derive(Clone, Debug)]
pub struct Irq {
    /// GIC interrupt number; on x86-64 the I/O APIC pin, or for a message `kernel_spec::IrqEnd::FIRST_MESSAGE` and the
    /// vector.
    pub number: u32,
    /// x86-64: vector.
    pub vector: u32,
    /// Id in the PD.
    pub id: u8,
    /// Edge triggered.
    pub edge: bool,
    /// x86-64: active low.
    pub active_low: bool,
    /// Where.
    pub place: Place,
}

/// x86 I/O ports of a PD.
#[derive(Clone, Debug)]
pub struct Port {
    /// First port.
    pub first: u16,
    /// Number of ports.
    pub count: u16,
    /// Id in the PD.
    pub id: u8,
    /// Where.
    pub place: Place,
}

/// A symbol to write before the image is built.
#[derive(Clone, Debug)]
pub struct SetVar {
    /// Symbol, 8 bytes in the PD's ELF.
    pub symbol: String,
    /// What to write.
    pub value: SetValue,
    /// Element and attribute, for messages.
    pub origin: String,
    /// Where.
    pub place: Place,
}

/// The value of a [`SetVar`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetValue {
    /// A number known from the description.
    Number(u64),
    /// A region's size in bytes.
    RegionSize(usize),
    /// A region's physical address.
    RegionPaddr(usize),
    /// Bytes of a region's prefill file.
    PrefillSize(usize),
}

/// One end of a channel.
#[derive(Clone, Debug)]
pub struct End {
    /// Index of the PD.
    pub pd: usize,
    /// Channel id in that PD.
    pub id: u8,
    /// This PD may notify the other end.
    pub notify: bool,
    /// This PD may call the other end.
    pub pp: bool,
    /// Where.
    pub place: Place,
}

/// A channel.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Both ends, in the order written.
    pub ends: [End; 2],
}
