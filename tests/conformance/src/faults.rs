//! The faults that `faulty` makes, one after the other, and the message each must be. `judge` writes the number of the
//! next into the region they share and restarts `faulty`.

/// One fault.
pub struct Expected {
    /// What is tested.
    pub name: &'static str,
    /// Label and length of the message.
    pub label: u64,
    /// Words of the message.
    pub length: usize,
    /// What the words must be: (word, mask, value).
    pub words: &'static [(usize, u64, u64)],
}

const ALL: u64 = u64::MAX;
const CLASS: u64 = 0x3f << 26;

const fn class(class: u64) -> u64 {
    class << 26
}

/// Address that nothing is mapped at.
pub const NOWHERE: u64 = 0x1234_5678;
/// First page of every test program: constants.
pub const CONSTANTS: u64 = 0x20_0000;
/// A system call number that a release kernel does not have.
pub const DEBUG_PUT_CHAR: i64 = -12;

/// The test of the physical timer's registers.
pub const TIMER: &str = "the physical timer without its interrupt";

/// In the order of `faulty`'s modes.
pub const FAULTS: &[Expected] = &[
    Expected {
        name: "a read of unmapped memory",
        label: 6,
        length: 4,
        words: &[(1, ALL, NOWHERE), (2, ALL, 0), (3, CLASS, class(0x24)), (3, 1 << 6, 0)],
    },
    Expected {
        name: "a write to constants",
        label: 6,
        length: 4,
        words: &[(1, ALL, CONSTANTS), (2, ALL, 0), (3, CLASS, class(0x24)), (3, 1 << 6, 1 << 6)],
    },
    Expected {
        name: "execution of constants",
        label: 6,
        length: 4,
        words: &[(0, ALL, CONSTANTS), (1, ALL, CONSTANTS), (2, ALL, 1), (3, CLASS, class(0x20))],
    },
    Expected {
        name: "a jump to the kernel's half",
        label: 6,
        length: 4,
        words: &[(1, ALL, 0xffff_ff80_4020_0000), (2, ALL, 0), (3, CLASS, class(0x24))],
    },
    Expected {
        name: "an unknown system call",
        label: 2,
        length: 13,
        words: &[
            (0, ALL, 65),
            (1, ALL, 1),
            (7, ALL, DEBUG_PUT_CHAR as u64),
            (12, ALL, DEBUG_PUT_CHAR as u64),
        ],
    },
    Expected { name: "the answer to one sets registers", label: 2, length: 13, words: &[(0, ALL, 0xc0ffee)] },
    Expected { name: "an undefined instruction", label: 3, length: 5, words: &[(3, CLASS, 0), (4, ALL, 0)] },
    Expected { name: "the FPU where it is not allowed", label: 8, length: 1, words: &[(0, CLASS, class(7))] },
    Expected { name: "a breakpoint", label: 8, length: 1, words: &[(0, CLASS, class(0x3c))] },
    Expected { name: TIMER, label: 8, length: 1, words: &[(0, CLASS, class(0x18))] },
    Expected {
        name: "a wait on an empty slot",
        label: 1,
        length: 5,
        words: &[(1, ALL, 40), (2, ALL, 1), (3, ALL, 2), (4, ALL, 0)],
    },
    Expected {
        name: "a send outside of the table",
        label: 1,
        length: 7,
        words: &[(1, ALL, 600), (2, ALL, 0), (3, ALL, 4), (4, ALL, 58), (5, ALL, 0), (6, ALL, 49)],
    },
    Expected {
        name: "a stack that is too small",
        label: 6,
        length: 4,
        words: &[(1, !0xfff, 0xff_ffff_b000), (2, ALL, 0), (3, 1 << 6, 1 << 6)],
    },
];
