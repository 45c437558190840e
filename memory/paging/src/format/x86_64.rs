//! x86-64 entries (Intel SDM volume 3, 4.5): four levels, NX enabled.

use crate::{Access, Attributes, Format, Memory};

/// x86-64's format.
#[derive(Clone, Copy, Debug)]
pub struct X86_64;

const PRESENT: u64 = 1;
const WRITE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const WRITE_THROUGH: u64 = 1 << 3;
const CACHE_DISABLE: u64 = 1 << 4;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

impl Format for X86_64 {
    fn leaf(attributes: Attributes, address: u64, large: bool) -> u64 {
        let access = match attributes.access {
            Access::User { write: true, .. } => USER | WRITE | NO_EXECUTE,
            Access::User { execute: true, .. } => USER,
            Access::User { .. } => USER | NO_EXECUTE,
            Access::KernelWrite => GLOBAL | WRITE | NO_EXECUTE,
            Access::KernelRead => GLOBAL | NO_EXECUTE,
            Access::KernelExecute => GLOBAL,
        };
        let memory = match attributes.memory {
            Memory::Normal => 0,
            Memory::Device => CACHE_DISABLE | WRITE_THROUGH,
        };
        address | access | memory | PRESENT | ACCESSED | DIRTY | if large { LARGE } else { 0 }
    }
    fn table(address: u64) -> u64 {
        address | PRESENT | WRITE | USER
    }
    fn next(entry: u64) -> Option<u64> {
        (entry & (PRESENT | LARGE) == PRESENT).then_some(entry & ADDRESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(access: Access) -> u64 {
        X86_64::leaf(Attributes { memory: Memory::Normal, access }, 0, false)
    }

    #[test]
    fn nothing_is_writable_and_executable() {
        for (write, execute) in [(false, false), (false, true), (true, false), (true, true)] {
            let bits = leaf(Access::User { write, execute });
            assert!(bits & WRITE == 0 || bits & NO_EXECUTE != 0);
            assert!(bits & GLOBAL == 0, "a PD's memory leaves with its address space");
        }
        for access in [Access::KernelWrite, Access::KernelRead, Access::KernelExecute] {
            assert!(leaf(access) & WRITE == 0 || leaf(access) & NO_EXECUTE != 0);
            assert_eq!(leaf(access) & USER, 0);
        }
    }

    #[test]
    fn entries_are_as_the_architecture_says() {
        assert_eq!(leaf(Access::User { write: false, execute: true }), 0x65);
        assert_eq!(leaf(Access::KernelWrite), 0x8000_0000_0000_0163);
        let device =
            Attributes { memory: Memory::Device, access: Access::User { write: true, execute: false } };
        assert_eq!(X86_64::leaf(device, 0xfe00_0000, true), 0x8000_0000_fe00_00ff);
        assert_eq!(X86_64::next(X86_64::table(0x1234_5000)), Some(0x1234_5000));
        assert_eq!(X86_64::next(X86_64::leaf(device, 0xfe00_0000, true)), None);
    }
}
