//! What a PD finds when it starts: its regions by the symbols that the description sets in its ELF.

use crate::memory::{Mapping, Memory};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use memory_region::{Readable, Writable};
use std::io;
use std::sync::Arc;
use tools_sysgen::System;
use tools_sysgen::model::{Location, SetValue};

/// One mapped region of a PD.
#[derive(Debug)]
pub struct Mapped {
    /// The region's name.
    pub region: String,
    /// The symbol that holds its address.
    pub symbol: String,
    /// Whether no other PD may write the region.
    pub exclusive: bool,
    /// Handed out as exclusive since the PD's last start.
    taken: AtomicBool,
    /// As this PD sees it.
    pub mapping: Mapping,
}

/// The regions of one PD.
#[derive(Debug)]
pub struct Wiring {
    name: &'static str,
    start: AtomicU64,
    maps: Vec<Mapped>,
}

/// Maps every region of `system` into every PD as declared; device registers are left out.
///
/// # Errors
/// As the operating system reports it.
pub fn wire(system: &System) -> io::Result<(Vec<Memory>, Vec<Arc<Wiring>>)> {
    let memories: Vec<Memory> =
        system.regions.iter().map(|region| Memory::new(region.size as usize)).collect::<Result<_, _>>()?;
    let writers = |region| {
        let maps = system.pds.iter().flat_map(|pd| &pd.maps);
        maps.filter(|map| map.region == region && map.permissions.write).count()
    };
    let mut wirings = Vec::new();
    for pd in &system.pds {
        let mut maps = Vec::new();
        for map in &pd.maps {
            let region = &system.regions[map.region];
            if matches!(region.location, Location::Device(_)) {
                continue;
            }
            let named =
                pd.setvars.iter().find(|var| matches!(var.value, SetValue::Number(n) if n == map.vaddr));
            maps.push(Mapped {
                region: region.name.clone(),
                symbol: named.map_or_else(|| region.name.clone(), |var| var.symbol.clone()),
                exclusive: map.permissions.write && writers(map.region) == 1,
                taken: AtomicBool::new(false),
                mapping: memories[map.region].map(map.permissions.write)?,
            });
        }
        wirings.push(Arc::new(Wiring {
            name: Box::leak(pd.name.clone().into_boxed_str()),
            start: AtomicU64::new(0),
            maps,
        }));
    }
    Ok((memories, wirings))
}

impl Wiring {
    /// The PD's name.
    pub fn name(&self) -> &'static str {
        self.name
    }
    /// How often it was started before.
    pub fn start(&self) -> u64 {
        self.start.load(Relaxed)
    }
    /// All mapped regions.
    pub fn maps(&self) -> &[Mapped] {
        &self.maps
    }
    /// The PD starts again; nothing of its earlier life is left.
    pub(crate) fn start_again(&self, start: u64) {
        self.start.store(start, Relaxed);
        self.maps.iter().for_each(|map| map.taken.store(false, Relaxed));
    }
    fn get(&self, symbol: &str) -> Option<&Mapped> {
        self.maps.iter().find(|map| map.symbol == symbol)
    }
    /// As `ipc_pd::regions!`'s `Writable`.
    pub fn writable(&self, symbol: &str) -> Option<Writable<'static>> {
        self.get(symbol)?.mapping.as_writable()
    }
    /// As `ipc_pd::regions!`'s `Readable`.
    pub fn readable(&self, symbol: &str) -> Option<Readable<'static>> {
        Some(self.get(symbol)?.mapping.as_readable())
    }
    /// Both regions of a link: the one we write, and the peer's.
    pub fn link(&self, mine: &str, theirs: &str) -> Option<(Writable<'static>, Readable<'static>)> {
        self.writable(mine).zip(self.readable(theirs))
    }
    /// As `ipc_pd::regions!`'s `Exclusive`.
    pub fn exclusive(&self, symbol: &str) -> Option<&'static mut [u8]> {
        self.get(symbol).filter(|map| map.exclusive && !map.taken.swap(true, Relaxed))?.mapping.as_exclusive()
    }
    /// As `ipc_pd::regions!`'s `Sealed`.
    pub fn sealed(&self, symbol: &str) -> Option<&'static [u8]> {
        Some(self.get(symbol)?.mapping.as_sealed())
    }
    /// As `ipc_pd::regions!`'s `Words`.
    pub fn words(&self, symbol: &str) -> Option<&'static [AtomicU32]> {
        Some(self.get(symbol)?.mapping.as_words())
    }
}
