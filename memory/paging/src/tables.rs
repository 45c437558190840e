//! The builder.

use crate::{Attributes, Format};

/// Where tables live. A table is 512 entries at a physical address.
pub trait TableMemory {
    /// Entry `index` (below 512) of the table at `table`.
    fn read(&self, table: u64, index: usize) -> u64;
    /// Sets an entry.
    fn write(&mut self, table: u64, index: usize, entry: u64);
    /// A table of zeros, `None` when the pool is used up.
    fn allocate(&mut self) -> Option<u64>;
}

/// Why a range could not be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// Address or size is not a multiple of the page size, or the page size is neither 4 KiB nor 2 MiB.
    Alignment,
    /// Something is mapped there already.
    Occupied(u64),
    /// The pool has no table left: give it [`tables_needed`] pages.
    OutOfTables,
}

/// Maps `size` bytes at `vaddr` to `paddr` with leaves of `1 << page_bits` bytes (12 or 21) below the `root`
/// of four levels.
///
/// # Errors
/// See [`MapError`]; what was mapped before the error stays.
pub fn map<F: Format, M: TableMemory>(
    memory: &mut M,
    root: u64,
    (vaddr, paddr, size): (u64, u64, u64),
    page_bits: u8,
    attributes: Attributes,
) -> Result<(), MapError> {
    if page_bits != 12 && page_bits != 21 {
        return Err(MapError::Alignment);
    }
    let page = 1u64 << page_bits;
    if (vaddr | paddr | size) & (page - 1) != 0 || vaddr.checked_add(size).is_none() {
        return Err(MapError::Alignment);
    }
    for offset in (0..size).step_by(page as usize) {
        let table = table_of::<F, M>(memory, root, vaddr + offset, page_bits)?;
        let index = index_of(vaddr + offset, page_bits);
        if memory.read(table, index) != 0 {
            return Err(MapError::Occupied(vaddr + offset));
        }
        memory.write(table, index, F::leaf(attributes, paddr + offset, page_bits != 12));
    }
    Ok(())
}

/// Finds or makes the table that holds the leaf of `vaddr`.
fn table_of<F: Format, M: TableMemory>(
    memory: &mut M,
    root: u64,
    vaddr: u64,
    page_bits: u8,
) -> Result<u64, MapError> {
    let mut table = root;
    for level_bits in [39, 30, 21] {
        if level_bits == page_bits {
            break;
        }
        let index = index_of(vaddr, level_bits);
        let entry = memory.read(table, index);
        table = if entry == 0 {
            let next = memory.allocate().ok_or(MapError::OutOfTables)?;
            memory.write(table, index, F::table(next));
            next
        } else {
            F::next(entry).ok_or(MapError::Occupied(vaddr))?
        };
    }
    Ok(table)
}

const fn index_of(vaddr: u64, level_bits: u8) -> usize {
    (vaddr >> level_bits) as usize & 511
}

/// Tables that one address space takes: `mappings` are `(vaddr, size, page_bits)`, sorted by address and not overlapping.
pub fn tables_needed(mappings: impl Iterator<Item = (u64, u64, u8)>) -> usize {
    let mut count = 1;
    let mut seen = [None; 3];
    for (vaddr, size, page_bits) in mappings.filter(|mapping| mapping.1 != 0) {
        for (last, level_bits) in seen.iter_mut().zip([39u8, 30, 21]) {
            if level_bits == page_bits {
                break;
            }
            let (from, to) = (vaddr >> level_bits, (vaddr + size - 1) >> level_bits);
            let shared = usize::from(*last == Some(from));
            count += (to - from) as usize + 1 - shared;
            *last = Some(to);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Aarch64, Access, Memory, X86_64};
    use std::vec::Vec;

    const RW: Attributes =
        Attributes { memory: Memory::Normal, access: Access::User { write: true, execute: false } };

    struct Pool {
        tables: Vec<[u64; 512]>,
        limit: usize,
    }

    impl TableMemory for Pool {
        fn read(&self, table: u64, index: usize) -> u64 {
            self.tables[(table >> 12) as usize][index]
        }
        fn write(&mut self, table: u64, index: usize, entry: u64) {
            self.tables[(table >> 12) as usize][index] = entry;
        }
        fn allocate(&mut self) -> Option<u64> {
            if self.tables.len() == self.limit {
                return None;
            }
            self.tables.push([0; 512]);
            Some((self.tables.len() as u64 - 1) << 12)
        }
    }

    fn pool(limit: usize) -> Pool {
        Pool { tables: std::vec![[0; 512]], limit }
    }

    fn walk<F: Format>(pool: &Pool, vaddr: u64) -> Option<u64> {
        const ADDRESS: u64 = 0x0000_ffff_ffff_f000;
        let mut table = 0;
        for level_bits in [39, 30, 21, 12] {
            let entry = pool.read(table, index_of(vaddr, level_bits));
            match F::next(entry).filter(|_| level_bits != 12) {
                _ if entry == 0 => return None,
                Some(next) => table = next,
                None => return Some((entry & ADDRESS) + (vaddr & ((1 << level_bits) - 1))),
            }
        }
        None
    }

    fn map<F: Format>(
        pool: &mut Pool,
        range: (u64, u64, u64),
        bits: u8,
        attributes: Attributes,
    ) -> Result<(), MapError> {
        super::map::<F, Pool>(pool, 0, range, bits, attributes)
    }

    #[test]
    fn every_mapped_byte_is_found_and_nothing_beside_it() {
        found_and_nothing_beside::<Aarch64>();
        found_and_nothing_beside::<X86_64>();
    }

    fn found_and_nothing_beside<F: Format>() {
        let mut pool = pool(100);
        map::<F>(&mut pool, (0x20_0000, 0x5000_0000, 0x3000), 12, RW).unwrap();
        map::<F>(&mut pool, (0x4000_0000, 0x6000_0000, 0x40_0000), 21, RW).unwrap();
        map::<F>(&mut pool, (0xff_ffff_f000, 0x7000_0000, 0x1000), 12, RW).unwrap();
        assert_eq!(walk::<F>(&pool, 0x20_1234), Some(0x5000_1234));
        assert_eq!(walk::<F>(&pool, 0x403f_ffff), Some(0x603f_ffff));
        assert_eq!(walk::<F>(&pool, 0xff_ffff_fff8), Some(0x7000_0ff8));
        for outside in [0x1f_ffff, 0x20_3000, 0x3fff_ffff, 0x4040_0000, 0xff_ffff_efff] {
            assert_eq!(walk::<F>(&pool, outside), None);
        }
    }

    #[test]
    fn tables_needed_is_exactly_what_map_takes() {
        let cases: [&[(u64, u64, u8)]; 4] = [
            &[(0x20_0000, 0x3000, 12), (0xff_ffff_f000, 0x1000, 12)],
            &[(0x20_0000, 0x40_0000, 12), (0x60_0000, 0x1000, 12), (0x4000_0000, 0x8000_0000, 21)],
            &[(0x3fff_f000, 0x2000, 12), (0x7f_ffe0_0000, 0x40_0000, 21)],
            &[],
        ];
        for mappings in cases {
            let mut pool = pool(10_000);
            for (vaddr, size, bits) in mappings {
                map::<X86_64>(&mut pool, (*vaddr, 0, *size), *bits, RW).unwrap();
            }
            assert_eq!(tables_needed(mappings.iter().copied()), pool.tables.len());
        }
    }

    #[test]
    fn mistakes_are_errors() {
        let mut small = pool(2);
        assert_eq!(map::<X86_64>(&mut small, (0x1000, 0, 0x1000), 12, RW), Err(MapError::OutOfTables));
        let mut pool = pool(100);
        assert_eq!(map::<X86_64>(&mut pool, (0x1001, 0, 0x1000), 12, RW), Err(MapError::Alignment));
        assert_eq!(map::<X86_64>(&mut pool, (0x1000, 0, 0x1000), 21, RW), Err(MapError::Alignment));
        assert_eq!(map::<X86_64>(&mut pool, (0x1000, 0, 0x1000), 30, RW), Err(MapError::Alignment));
        map::<X86_64>(&mut pool, (0x1000, 0, 0x1000), 12, RW).unwrap();
        assert_eq!(map::<X86_64>(&mut pool, (0x1000, 0, 0x1000), 12, RW), Err(MapError::Occupied(0x1000)));
        assert_eq!(map::<X86_64>(&mut pool, (0, 0, 0x20_0000), 21, RW), Err(MapError::Occupied(0)));
    }
}
