//! What session wants, and the way to a moment in which nobody reads.

use super::{Loaded, Model, Phase, RELEASE_MS, Then, World};
use crate::text::piece;
use ipc_protocol::Piece;
use ipc_protocol::session_supervisor::{ToSession, ToSupervisor as FromSession};
use ipc_protocol::supervisor_compute::ToCompute;

impl Model {
    pub(super) fn session_started(&mut self, world: &mut impl World) {
        if !core::mem::replace(&mut self.met_session, true) {
            return world.session(ToSession::ReleaseVocabulary);
        }
        self.told = false;
        self.catalogue.forget_question();
        self.session_stopped_reading(world);
        if self.phase == Phase::Idle {
            self.tell_session(world);
        }
    }

    pub(super) fn session_stopped_reading(&mut self, world: &mut impl World) {
        self.session_reads = false;
        self.go_on_when_released(world);
    }

    pub(super) fn tell_session(&mut self, world: &mut impl World) {
        match self.in_use().cloned() {
            Some(Loaded { sealed, name, hash, signed }) if !self.told => {
                (self.told, self.session_reads) = (true, true);
                world.session(ToSession::Ready { sealed, name, hash, signed });
            }
            None if self.current.is_none() || self.compute_lost => {
                world.session(ToSession::NoModel { why: self.why.clone() })
            }
            _ => (),
        }
    }

    pub(super) fn session_said(&mut self, message: FromSession, world: &mut impl World) {
        match message {
            FromSession::List => self.catalogue.ask(),
            FromSession::Load { name } => self.request(Then::Load(name), world),
            FromSession::Unload => self.request(Then::Unload(Piece::default()), world),
            FromSession::VocabularyReleased => self.session_stopped_reading(world),
        }
    }

    pub(super) fn request(&mut self, then: Then, world: &mut impl World) {
        if self.phase != Phase::Idle {
            let why = piece!("a model is being loaded already; try again when that is done");
            return world.session(ToSession::LoadFailed { why, kept: false });
        }
        self.requested = true;
        self.release(then, world);
    }

    pub(super) fn release(&mut self, then: Then, world: &mut impl World) {
        (self.using, self.told) = (false, false);
        self.phase = Phase::Releasing(then);
        self.deadline = world.now_ms() + RELEASE_MS;
        if self.compute_reads {
            world.compute(ToCompute::Release);
        }
        if self.session_reads {
            world.session(ToSession::ReleaseVocabulary);
        }
        self.go_on_when_released(world);
    }

    pub(super) fn go_on_when_released(&mut self, world: &mut impl World) {
        if self.is_read() || !matches!(self.phase, Phase::Releasing(_)) {
            return;
        }
        match core::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Releasing(Then::Load(name)) => {
                self.before = self.current.as_ref().map(|model| model.name.clone());
                self.load(name, world);
            }
            Phase::Releasing(Then::Unload(why)) => self.no_model(why, world),
            _ => (),
        }
    }
}
