//! Compute's turn: it takes the sealed model into use, or says why it cannot.

use super::{INSTALL_MS, Model, Phase, TRIES, Then, World, shown};
use crate::text::piece;
use ipc_protocol::Piece;
use ipc_protocol::event::Event as Happened;
use ipc_protocol::session_supervisor::ToSession;
use ipc_protocol::supervisor_compute::{ToCompute, ToSupervisor as FromCompute};

impl Model {
    pub(super) fn install(&mut self, tries: u8, world: &mut impl World) {
        self.phase = Phase::Installing { tries };
        self.deadline = world.now_ms() + INSTALL_MS;
        match self.compute_lost {
            true => self.compute_gone(world),
            false => self.tell_compute(world),
        }
    }

    pub(super) fn tell_compute(&mut self, world: &mut impl World) {
        if let Some(sealed) = self.current.as_ref().map(|model| model.sealed) {
            self.compute_reads = true;
            world.compute(ToCompute::Use(sealed));
        }
    }

    pub(super) fn is_current(&self, generation: u32) -> bool {
        self.current.as_ref().is_some_and(|model| model.sealed.generation == generation)
    }

    pub(super) fn compute_said(&mut self, message: FromCompute, world: &mut impl World) {
        match message {
            FromCompute::Released => {
                self.compute_reads &= !matches!(self.phase, Phase::Releasing(_));
                self.go_on_when_released(world);
            }
            FromCompute::Using { generation } if self.is_current(generation) => self.in_place(world),
            FromCompute::Unusable { generation, why } if self.is_current(generation) => {
                self.unusable(why, world)
            }
            _ => (),
        }
    }

    pub(super) fn in_place(&mut self, world: &mut impl World) {
        if !matches!(self.phase, Phase::Installing { .. } | Phase::Idle) {
            return;
        }
        if let (Phase::Installing { .. }, None, Some(model)) = (&self.phase, &self.failure, &self.current) {
            world.remember(Happened::ModelLoaded { model: model.name.clone() });
        }
        (self.phase, self.using, self.before) = (Phase::Idle, true, None);
        // Not before: a release that compute cannot use must not bar the way back.
        if let Some(signed) = self.current.as_ref().and_then(|model| model.signed.as_ref()) {
            world.accept(signed);
        }
        if let Some(why) = self.failure.take() {
            let kept = true;
            match core::mem::take(&mut self.requested) {
                true => world.session(ToSession::LoadFailed { why, kept }),
                false => world.notice(why),
            }
        }
        self.requested = false;
        self.tell_session(world);
    }

    pub(super) fn unusable(&mut self, why: Piece, world: &mut impl World) {
        if !matches!(self.phase, Phase::Installing { .. } | Phase::Idle) {
            return;
        }
        self.compute_reads = false;
        self.using = false;
        let name = self.current.take().map(|model| model.name).unwrap_or_default();
        let why = piece!("{} cannot be used: {}", shown(&name), why.text());
        self.withdraw(why, world);
    }

    /// The installed model is of no use. Session may still read the vocabulary if it was in use until now.
    pub(super) fn withdraw(&mut self, why: Piece, world: &mut impl World) {
        match self.session_reads {
            true => self.release(Then::Unload(why), world),
            false => self.load_failed(why, false, world),
        }
    }

    pub(super) fn compute_started(&mut self, world: &mut impl World) {
        (self.compute_reads, self.using, self.compute_lost) = (false, false, false);
        match self.phase {
            Phase::Idle | Phase::Installing { .. } => self.tell_compute(world),
            Phase::Releasing(_) => self.go_on_when_released(world),
            Phase::Loading { .. } => (),
        }
    }

    pub(super) fn compute_failed(&mut self, world: &mut impl World) {
        (self.compute_reads, self.using) = (false, false);
        match self.phase {
            Phase::Releasing(_) => self.go_on_when_released(world),
            Phase::Installing { tries } if tries + 1 >= TRIES => {
                let name = self.current.take().map(|model| model.name).unwrap_or_default();
                let why = piece!("compute failed {TRIES} times when it was given {}", shown(&name));
                self.withdraw(why, world);
            }
            Phase::Installing { tries } => {
                self.phase = Phase::Installing { tries: tries + 1 };
                self.deadline = world.now_ms() + INSTALL_MS;
            }
            _ => (),
        }
    }

    /// The model stays where it is: when a person starts compute again, it is used again.
    pub(super) fn compute_gone(&mut self, world: &mut impl World) {
        (self.compute_reads, self.using, self.compute_lost) = (false, false, true);
        match self.phase {
            Phase::Releasing(_) => self.go_on_when_released(world),
            Phase::Loading { .. } => (),
            Phase::Idle | Phase::Installing { .. } => {
                (self.phase, self.told, self.failure) = (Phase::Idle, false, None);
                self.why = piece!("compute is stopped: restart compute starts it again");
                if core::mem::take(&mut self.requested) {
                    world.session(ToSession::LoadFailed { why: self.why.clone(), kept: false });
                }
                self.tell_session(world);
            }
        }
    }
}
