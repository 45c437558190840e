//! The cells of the matrix: which fault, in which PD.

use super::rig::ORDERS_SEEN;
use ipc_injection::Kind;

/// A row of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Reads address 0.
    NullRead,
    /// Writes address 0.
    NullWrite,
    /// Writes the weights where it may only read them, or memory that it does not have.
    ForeignWrite,
    /// Executes data.
    Jump,
    /// Uses up its stack.
    Overflow,
    /// Executes an undefined instruction.
    Illegal,
    /// Loops.
    Loop,
    /// Floods its links.
    Flood,
    /// Writes garbage into all memory that it shares.
    Garbage,
    /// Dies without a fault.
    Silence,
}

/// Every fault; those that only a watchdog finds stand between the others, because five restarts within a minute are
/// the limit for a PD.
pub const FAULTS: [Fault; 10] = [
    Fault::NullRead,
    Fault::NullWrite,
    Fault::Loop,
    Fault::ForeignWrite,
    Fault::Jump,
    Fault::Flood,
    Fault::Overflow,
    Fault::Illegal,
    Fault::Silence,
    Fault::Garbage,
];

/// The PD that nobody restarts.
pub const GUARDIAN: &str = "guardian";

/// Where `weights` and `session_heap` are mapped (`system.xml`).
const WEIGHTS: u64 = 0x10_0000_0000;
const SESSION_HEAP: u64 = 0x2100_0000;

impl Fault {
    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::NullRead => "null read",
            Self::NullWrite => "null write",
            Self::ForeignWrite => "write to read-only weights",
            Self::Jump => "jump to data",
            Self::Overflow => "stack overflow",
            Self::Illegal => "illegal instruction",
            Self::Loop => "endless loop",
            Self::Flood => "ring flood",
            Self::Garbage => "garbage in shared memory",
            Self::Silence => "silent death",
        }
    }

    /// What the PD is ordered to do, and at which address.
    pub fn order(self, pd: &str) -> (Kind, u64) {
        match self {
            Self::NullRead => (Kind::Read, 0),
            Self::NullWrite => (Kind::Write, 0),
            Self::ForeignWrite if pd == "loader" => (Kind::Write, SESSION_HEAP),
            Self::ForeignWrite => (Kind::Write, WEIGHTS),
            Self::Jump => (Kind::Jump, ORDERS_SEEN),
            Self::Overflow => (Kind::Overflow, 0),
            Self::Illegal => (Kind::Illegal, 0),
            Self::Loop => (Kind::Loop, 0),
            Self::Flood => (Kind::Flood, 0),
            Self::Garbage => (Kind::Garbage, 0),
            Self::Silence => (Kind::Silence, 0),
        }
    }

    /// Where a cell means something else than its row says.
    pub fn remark(self, pd: &str) -> &'static str {
        match (self, pd) {
            (Self::ForeignWrite, "loader") => "writes session's heap: the weights are its own to write",
            (Self::ForeignWrite, "compute" | "compute_1" | "trainer") => "",
            (Self::ForeignWrite, _) => "no weights here: a write to memory that it does not have",
            (Self::Flood, "timer" | GUARDIAN) => "no link here: signals only",
            _ => "",
        }
    }
}
