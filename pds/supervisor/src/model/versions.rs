//! The newest version of every signed model that was in use.
//!
//! One design rule: what was accepted is never forgotten, so a restart of the loader opens no way back to an older
//! version. Where there is no room to remember, nothing new is accepted. Limit: [`MOST`] models. The
//! [ledger](crate::ledger) keeps them across power cycles.

use heapless::Vec;
use ipc_protocol::signing::{Identity, Minimum, Signed};
use ipc_protocol::supervisor_loader::Newest;

/// Models that are remembered.
pub const MOST: usize = 16;

/// Names and versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(Vec<Minimum, MOST>);

impl Versions {
    /// All of them.
    pub fn entries(&self) -> &[Minimum] {
        &self.0
    }

    /// The newest version accepted.
    pub fn newest(&self, identity: &Identity) -> Newest {
        match self.0.iter().find(|known| known.identity == *identity) {
            Some(known) => Newest::Version(known.version),
            None if self.0.is_full() => Newest::Full,
            None => Newest::Version(0),
        }
    }

    /// Takes note of a model that compute uses; whether that is news.
    pub fn accept(&mut self, signed: &Signed) -> bool {
        self.raise(&Minimum { identity: signed.identity.clone(), version: signed.version })
    }

    /// Takes note of what was accepted elsewhere, as far as it fits; whether any of it is news.
    pub fn merge(&mut self, others: &[Minimum]) -> bool {
        others.iter().fold(false, |news, other| self.raise(other) | news)
    }

    fn raise(&mut self, minimum: &Minimum) -> bool {
        match self.0.iter_mut().find(|known| known.identity == minimum.identity) {
            Some(known) if known.version >= minimum.version => false,
            Some(known) => {
                known.version = minimum.version;
                true
            }
            // The loader was told that there is room, or `Full`.
            None => self.0.push(minimum.clone()).is_ok(),
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
        assert_eq!(newest(&versions, "a"), Newest::Version(0));
        let news = [3, 5, 4, 5].map(|version| versions.accept(&signed("a", version)));
        assert_eq!(news, [true, true, false, false]);
        assert_eq!(newest(&versions, "a"), Newest::Version(5));
        (1..MOST).for_each(|number| assert!(versions.accept(&signed(&format!("m{number}"), 1))));
        assert_eq!((newest(&versions, "a"), newest(&versions, "other")), (Newest::Version(5), Newest::Full));
        assert!(!versions.accept(&signed("other", 9)));
        assert_eq!(newest(&versions, "other"), Newest::Full);
    }

    #[test]
    fn what_was_accepted_earlier_only_raises_versions() {
        let (mut now, mut earlier) = (Versions::default(), Versions::default());
        now.accept(&signed("a", 2));
        now.accept(&signed("b", 7));
        earlier.accept(&signed("a", 5));
        earlier.accept(&signed("b", 3));
        earlier.accept(&signed("c", 1));
        assert!(now.merge(earlier.entries()) && !now.merge(earlier.entries()));
        let newest = |name: &str| now.newest(&Identity::new(name.as_bytes()));
        assert_eq!(["a", "b", "c"].map(newest), [Newest::Version(5), Newest::Version(7), Newest::Version(1)]);
    }
}
