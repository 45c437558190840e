//! The direct rights of every PD, by name.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tools_sysgen::System;
use tools_sysgen::model::Location;

/// Two PDs, the acting one first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pair {
    /// Who acts.
    pub from: String,
    /// On whom.
    pub to: String,
}

/// Who reaches one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Access {
    /// Bytes.
    pub size: u64,
    /// Whether it is a device's registers.
    pub device: bool,
    /// PDs that may write it.
    pub write: BTreeSet<String>,
    /// PDs that may read it, writers included where they may.
    pub read: BTreeSet<String>,
    /// PDs that may execute it.
    pub execute: BTreeSet<String>,
}

/// All rights that a description gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flows {
    /// PDs by falling priority.
    pub pds: Vec<String>,
    /// Regions by name.
    pub regions: BTreeMap<String, Access>,
    /// Who may signal whom.
    pub notify: BTreeSet<Pair>,
    /// Who may call whom: words in both directions.
    pub call: BTreeSet<Pair>,
    /// Who may stop and restart whom, and is told of its faults.
    pub control: BTreeSet<Pair>,
    /// Interrupt numbers by the PD that gets them.
    pub interrupts: BTreeMap<String, BTreeSet<u32>>,
    /// I/O ports (x86-64) by the PD that uses them: `first..end`.
    pub ports: BTreeMap<String, BTreeSet<String>>,
}

impl Flows {
    /// Reads the rights off a checked description.
    pub fn of(system: &System) -> Self {
        let mut flows = Self::default();
        let mut order: Vec<_> = system.pds.iter().collect();
        order.sort_by_key(|pd| std::cmp::Reverse(pd.priority));
        flows.pds = order.iter().map(|pd| pd.name.clone()).collect();
        for region in &system.regions {
            let device = matches!(region.location, Location::Device(_));
            let access = Access { size: region.size, device, ..Access::default() };
            flows.regions.insert(region.name.clone(), access);
        }
        flows.add_maps(system);
        flows.add_channels(system);
        flows
    }

    fn add_maps(&mut self, system: &System) {
        for pd in &system.pds {
            for map in &pd.maps {
                let access = self.regions.entry(system.regions[map.region].name.clone()).or_default();
                let rights = map.permissions;
                let sets = [
                    (rights.write, &mut access.write),
                    (rights.read, &mut access.read),
                    (rights.execute, &mut access.execute),
                ];
                sets.into_iter().filter(|(set, _)| *set).for_each(|(_, pds)| {
                    pds.insert(pd.name.clone());
                });
            }
            if let Some(parent) = pd.parent {
                self.control.insert(pair(&system.pds[parent].name, &pd.name));
            }
            if !pd.irqs.is_empty() {
                let numbers = pd.irqs.iter().map(|irq| irq.number).collect();
                self.interrupts.insert(pd.name.clone(), numbers);
            }
            for port in &pd.ports {
                let (first, end) = (u32::from(port.first), u32::from(port.first) + u32::from(port.count));
                self.ports.entry(pd.name.clone()).or_default().insert(format!("{first:#x}..{end:#x}"));
            }
        }
    }

    fn add_channels(&mut self, system: &System) {
        for channel in &system.channels {
            let [a, b] = &channel.ends;
            for (from, to) in [(a, b), (b, a)] {
                let names = pair(&system.pds[from.pd].name, &system.pds[to.pd].name);
                if from.notify {
                    self.notify.insert(names.clone());
                }
                if from.pp {
                    self.call.insert(names);
                }
            }
        }
    }
}

fn pair(from: &str, to: &str) -> Pair {
    Pair { from: from.into(), to: to.into() }
}
