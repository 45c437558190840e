//! What `mem` lists of a system's regions: large ones by name, the many small ones of a kind together.

use ipc_protocol::Name;
use ipc_protocol::platform::RegionFacts;
use tools_sysgen::System;
use tools_sysgen::model::{Location, Region};

/// Kinds of regions that are counted together.
const KINDS: [&str; 4] = ["links", "health pages", "heaps", "outboxes"];
/// Largest region of a link.
const LINK: u64 = 64 << 10;

fn kind(region: &Region) -> Option<usize> {
    let Region { name, size, .. } = region;
    let is = [
        name.contains("_to_") && *size <= LINK,
        name.ends_with("_health"),
        name.ends_with("_heap"),
        name.ends_with("_outbox"),
    ];
    is.iter().position(|is| *is)
}

/// Names and sizes. Registers of devices are no memory.
pub fn shown(system: &System) -> Vec<RegionFacts> {
    let memory = system.regions.iter().filter(|region| !matches!(region.location, Location::Device(_)));
    let (small, large): (Vec<_>, Vec<_>) = memory.partition(|region| kind(region).is_some());
    let facts = |name: &str, size| RegionFacts { name: Name::new(name.as_bytes()), size };
    let mut all: Vec<_> = large.iter().map(|region| facts(&region.name, region.size)).collect();
    for (index, name) in KINDS.iter().enumerate() {
        let sizes = || small.iter().filter(|region| kind(region) == Some(index)).map(|region| region.size);
        let name = format!("{} {name}", sizes().count());
        all.extend(sizes().next().map(|_| facts(&name, sizes().sum())));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use tools_sysgen::{Description, SearchPath, board};

    #[test]
    fn every_byte_of_memory_is_shown_once_in_a_short_list() {
        let board = board("qemu_virt_aarch64").unwrap();
        let path = crate::shell::root().join("system.xml");
        let system = Description::read(&path).unwrap().resolve(&board, &SearchPath::default()).unwrap();
        let shown = shown(&system);
        let memory = system.regions.iter().filter(|region| !matches!(region.location, Location::Device(_)));
        let total: u64 = memory.map(|region| region.size).sum();
        assert_eq!(shown.iter().map(|facts| facts.size).sum::<u64>(), total);
        let has = |name: &str| shown.iter().any(|facts| facts.name.text().ends_with(name));
        assert!(has("weights") && has(" links") && has(" health pages") && !has("uart"));
        assert!(shown.len() < system.regions.len() / 2, "{shown:?}");
    }
}
