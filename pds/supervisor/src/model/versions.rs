//! The newest version of every signed model that was accepted since power-on.
//!
//! One design rule: what was accepted is never forgotten, so a restart of the loader opens no way back to an older
//! version. Where there is no room to remember, nothing new is accepted. Limit: [`MOST`] models; a power cycle forgets
//! them, and then only the minimum versions in the image count.

use heapless::Vec;
use ipc_protocol::signing::{Identity, Signed};

/// Models that are remembered.
pub const MOST: usize = 16;

/// Names and versions.
#[derive(Debug, Default)]
pub struct Versions(Vec<(Identity, u64), MOST>);

impl Versions {
    /// The newest version accepted, 0 before the first; `None`: no room for another name.
    pub fn newest(&self, identity: &Identity) -> Option<u64> {
        let known = self.0.iter().find(|(name, _)| name == identity).map(|(_, version)| *version);
        known.or_else(|| (!self.0.is_full()).then_some(0))
    }

    /// Takes note of a model that compute uses.
    pub fn accept(&mut self, signed: &Signed) {
        match self.0.iter_mut().find(|(name, _)| *name == signed.identity) {
            Some((_, newest)) => *newest = signed.version.max(*newest),
            // The loader was told that there is room, or `None`.
            None => drop(self.0.push((signed.identity.clone(), signed.version))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(name: &str, version: u64) -> Signed {
        Signed { identity: Identity::new(name.as_bytes()), version, ..Signed::default() }
    }

    #[test]
    fn the_newest_version_stays_and_a_full_table_takes_no_other_name() {
        let mut versions = Versions::default();
        let newest = |versions: &Versions, name: &str| versions.newest(&Identity::new(name.as_bytes()));
        assert_eq!(newest(&versions, "a"), Some(0));
        for version in [3, 5, 4] {
            versions.accept(&signed("a", version));
        }
        assert_eq!(newest(&versions, "a"), Some(5));
        (1..MOST).for_each(|number| versions.accept(&signed(&format!("m{number}"), 1)));
        assert_eq!((newest(&versions, "a"), newest(&versions, "other")), (Some(5), None));
        versions.accept(&signed("other", 9));
        assert_eq!(newest(&versions, "other"), None);
    }
}
