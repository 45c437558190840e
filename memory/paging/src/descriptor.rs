//! Leaf descriptors (Arm ARM D8.3, stage 1, EL1&0 regime).

/// What kind of memory lies behind a mapping. The discriminant is the index in `MAIR_EL1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Normal, inner and outer write-back cacheable.
    Normal = 0,
    /// Device-nGnRnE.
    Device = 1,
}

impl Memory {
    /// The value of `MAIR_EL1` that the discriminants stand for.
    pub const MAIR: u64 = 0xff;
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

const READ_ONLY: u64 = 1 << 7;
const USER: u64 = 1 << 6;
const INNER_SHAREABLE: u64 = 3 << 8;
const ACCESSED: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
const PRIVILEGED_NEVER: u64 = 1 << 53;
const USER_NEVER: u64 = 1 << 54;

impl Attributes {
    /// The attribute bits of a leaf, without address and type.
    pub const fn bits(self) -> u64 {
        let never = PRIVILEGED_NEVER | USER_NEVER;
        let access = match self.access {
            Access::User { write: true, .. } => USER | NOT_GLOBAL | never,
            Access::User { execute: true, .. } => USER | READ_ONLY | NOT_GLOBAL | PRIVILEGED_NEVER,
            Access::User { .. } => USER | READ_ONLY | NOT_GLOBAL | never,
            Access::KernelWrite => never,
            Access::KernelRead => READ_ONLY | never,
            Access::KernelExecute => READ_ONLY | USER_NEVER,
        };
        access | ACCESSED | INNER_SHAREABLE | (self.memory as u64) << 2
    }

    /// A 4 KiB leaf (level 3).
    pub const fn page(self, address: u64) -> u64 {
        address | self.bits() | 3
    }

    /// A 2 MiB or 1 GiB leaf (level 2 or 1).
    pub const fn block(self, address: u64) -> u64 {
        address | self.bits() | 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_writable_and_executable() {
        for (write, execute) in [(false, false), (false, true), (true, false), (true, true)] {
            let bits = Attributes { memory: Memory::Normal, access: Access::User { write, execute } }.bits();
            assert!(bits & READ_ONLY != 0 || bits & USER_NEVER != 0);
            assert!(bits & PRIVILEGED_NEVER != 0, "the kernel never executes a PD's memory");
        }
        for access in [Access::KernelWrite, Access::KernelRead, Access::KernelExecute] {
            let bits = Attributes { memory: Memory::Normal, access }.bits();
            assert!(bits & READ_ONLY != 0 || bits & PRIVILEGED_NEVER != 0);
            assert_eq!(bits & USER, 0);
        }
    }

    #[test]
    fn a_page_is_encoded_as_the_architecture_says() {
        let rx = Attributes { memory: Memory::Normal, access: Access::User { write: false, execute: true } };
        assert_eq!(rx.page(0x4000_1000), 0x0020_0000_4000_1fc3);
        let device =
            Attributes { memory: Memory::Device, access: Access::User { write: true, execute: false } };
        assert_eq!(device.page(0x900_0000), 0x0060_0000_0900_0f47);
    }
}
