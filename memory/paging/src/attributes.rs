//! What a mapping allows, and how an instruction set writes it down.

/// What kind of memory lies behind a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Normal memory, write-back cached.
    Normal,
    /// Device registers: not cached, in order, no speculation.
    Device,
}

/// Who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A protection domain; never writable and executable at once.
    User {
        /// May write.
        write: bool,
        /// May execute; ignored where `write` is set.
        execute: bool,
    },
    /// The kernel's data.
    KernelWrite,
    /// The kernel's constants.
    KernelRead,
    /// The kernel's code.
    KernelExecute,
}

/// Attributes of one mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Kind of memory.
    pub memory: Memory,
    /// Permissions.
    pub access: Access,
}

/// The entries of an instruction set's tables. All have 512 entries of 8 bytes, and an entry of zero maps nothing.
pub trait Format {
    /// The entry that maps a page of 4 KiB, or where `large` is set 2 MiB (1 GiB a level higher).
    fn leaf(attributes: Attributes, address: u64, large: bool) -> u64;
    /// The entry that names the next table.
    fn table(address: u64) -> u64;
    /// The table that an entry above the last level names; `None` for a leaf.
    fn next(entry: u64) -> Option<u64>;
}
