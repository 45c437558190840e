//! The loader's turn: it names the models, reads one, and seals it.

use super::{LOADING_MS, Loaded, Model, Phase, Run, TRIES, World, shown};
use crate::chronicle::short;
use crate::text::piece;
use ipc_protocol::event::Event as Happened;
use ipc_protocol::session_supervisor::ToSession;
use ipc_protocol::supervisor_loader::{ToLoader, ToSupervisor as FromLoader};
use ipc_protocol::{Name, Piece};

impl Model {
    pub(super) fn load(&mut self, target: Name, world: &mut impl World) {
        self.phase = Phase::Loading { target, tries: 0, asked: false };
        self.deadline = world.now_ms() + LOADING_MS;
        match world.run_loader() {
            Run::Resumed => self.ask_loader(world),
            Run::Starting => (),
            Run::Lost => {
                let why = piece!("the loader has failed too often: restart loader starts it again");
                self.load_failed(why, true, world)
            }
        }
    }

    /// Names first: the loader will not run again to name them while a model is in use.
    pub(super) fn ask_loader(&mut self, world: &mut impl World) {
        let Phase::Loading { asked, .. } = &mut self.phase else { return };
        *asked = true;
        self.deadline = world.now_ms() + LOADING_MS;
        if !self.catalogue.is_complete() {
            self.catalogue.begin();
            return world.loader(ToLoader::List);
        }
        self.send_load(world);
    }

    pub(super) fn send_load(&mut self, world: &mut impl World) {
        let Phase::Loading { target, .. } = &self.phase else { return };
        self.generation = self.generation.wrapping_add(1);
        self.question = None;
        let keep = self.current.as_ref().map(|model| model.sealed);
        world.loader(ToLoader::Load { name: target.clone(), generation: self.generation, keep });
    }

    pub(super) fn loader_started(&mut self, world: &mut impl World) {
        match self.phase {
            Phase::Loading { asked: false, .. } => self.ask_loader(world),
            Phase::Loading { .. } => {
                self.loader_failed(world);
                if matches!(self.phase, Phase::Loading { asked: false, .. }) {
                    self.ask_loader(world);
                }
            }
            _ => world.stop_loader(),
        }
    }

    /// What the loader wrote is not to be believed any more: what lies in the regions is unknown.
    pub(super) fn loader_failed(&mut self, world: &mut impl World) {
        let Phase::Loading { target, tries, asked } = &mut self.phase else { return };
        (*tries, *asked) = (*tries + 1, false);
        self.current = None;
        self.deadline = world.now_ms() + LOADING_MS;
        if *tries >= TRIES {
            let why = piece!("the loader failed {TRIES} times while it read {}", shown(target));
            world.stop_loader();
            self.load_failed(why, false, world);
        }
    }

    pub(super) fn loader_lost(&mut self, world: &mut impl World) {
        if self.loader_may_run() {
            (self.current, self.before) = (None, None);
            let why = piece!("the loader has failed too often: restart loader starts it again");
            self.load_failed(why, false, world);
        }
    }

    pub(super) fn loader_said(&mut self, message: FromLoader, world: &mut impl World) {
        if !matches!(self.phase, Phase::Loading { asked: true, .. }) {
            return;
        }
        self.deadline = world.now_ms() + LOADING_MS;
        match message {
            FromLoader::Model { name, bytes } => self.catalogue.add(name, bytes),
            FromLoader::ListEnd { .. } => self.listed(world),
            FromLoader::Progress { done, total } => {
                world.offer_session(&ToSession::Progress { done, total });
            }
            FromLoader::Sealed { sealed, name, hash, signed, .. } => {
                self.sealed(Loaded { sealed, name, hash, signed }, world)
            }
            FromLoader::Newest { identity } => {
                self.question = Some(identity);
                self.answer_loader(world);
            }
            FromLoader::Failed { why, kept } => {
                world.stop_loader();
                self.load_failed(why, kept, world);
            }
        }
    }

    /// Nothing is known before the account on the disk was read; until then the loader waits.
    pub(super) fn answer_loader(&mut self, world: &mut impl World) {
        let Some(identity) = self.question.take() else { return };
        if !matches!(self.phase, Phase::Loading { asked: true, .. }) {
            return;
        }
        match world.newest(&identity) {
            Some(newest) => world.loader(ToLoader::Newest { newest }),
            None => self.question = Some(identity),
        }
    }

    /// An empty list is not remembered, so that the next load asks again, and the loader says itself why.
    pub(super) fn listed(&mut self, world: &mut impl World) {
        self.catalogue.end();
        self.send_load(world);
    }

    pub(super) fn sealed(&mut self, model: Loaded, world: &mut impl World) {
        if model.sealed.generation != self.generation {
            return;
        }
        world.stop_loader();
        self.current = Some(model);
        self.install(0, world);
    }

    pub(super) fn load_failed(&mut self, why: Piece, kept: bool, world: &mut impl World) {
        if self.failure.is_none() {
            let target = if let Phase::Loading { target, .. } = &self.phase {
                target.clone()
            } else {
                Name::default()
            };
            world.remember(Happened::ModelFailed { model: target, why: short(why.text()) });
        }
        self.failure.get_or_insert(why.clone());
        if kept && self.current.is_some() {
            return self.install(0, world);
        }
        self.current = None;
        match self.before.take() {
            Some(name) => self.load(name, world),
            None => {
                let first = self.failure.take().unwrap_or(why);
                self.no_model(first, world)
            }
        }
    }

    pub(super) fn no_model(&mut self, why: Piece, world: &mut impl World) {
        if self.loader_may_run() {
            world.stop_loader();
        }
        (self.phase, self.current, self.before, self.failure) = (Phase::Idle, None, None, None);
        (self.using, self.told) = (false, false);
        self.why = why;
        if core::mem::take(&mut self.requested) && !self.why.as_slice().is_empty() {
            world.session(ToSession::LoadFailed { why: self.why.clone(), kept: false });
        }
        self.tell_session(world);
    }
}
