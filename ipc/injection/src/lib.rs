//! Orders of the fault-injection tests: what a PD that was built for them reads in its page `fault_orders`.
//!
//! One design rule: an order is data. Which fault, at which address, on which regions: the tests say it at run time by
//! writing the machine's memory from outside, so that one image serves every case.
//! Limits: at most [`MAX_AREAS`] regions to an order. No release program contains any of this: see `ipc/pd`'s feature
//! `fault-injection`.
#![no_std]
#![forbid(unsafe_code)]

/// Bytes of the page.
pub const PAGE: usize = 4096;
/// Word: the kind's number; 0 when there is no order. The tests write it last, the PD clears it when it obeys.
pub const KIND: usize = 0;
/// Word: the address that [`Kind::Read`], [`Kind::Write`] and [`Kind::Jump`] use.
pub const TARGET: usize = 1;
/// Word: an address to watch, 0 for none: the order waits until the word there has grown.
pub const WATCH: usize = 2;
/// Word: by how much the watched word must have grown since the PD first saw the order.
pub const GROWTH: usize = 3;
/// Word: number of areas.
pub const AREAS: usize = 4;
/// Word, written by the PD: orders obeyed since boot.
pub const TAKEN: usize = 5;
/// First area: address, bytes, and the address of the region in which a link's peer answers (0: not a link).
pub const FIRST_AREA: usize = 8;
/// Words of an area.
pub const AREA_WORDS: usize = 3;
/// Most areas.
pub const MAX_AREAS: usize = 32;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Kind {
    /// Reads at the target.
    Read = 1,
    /// Writes at the target.
    Write = 2,
    /// Executes what lies at the target.
    Jump = 3,
    /// Calls itself until the stack is used up.
    Overflow = 4,
    /// Executes an undefined instruction.
    Illegal = 5,
    /// Loops for ever.
    Loop = 6,
    /// Claims for ever that every link's queue is full of messages, and signals everybody.
    Flood = 7,
    /// Fills every area with numbers that mean nothing, signals everybody, and goes on.
    Garbage = 8,
    /// Takes no notice of anything any more.
    Silence = 9,
}

/// Every kind.
pub const KINDS: [Kind; 9] = [
    Kind::Read,
    Kind::Write,
    Kind::Jump,
    Kind::Overflow,
    Kind::Illegal,
    Kind::Loop,
    Kind::Flood,
    Kind::Garbage,
    Kind::Silence,
];

impl Kind {
    /// The kind with this number.
    pub fn from_word(word: u64) -> Option<Self> {
        KINDS.into_iter().find(|kind| *kind as u64 == word)
    }
}

/// Memory that a PD shares with others and may write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Where it is mapped.
    pub address: u64,
    /// Its size.
    pub bytes: u64,
    /// Where the peer's region of the same link is mapped; 0 when it is not a link.
    pub peer: u64,
}

/// The words of an order from [`TARGET`] on, without [`TAKEN`]: everything but the kind, which is written last.
pub fn encode(
    target: u64,
    watch: Option<(u64, u64)>,
    areas: &[Area],
) -> [(usize, u64); 4 + MAX_AREAS * AREA_WORDS] {
    let mut words = [(TARGET, target); 4 + MAX_AREAS * AREA_WORDS];
    let (address, growth) = watch.unwrap_or_default();
    let count = areas.len().min(MAX_AREAS);
    (words[1], words[2], words[3]) = ((WATCH, address), (GROWTH, growth), (AREAS, count as u64));
    for (index, slot) in words[4..].iter_mut().enumerate() {
        let area = areas.get(index / AREA_WORDS).copied().unwrap_or_default();
        *slot = (FIRST_AREA + index, [area.address, area.bytes, area.peer][index % AREA_WORDS]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_number_and_zero_is_none() {
        assert!(KINDS.into_iter().all(|kind| Kind::from_word(kind as u64) == Some(kind)));
        assert_eq!(Kind::from_word(0), None);
        assert_eq!(Kind::from_word(10), None);
    }

    #[test]
    fn an_order_fits_its_page_and_leaves_the_counter_alone() {
        let area = Area { address: 1, bytes: 2, peer: 3 };
        let words = encode(9, Some((7, 8)), &[area; 40]);
        assert!(words.iter().all(|(index, _)| index * 8 < PAGE && ![KIND, TAKEN].contains(index)));
        assert!(words.contains(&(AREAS, MAX_AREAS as u64)) && words.contains(&(FIRST_AREA + 5, 3)));
    }
}
