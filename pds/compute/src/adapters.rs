//! The adapter that session wants to be used with the model.
//!
//! One design rule: an adapter never stands in the way of the model. One that is damaged, does not fit, or has no room
//! is left out, and session is told why.

use crate::Leader;
use crate::loaded;
use alloc::string::String;
use inference_model::{Adapter, Model};
use ipc_protocol::Piece;
use ipc_protocol::adapter::Place;
use ipc_protocol::session_compute::{Stop, ToSession};
use memory_region::Readable;

/// What is wanted, and what came of it.
#[derive(Default)]
pub(crate) struct Adapters {
    region: Option<Readable<'static>>,
    place: Option<Place>,
    /// The version that was asked for and not yet answered.
    asked: Option<u32>,
    /// Why it is not used.
    why: String,
}

impl Adapters {
    /// A model is to be used; another one than before has nothing to do with the adapter.
    pub(crate) fn model(&mut self, same: bool) {
        if !same {
            self.place = None;
        }
    }

    /// The adapter in use, if any.
    pub(crate) fn place(&self) -> Option<Place> {
        self.place
    }

    /// The model cannot be set up with the adapter: goes on without it; `false` where there was none.
    pub(crate) fn leave_out(&mut self, why: &str) -> bool {
        let was_there = self.place.take().is_some();
        if was_there {
            self.why = why.into();
        }
        was_there
    }

    /// Reads the adapter for `model`; where that fails there is none from now on.
    pub(crate) fn take(&mut self, model: &Model<'_>) -> Option<Adapter> {
        let place = self.place?;
        match loaded::adapter(self.region, &place, model) {
            Ok(adapter) => Some(adapter),
            Err(why) => {
                (self.place, self.why) = (None, why);
                None
            }
        }
    }
}

impl Leader {
    /// With the region in which adapters lie.
    #[must_use]
    pub fn with_adapters(mut self, region: Option<Readable<'static>>) -> Self {
        self.adapters.region = region;
        self
    }

    /// Session wants this adapter, or none: the model is set up anew with it.
    pub(crate) fn adapt(&mut self, place: Option<Place>) {
        self.end_request(Stop::Cancelled);
        self.adapters.asked = Some(place.map_or(0, |place| place.version));
        self.adapters.why.clear();
        if self.facts.is_none() || place == self.adapters.place {
            return self.answer_adapt();
        }
        self.adapters.place = place;
        self.assemble();
    }

    /// Answers session's last wish, once it was tried.
    pub(crate) fn answer_adapt(&mut self) {
        let Some(asked) = self.adapters.asked.take() else { return };
        let version = self.facts.and(self.adapters.place).map_or(0, |place| place.version);
        let why = core::mem::take(&mut self.adapters.why);
        let why = match (asked == version, why.is_empty()) {
            (true, _) => Piece::default(),
            (false, true) => Piece::new(b"compute has no model"),
            (false, false) => Piece::new(&why.as_bytes()[..why.floor_char_boundary(200.min(why.len()))]),
        };
        self.mail.tell_session(ToSession::Adapted { asked, version, why });
    }
}
