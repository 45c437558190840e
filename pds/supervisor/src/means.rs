//! What the system description gives the supervisor: health pages, links, facts.

use crate::children::{CHILDREN, COUNT};
use crate::ledger;
use crate::post::Regions;
use crate::ward::{Facts, Ward};
use ipc_pd::Child;
use ipc_protocol::platform::Platform;
use memory_region::Readable;

/// What the system description gives the supervisor; `None` where it has no such thing.
pub struct Means {
    /// The platform page.
    pub platform: Option<&'static [u8]>,
    /// The guardian's health page: why this PD was restarted.
    pub guardian: Option<Readable<'static>>,
    /// Health pages in the order of [`CHILDREN`]; a child without one, or one that the platform page does not
    /// name, does not exist.
    pub health: [Option<Readable<'static>>; COUNT],
    /// The link to console.
    pub console: Option<Regions>,
    /// The link to session.
    pub session: Option<Regions>,
    /// The link to compute.
    pub compute: Option<Regions>,
    /// The link to loader.
    pub loader: Option<Regions>,
    /// The link to retriever.
    pub retriever: Option<Regions>,
    /// The link to storage, and what goes to and comes from the disk.
    pub ledger: ledger::Means,
}

impl Means {
    /// The children that exist.
    pub(crate) fn wards(&self, platform: &Platform) -> [Option<Ward>; COUNT] {
        core::array::from_fn(|index| {
            let policy = &CHILDREN[index];
            let known = platform.pds.iter().find(|pd| pd.name.as_slice() == policy.name.as_bytes());
            let facts = known.map_or(Facts { core: policy.core, memory: 0 }, |pd| Facts {
                core: pd.core,
                memory: pd.memory,
            });
            // With fewer cores a description may still map health pages of workers that it no longer has.
            let exists = known.is_some() || platform.pds.is_empty();
            let page = self.health[index].filter(|_| exists)?;
            Some(Ward::new(policy, Child::new(index as u8), page, facts))
        })
    }
}
