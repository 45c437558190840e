//! AArch64 descriptors (Arm ARM D8.3, stage 1, EL1&0 regime), 4 KiB granule.

use crate::{Access, Attributes, Format, Memory};

/// AArch64's format.
#[derive(Clone, Copy, Debug)]
pub struct Aarch64;

const READ_ONLY: u64 = 1 << 7;
const USER: u64 = 1 << 6;
const INNER_SHAREABLE: u64 = 3 << 8;
const ACCESSED: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
const PRIVILEGED_NEVER: u64 = 1 << 53;
const USER_NEVER: u64 = 1 << 54;

const LEAF: u64 = 1;
const TABLE: u64 = 3;
const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

impl Aarch64 {
    /// The value of `MAIR_EL1` that the formats' attribute indices stand for: 0 is normal, write-back; 1 is
    /// device-nGnRnE.
    pub const MAIR: u64 = 0xff;
}

/// The attribute bits of a leaf, without address and type.
const fn bits(attributes: Attributes) -> u64 {
    let never = PRIVILEGED_NEVER | USER_NEVER;
    let access = match attributes.access {
        Access::User { write: true, .. } => USER | NOT_GLOBAL | never,
        Access::User { execute: true, .. } => USER | READ_ONLY | NOT_GLOBAL | PRIVILEGED_NEVER,
        Access::User { .. } => USER | READ_ONLY | NOT_GLOBAL | never,
        Access::KernelWrite => never,
        Access::KernelRead => READ_ONLY | never,
        Access::KernelExecute => READ_ONLY | USER_NEVER,
    };
    let index = match attributes.memory {
        Memory::Normal => 0,
        Memory::Device => 1,
    };
    access | ACCESSED | INNER_SHAREABLE | index << 2
}

impl Format for Aarch64 {
    fn leaf(attributes: Attributes, address: u64, large: bool) -> u64 {
        address | bits(attributes) | if large { LEAF } else { TABLE }
    }
    fn table(address: u64) -> u64 {
        address | TABLE
    }
    fn next(entry: u64) -> Option<u64> {
        (entry & TABLE == TABLE).then_some(entry & ADDRESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_writable_and_executable() {
        for (write, execute) in [(false, false), (false, true), (true, false), (true, true)] {
            let bits = bits(Attributes { memory: Memory::Normal, access: Access::User { write, execute } });
            assert!(bits & READ_ONLY != 0 || bits & USER_NEVER != 0);
            assert!(bits & PRIVILEGED_NEVER != 0, "the kernel never executes a PD's memory");
        }
        for access in [Access::KernelWrite, Access::KernelRead, Access::KernelExecute] {
            let bits = bits(Attributes { memory: Memory::Normal, access });
            assert!(bits & READ_ONLY != 0 || bits & PRIVILEGED_NEVER != 0);
            assert_eq!(bits & USER, 0);
        }
    }

    #[test]
    fn a_page_is_encoded_as_the_architecture_says() {
        let rx = Attributes { memory: Memory::Normal, access: Access::User { write: false, execute: true } };
        assert_eq!(Aarch64::leaf(rx, 0x4000_1000, false), 0x0020_0000_4000_1fc3);
        let device =
            Attributes { memory: Memory::Device, access: Access::User { write: true, execute: false } };
        assert_eq!(Aarch64::leaf(device, 0x900_0000, false), 0x0060_0000_0900_0f47);
    }
}
