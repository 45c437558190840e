//! The records of a compiled system description, as they lie in the file.

use crate::SpecError;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Where a table of records lies: byte offset from the header's first byte, and number of records.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Table {
    /// Byte offset from the start of the description.
    pub offset: U32,
    /// Number of records.
    pub count: U32,
}

impl Table {
    pub(crate) fn read<'a, T>(&self, bytes: &'a [u8], name: &'static str) -> Result<&'a [T], SpecError>
    where
        T: FromBytes + Immutable + KnownLayout + Unaligned,
    {
        let rest = bytes.get(self.offset.get() as usize..).ok_or(SpecError::TableRange(name))?;
        match <[T]>::ref_from_prefix_with_elems(rest, self.count.get() as usize) {
            Ok((records, _)) => Ok(records),
            Err(_) => Err(SpecError::TableRange(name)),
        }
    }
}

/// First record of the file.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Header {
    /// [`crate::MAGIC`].
    pub magic: U64,
    /// [`crate::VERSION`].
    pub version: U32,
    /// Cores the description uses; the kernel refuses a machine with fewer.
    pub cores: U32,
    /// First byte past the last physical address the system uses; the kernel refuses a machine with less RAM.
    pub ram_end: U64,
    /// Physical range for page tables, 4 KiB aligned.
    pub table_pool: U64,
    /// Its size in bytes.
    pub table_pool_size: U64,
    /// [`Pd`] records.
    pub pds: Table,
    /// [`Mapping`] records.
    pub mappings: Table,
    /// [`NotifyEnd`] records.
    pub notifies: Table,
    /// [`CallEnd`] records.
    pub calls: Table,
    /// [`IrqEnd`] records.
    pub irqs: Table,
    /// [`ChildEnd`] records.
    pub children: Table,
    /// [`PortEnd`] records.
    pub ports: Table,
    /// [`ZeroRange`] records.
    pub zero: Table,
}

/// One protection domain.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Pd {
    /// Name, padded with zeros.
    pub name: [u8; 64],
    /// Virtual address of the first instruction.
    pub entry: U64,
    /// Initial stack pointer.
    pub stack_top: U64,
    /// Virtual address of the IPC buffer.
    pub ipc_buffer: U64,
    /// Its physical address.
    pub ipc_buffer_phys: U64,
    /// Scheduling budget in microseconds, at most the period.
    pub budget_us: U64,
    /// Scheduling period in microseconds.
    pub period_us: U64,
    /// 0 (lowest) to 254.
    pub priority: u8,
    /// Core the PD is pinned to.
    pub core: u8,
    /// Bit 0: passive. Bit 1: may use the FPU and SIMD registers. Bit 2: receives protected calls or is a parent, so
    /// its input is an endpoint; otherwise it is its notification.
    pub flags: u8,
    /// Its id in its parent, meaningless without one.
    pub child_id: u8,
    /// Index of the parent PD or [`crate::NO_PD`].
    pub parent: U16,
    /// Zero.
    pub reserved: U16,
}

impl Pd {
    /// Flag: the PD gives its scheduling context away after init.
    pub const PASSIVE: u8 = 1;
    /// Flag: FPU and SIMD allowed.
    pub const FPU: u8 = 2;
    /// Flag: the input capability is an endpoint.
    pub const ENDPOINT: u8 = 4;
}

/// One mapping of a physical range into a PD.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Mapping {
    /// Virtual address, aligned to the page size.
    pub vaddr: U64,
    /// Physical address, aligned to the page size.
    pub paddr: U64,
    /// Bytes, a multiple of the page size.
    pub size: U64,
    /// Index of the PD.
    pub pd: U16,
    /// 12 (4 KiB) or 21 (2 MiB).
    pub page_bits: u8,
    /// Bits [`Mapping::READ`] …; never both `WRITE` and `EXECUTE`.
    pub permissions: u8,
    /// Zero.
    pub reserved: U32,
}

impl Mapping {
    /// Readable.
    pub const READ: u8 = 1;
    /// Writable.
    pub const WRITE: u8 = 2;
    /// Executable.
    pub const EXECUTE: u8 = 4;
    /// Not cached: device memory (`cached="false"` and device regions).
    pub const DEVICE: u8 = 8;
}

/// `pd` may signal `target`, which then sees bit `badge_id`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct NotifyEnd {
    /// Sender.
    pub pd: U16,
    /// Receiver.
    pub target: U16,
    /// Channel id in the sender: capability slot 10 + id.
    pub id: u8,
    /// Channel id in the receiver: badge `1 << badge_id`.
    pub badge_id: u8,
    /// Zero.
    pub reserved: U16,
}

/// `pd` may call `target`, which then sees badge bit 63 and `badge_id`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct CallEnd {
    /// Caller.
    pub pd: U16,
    /// Server, of strictly higher priority.
    pub target: U16,
    /// Channel id in the caller: capability slot 74 + id.
    pub id: u8,
    /// Channel id in the server.
    pub badge_id: u8,
    /// Zero.
    pub reserved: U16,
}

/// An interrupt of the platform, delivered to `pd` as bit `1 << id`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct IrqEnd {
    /// Interrupt number: GIC INTID on ARM; on x86-64 I/O APIC pin (global system interrupt), or
    /// [`IrqEnd::FIRST_MESSAGE`] and the vector's number for one that the device writes as a message.
    pub irq: U32,
    /// x86-64 only: the vector's number as the description gives it.
    pub vector: U32,
    /// Receiver.
    pub pd: U16,
    /// Id in the receiver: capability slot 138 + id.
    pub id: u8,
    /// 0 level, 1 edge.
    pub edge: u8,
    /// x86-64 only: 1 when active low.
    pub active_low: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

impl IrqEnd {
    /// Numbers from here on are messages of devices, not lines.
    pub const FIRST_MESSAGE: u32 = 256;
}

/// `parent` controls `child` and receives its faults with badge bit 62 and `id`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ChildEnd {
    /// Parent.
    pub parent: U16,
    /// Child.
    pub child: U16,
    /// Id in the parent: capability slot 202 + id.
    pub id: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

/// x86-64: `pd` may use ports `first..first + count`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct PortEnd {
    /// First port.
    pub first: U16,
    /// Number of ports.
    pub count: U16,
    /// Owner.
    pub pd: U16,
    /// Id in the owner: capability slot 394 + id.
    pub id: u8,
    /// Zero.
    pub reserved: u8,
}

/// A physical range the kernel clears at boot: stacks, zero-initialised data, regions without prefill.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ZeroRange {
    /// First byte, 4 KiB aligned.
    pub paddr: U64,
    /// Bytes, a multiple of 4 KiB.
    pub size: U64,
}
