//! The models on the disk, as the loader named them when it last ran.
//!
//! One design rule: to name the models nobody has to run the loader, because it must not run while a model is in
//! use. Limit: [`MOST`] models are named; others can still be loaded by name.

use super::world::World;
use heapless::Vec;
use ipc_protocol::Name;
use ipc_protocol::session_supervisor::ToSession;

/// Models that are remembered.
pub const MOST: usize = 64;

/// Names and sizes.
#[derive(Debug, Default)]
pub struct Catalogue {
    models: Vec<(Name, u64), MOST>,
    complete: bool,
    cursor: Option<usize>,
}

impl Catalogue {
    /// Whether the loader has named at least one model and finished.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The loader begins to name models.
    pub fn begin(&mut self) {
        self.models.clear();
        self.complete = false;
    }

    /// The loader names a model.
    pub fn add(&mut self, name: Name, bytes: u64) {
        if !self.complete {
            let _ = self.models.push((name, bytes));
        }
    }

    /// The loader named all of them.
    pub fn end(&mut self) {
        self.complete = !self.models.is_empty();
    }

    /// Session wants to know.
    pub fn ask(&mut self) {
        self.cursor = Some(0);
    }

    /// Nobody is left to be told.
    pub fn forget_question(&mut self) {
        self.cursor = None;
    }

    /// Tells session as much as there is room for.
    pub fn answer(&mut self, world: &mut impl World, loaded: Option<&Name>) {
        let Some(mut next) = self.cursor else { return };
        while let Some((name, bytes)) = self.models.get(next) {
            let message =
                ToSession::Model { name: name.clone(), bytes: *bytes, loaded: loaded == Some(name) };
            if !world.offer_session(&message) {
                self.cursor = Some(next);
                return;
            }
            next += 1;
        }
        let told = world.offer_session(&ToSession::ListEnd { count: next as u32 });
        self.cursor = (!told).then_some(next);
    }
}
