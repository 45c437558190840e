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
mod installing;
mod loading;
mod releasing;
pub(crate) mod versions;
mod world;

use crate::children::{COMPUTE, LOADER, SESSION};
use catalogue::Catalogue;
use ipc_protocol::signing::Identity;
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
