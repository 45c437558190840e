//! A test of RAM: patterns are written to all of a range, then read back (van de Goor, "Testing Semiconductor
//! Memories": stuck bits, coupled bits, wrong addresses).
//!
//! One design rule: every word is written before any is read, so a cell that answers for another address shows.

/// 64-bit words of RAM that nobody else uses.
pub trait Words {
    /// Reads word `index`.
    fn read(&self, index: u64) -> u64;
    /// Writes word `index`.
    fn write(&mut self, index: u64, value: u64);
}

/// A word that did not keep its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Which.
    pub index: u64,
    /// What was written.
    pub wrote: u64,
    /// What was read.
    pub read: u64,
}

/// What is written to word `index`, one after the other: half of the bits, the other half, the index, its complement.
pub const PATTERNS: [fn(u64) -> u64; 4] =
    [|_| 0x5555_5555_5555_5555, |_| 0xaaaa_aaaa_aaaa_aaaa, |index| index, |index| !index];

/// Writes `pattern` to `count` words and reads it back.
///
/// # Errors
/// The first word that differs.
pub fn test(words: &mut impl Words, count: u64, pattern: fn(u64) -> u64) -> Result<(), Bad> {
    for index in 0..count {
        words.write(index, pattern(index));
    }
    for index in 0..count {
        let (wrote, read) = (pattern(index), words.read(index));
        if wrote != read {
            return Err(Bad { index, wrote, read });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Bad, PATTERNS, Words, test};
    use std::vec;
    use std::vec::Vec;

    /// RAM with one fault.
    struct Ram {
        words: Vec<u64>,
        /// Index and bits that are always one.
        stuck: Option<(u64, u64)>,
        /// Index bits that are not decoded.
        ignored: u64,
    }

    impl Words for Ram {
        fn read(&self, index: u64) -> u64 {
            let value = self.words[(index & !self.ignored) as usize];
            value | self.stuck.filter(|(at, _)| *at == index).map_or(0, |(_, bits)| bits)
        }
        fn write(&mut self, index: u64, value: u64) {
            self.words[(index & !self.ignored) as usize] = value;
        }
    }

    fn all(mut ram: Ram) -> Vec<Bad> {
        PATTERNS.iter().filter_map(|pattern| test(&mut ram, 64, *pattern).err()).collect()
    }

    #[test]
    fn good_ram_passes() {
        assert_eq!(all(Ram { words: vec![0; 64], stuck: None, ignored: 0 }), []);
    }

    #[test]
    fn every_stuck_bit_is_found_and_named() {
        for bit in 0..64 {
            let found = all(Ram { words: vec![0; 64], stuck: Some((7, 1 << bit)), ignored: 0 });
            assert!(!found.is_empty() && found.iter().all(|bad| bad.index == 7), "bit {bit}");
            assert!(found.iter().all(|bad| bad.wrote ^ bad.read == 1 << bit), "bit {bit}");
        }
    }

    #[test]
    fn every_address_line_that_is_not_connected_is_found() {
        for line in 0..6 {
            let found = all(Ram { words: vec![0; 64], stuck: None, ignored: 1 << line });
            assert!(!found.is_empty(), "line {line}");
        }
    }
}
