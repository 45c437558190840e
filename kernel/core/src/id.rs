//! The number of a protection domain and the tables it indexes.

use core::num::NonZeroU8;
use core::ops::{Index, IndexMut};

/// Entries of every object table; entry 0 stays unused, so 63 protection domains fit.
pub const OBJECTS: usize = 64;

/// A protection domain, and with it each of its objects: 1 to 63.
///
/// Zero is left for `None`, so `Option<Id>` is one byte and a zeroed table is an empty one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Id(NonZeroU8);

impl Id {
    /// The id of the PD with this index in the system description, `None` for 63 and above.
    pub fn of_pd(index: usize) -> Option<Self> {
        let number = u8::try_from(index).ok()?.checked_add(1)?;
        if usize::from(number) >= OBJECTS { None } else { NonZeroU8::new(number).map(Self) }
    }

    /// Index of the PD in the system description.
    pub fn pd(self) -> usize {
        usize::from(self.0.get()) - 1
    }

    /// Entry in a [`Table`], always below [`OBJECTS`].
    #[inline(always)]
    pub fn slot(self) -> usize {
        usize::from(self.0.get()) & (OBJECTS - 1)
    }

    /// The id of a table entry.
    #[inline(always)]
    pub fn of_slot(slot: usize) -> Option<Self> {
        NonZeroU8::new((slot & (OBJECTS - 1)) as u8).map(Self)
    }
}

/// One object per protection domain.
pub struct Table<T>(pub [T; OBJECTS]);

impl<T> Index<Id> for Table<T> {
    type Output = T;
    #[inline(always)]
    fn index(&self, id: Id) -> &T {
        &self.0[id.slot()]
    }
}

impl<T> IndexMut<Id> for Table<T> {
    #[inline(always)]
    fn index_mut(&mut self, id: Id) -> &mut T {
        &mut self.0[id.slot()]
    }
}
