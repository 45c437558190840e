//! The model's life cycle: who may read the weights and the vocabulary, and when the loader may write them.
//!
//! One design rule: **the loader runs only while nobody reads.** It is let run after compute and session have said
//! that they stopped reading (or were themselves stopped), and it is stopped before either is told to read.
//! Whoever fails, in whatever phase, leads to one of two ends: a model in use, or none and a reason why.
//!
//! ```text
//! Releasing ──all released──► Loading ──Sealed──► Installing ──Using──► Idle (model in use)
//!     ▲                          │ Failed, kept ──────▲  │ Unusable, compute failed twice
//!     └── Load, Unload ── Idle   └ Failed, not kept ─► the model before it, read again by name ─► or none, and why
//! ```

mod catalogue;
pub(crate) mod versions;
mod world;

use crate::children::{COMPUTE, LOADER, SESSION};
use crate::chronicle::short;
use crate::text::piece;
use catalogue::Catalogue;
use ipc_protocol::event::Event as Happened;
use ipc_protocol::session_supervisor::{ToSession, ToSupervisor as FromSession};
use ipc_protocol::signing::Identity;
use ipc_protocol::supervisor_compute::{ToCompute, ToSupervisor as FromCompute};
use ipc_protocol::supervisor_loader::{ToLoader, ToSupervisor as FromLoader};
use ipc_protocol::{Name, Piece};
pub use world::{Event, Loaded, Run, World};

/// How often one load, or one installation, is tried when its worker fails.
const TRIES: u8 = 2;
/// How long compute and session may take to stop reading.
const RELEASE_MS: u64 = 20_000;
/// How long the loader may be without news.
const LOADING_MS: u64 = 30_000;
/// How long compute may take to accept a model.
const INSTALL_MS: u64 = 60_000;

#[derive(Debug, PartialEq)]
enum Then {
    Load(Name),
    Unload(Piece),
}

#[derive(Debug, PartialEq)]
enum Phase {
    /// Nothing under way; the loader is stopped.
    Idle,
    /// Compute and session were asked to stop reading.
    Releasing(Then),
    /// The loader runs; `asked`: and has its task.
    Loading { target: Name, tries: u8, asked: bool },
    /// The loader is stopped; compute was told to use `current`.
    Installing { tries: u8 },
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Model {
    phase: Phase,
    deadline: u64,
    generation: u32,
    current: Option<Loaded>,
    /// Compute has said that it uses `current`.
    using: bool,
    /// Session was told `Ready` since it last started.
    told: bool,
    compute_reads: bool,
    session_reads: bool,
    compute_lost: bool,
    /// Session's link has come up since this supervisor started. The first time says nothing about session: it is we
    /// who are new, if we were restarted.
    met_session: bool,
    /// The model to go back to when a load fails.
    before: Option<Name>,
    /// Why the load that session asked for failed.
    failure: Option<Piece>,
    requested: bool,
    /// Why there is no model.
    why: Piece,
    catalogue: Catalogue,
    /// The loader asks for the newest version of this model, which is not known yet.
    question: Option<Identity>,
}

impl Model {
    /// At boot the loader runs, nobody reads, and the first or only model is wanted.
    pub fn at_boot(now_ms: u64) -> Self {
        Self {
            phase: Phase::Loading { target: Name::default(), tries: 0, asked: false },
            deadline: now_ms + LOADING_MS,
            generation: 0,
            current: None,
            using: false,
            told: false,
            compute_reads: false,
            session_reads: false,
            compute_lost: false,
            met_session: true,
            before: None,
            failure: None,
            requested: false,
            why: Piece::default(),
            catalogue: Catalogue::default(),
            question: None,
        }
    }

    /// After a restart of the supervisor the loader is stopped and compute is being restarted, but session may be
    /// reading: it is asked to stop, and then the first or only model is read again.
    pub fn after_restart(now_ms: u64) -> Self {
        Self {
            phase: Phase::Releasing(Then::Load(Name::default())),
            deadline: now_ms + RELEASE_MS,
            compute_reads: true,
            session_reads: true,
            met_session: false,
            ..Self::at_boot(now_ms)
        }
    }

    /// Whether the loader may run now.
    pub fn loader_may_run(&self) -> bool {
        matches!(self.phase, Phase::Loading { .. })
    }

    /// Whether anybody may read weights or vocabulary now.
    pub fn is_read(&self) -> bool {
        self.compute_reads || self.session_reads
    }

    /// The model in use.
    pub fn in_use(&self) -> Option<&Loaded> {
        self.current.as_ref().filter(|_| self.using)
    }

    /// Reacts to an event.
    pub fn on(&mut self, event: Event, world: &mut impl World) {
        match event {
            Event::ComputeStarted => self.compute_started(world),
            Event::ComputeFailed => self.compute_failed(world),
            Event::ComputeLost => self.compute_gone(world),
            Event::Compute(message) => self.compute_said(message, world),
            Event::SessionStarted => self.session_started(world),
            Event::SessionFailed => {
                self.met_session = true;
                self.session_stopped_reading(world)
            }
            Event::Session(message) => self.session_said(message, world),
            Event::LoaderStarted => self.loader_started(world),
            Event::LoaderFailed => self.loader_failed(world),
            Event::LoaderLost => self.loader_lost(world),
            Event::Loader(message) => self.loader_said(message, world),
            Event::Tick => self.tick(world),
        }
        self.catalogue.answer(world, self.current.as_ref().filter(|_| self.using).map(|model| &model.name));
    }

    // ---- session ----

    fn session_started(&mut self, world: &mut impl World) {
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

    fn session_stopped_reading(&mut self, world: &mut impl World) {
        self.session_reads = false;
        self.go_on_when_released(world);
    }

    fn tell_session(&mut self, world: &mut impl World) {
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

    fn session_said(&mut self, message: FromSession, world: &mut impl World) {
        match message {
            FromSession::List => self.catalogue.ask(),
            FromSession::Load { name } => self.request(Then::Load(name), world),
            FromSession::Unload => self.request(Then::Unload(Piece::default()), world),
            FromSession::VocabularyReleased => self.session_stopped_reading(world),
        }
    }

    fn request(&mut self, then: Then, world: &mut impl World) {
        if self.phase != Phase::Idle {
            let why = piece!("a model is being loaded already; try again when that is done");
            return world.session(ToSession::LoadFailed { why, kept: false });
        }
        self.requested = true;
        self.release(then, world);
    }

    // ---- releasing ----

    fn release(&mut self, then: Then, world: &mut impl World) {
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

    fn go_on_when_released(&mut self, world: &mut impl World) {
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

    // ---- loading ----

    fn load(&mut self, target: Name, world: &mut impl World) {
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
    fn ask_loader(&mut self, world: &mut impl World) {
        let Phase::Loading { asked, .. } = &mut self.phase else { return };
        *asked = true;
        self.deadline = world.now_ms() + LOADING_MS;
        if !self.catalogue.is_complete() {
            self.catalogue.begin();
            return world.loader(ToLoader::List);
        }
        self.send_load(world);
    }

    fn send_load(&mut self, world: &mut impl World) {
        let Phase::Loading { target, .. } = &self.phase else { return };
        self.generation = self.generation.wrapping_add(1);
        self.question = None;
        let keep = self.current.as_ref().map(|model| model.sealed);
        world.loader(ToLoader::Load { name: target.clone(), generation: self.generation, keep });
    }

    fn loader_started(&mut self, world: &mut impl World) {
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
    fn loader_failed(&mut self, world: &mut impl World) {
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

    fn loader_lost(&mut self, world: &mut impl World) {
        if self.loader_may_run() {
            (self.current, self.before) = (None, None);
            let why = piece!("the loader has failed too often: restart loader starts it again");
            self.load_failed(why, false, world);
        }
    }

    fn loader_said(&mut self, message: FromLoader, world: &mut impl World) {
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
    fn answer_loader(&mut self, world: &mut impl World) {
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
    fn listed(&mut self, world: &mut impl World) {
        self.catalogue.end();
        self.send_load(world);
    }

    fn sealed(&mut self, model: Loaded, world: &mut impl World) {
        if model.sealed.generation != self.generation {
            return;
        }
        world.stop_loader();
        self.current = Some(model);
        self.install(0, world);
    }

    fn load_failed(&mut self, why: Piece, kept: bool, world: &mut impl World) {
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

    fn no_model(&mut self, why: Piece, world: &mut impl World) {
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

    // ---- installing and using ----

    fn install(&mut self, tries: u8, world: &mut impl World) {
        self.phase = Phase::Installing { tries };
        self.deadline = world.now_ms() + INSTALL_MS;
        match self.compute_lost {
            true => self.compute_gone(world),
            false => self.tell_compute(world),
        }
    }

    fn tell_compute(&mut self, world: &mut impl World) {
        if let Some(sealed) = self.current.as_ref().map(|model| model.sealed) {
            self.compute_reads = true;
            world.compute(ToCompute::Use(sealed));
        }
    }

    fn is_current(&self, generation: u32) -> bool {
        self.current.as_ref().is_some_and(|model| model.sealed.generation == generation)
    }

    fn compute_said(&mut self, message: FromCompute, world: &mut impl World) {
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

    fn in_place(&mut self, world: &mut impl World) {
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

    fn unusable(&mut self, why: Piece, world: &mut impl World) {
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
    fn withdraw(&mut self, why: Piece, world: &mut impl World) {
        match self.session_reads {
            true => self.release(Then::Unload(why), world),
            false => self.load_failed(why, false, world),
        }
    }

    fn compute_started(&mut self, world: &mut impl World) {
        (self.compute_reads, self.using, self.compute_lost) = (false, false, false);
        match self.phase {
            Phase::Idle | Phase::Installing { .. } => self.tell_compute(world),
            Phase::Releasing(_) => self.go_on_when_released(world),
            Phase::Loading { .. } => (),
        }
    }

    fn compute_failed(&mut self, world: &mut impl World) {
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
    fn compute_gone(&mut self, world: &mut impl World) {
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

    // ---- time ----

    fn tick(&mut self, world: &mut impl World) {
        self.answer_loader(world);
        if self.phase == Phase::Idle || world.now_ms() < self.deadline {
            return;
        }
        self.deadline = world.now_ms() + RELEASE_MS;
        match self.phase {
            Phase::Idle => (),
            Phase::Releasing(_) => {
                if self.compute_reads {
                    world.replace(COMPUTE);
                }
                if self.session_reads {
                    world.replace(SESSION);
                }
            }
            Phase::Loading { .. } => world.replace(LOADER),
            Phase::Installing { .. } => world.replace(COMPUTE),
        }
    }
}

fn shown(name: &Name) -> &str {
    match name.as_slice() {
        [] => "the model",
        _ => name.text(),
    }
}
