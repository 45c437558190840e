//! Where in the weights region a model goes.

use ipc_protocol::supervisor_compute::Sealed;

/// Models begin at multiples of the region's pages.
pub(crate) const ALIGNMENT: u64 = 2 << 20;

/// A place, and whether the old model survives there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub offset: u64,
    pub keeps: bool,
}

/// The old model, if it lies inside the region: what the supervisor says is checked like anything else.
pub(crate) fn valid(keep: Option<Sealed>, region: u64, vocabulary: u64) -> Option<Sealed> {
    keep.filter(|old| {
        let end = old.offset.checked_add(old.length);
        end.is_some_and(|end| end <= region) && old.header <= old.length && old.header <= vocabulary
    })
}

/// A place for `bytes` in a region of `region` bytes; beside the old model where there is room, else at the start.
/// `None`: larger than the region.
pub(crate) fn place(region: u64, bytes: u64, keep: Option<Sealed>) -> Option<Place> {
    if bytes > region {
        return None;
    }
    let Some(old) = keep else { return Some(Place { offset: 0, keeps: false }) };
    let behind = (old.offset + old.length).next_multiple_of(ALIGNMENT);
    if bytes <= old.offset {
        Some(Place { offset: 0, keeps: true })
    } else if region.checked_sub(bytes).is_some_and(|last| behind <= last) {
        Some(Place { offset: behind, keeps: true })
    } else {
        Some(Place { offset: 0, keeps: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn old(offset: u64, length: u64) -> Option<Sealed> {
        Some(Sealed { generation: 1, offset, length, header: 100 })
    }

    #[test]
    fn beside_the_old_model_where_both_fit() {
        let at = |offset| Some(Place { offset, keeps: true });
        assert_eq!(place(64 * MIB, 10 * MIB, old(0, 5 * MIB + 1)), at(6 * MIB));
        assert_eq!(place(64 * MIB, 10 * MIB, old(10 * MIB, 50 * MIB)), at(0));
        assert_eq!(place(64 * MIB, 58 * MIB, old(0, 6 * MIB)), at(6 * MIB));
    }

    #[test]
    fn over_it_where_they_do_not() {
        let over = Some(Place { offset: 0, keeps: false });
        assert_eq!(place(64 * MIB, 58 * MIB + 1, old(0, 6 * MIB)), over);
        assert_eq!(place(64 * MIB, 64 * MIB, None), over);
        assert_eq!(place(64 * MIB, 64 * MIB + 1, None), None);
    }

    #[test]
    fn an_old_model_outside_of_the_region_is_none() {
        assert_eq!(valid(old(u64::MAX, 2), 64 * MIB, MIB), None);
        assert_eq!(valid(old(0, 65 * MIB), 64 * MIB, MIB), None);
        assert_eq!(valid(old(0, 64 * MIB), 64 * MIB, 99), None);
        assert!(valid(old(0, 64 * MIB), 64 * MIB, MIB).is_some());
    }
}
