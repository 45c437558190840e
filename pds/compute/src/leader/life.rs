//! The model's life in compute: workers get ready for it, it is used, they drop it.

use super::Leader;
use crate::loaded::{self, LoadedEngine, Memory};
use crate::{TIMER, work};
use alloc::string::String;
use inference_model::{Adapter, CacheKind, Config, Model};
use ipc_pd::{MessageInfo, clock, set_mr};
use ipc_protocol::session_compute::{ModelFacts, ToSession};
use ipc_protocol::supervisor_compute::{self as control, Sealed};
use ipc_protocol::{Piece, timer};

/// Time for workers to get ready.
const SETUP_MICROS: u64 = 5_000_000;

/// The model's place in its life.
pub(super) enum State {
    /// None.
    Empty,
    /// Workers are getting ready for this one.
    Assembling { model: Model<'static>, adapter: Option<Adapter>, config: Config, deadline: u64 },
    /// In use.
    Ready(LoadedEngine),
    /// Workers are dropping it.
    Releasing,
}

impl Leader {
    pub(super) fn drop_model(&mut self) {
        self.rest();
        if let State::Ready(loaded) = core::mem::replace(&mut self.state, State::Empty) {
            let mut memory = loaded.release();
            memory.erase();
            self.memory = Some(memory);
        }
        self.facts = None;
    }

    /// Goes on with setting up or releasing, as far as workers allow.
    pub(super) fn settle(&mut self) {
        if self.crew.disturbed && self.sealed.is_some() {
            return self.assemble();
        }
        match core::mem::replace(&mut self.state, State::Empty) {
            State::Assembling { model, adapter, config, deadline } => match self.crew.ready() {
                Some(true) => self.build((model, adapter), config),
                Some(false) if clock::ticks() < deadline => {
                    self.state = State::Assembling { model, adapter, config, deadline };
                }
                _ => {
                    self.crew.exclude_late();
                    self.assemble();
                }
            },
            State::Releasing if self.crew.released() => {
                self.mail.tell_supervisor(control::ToSupervisor::Released)
            }
            other => self.state = other,
        }
    }

    /// Sets up the sealed model with the workers there are.
    pub(crate) fn assemble(&mut self) {
        self.drop_model();
        let Some(sealed) = self.sealed else { return };
        match self.plan(&sealed) {
            Ok((model, config)) => {
                let adapter = self.adapters.take(&model);
                self.crew.set_up(&sealed, self.adapters.place(), &config);
                let deadline = clock::ticks() + clock::from_micros(SETUP_MICROS);
                if config.workers > 1 {
                    set_mr(0, SETUP_MICROS + 1000);
                    TIMER.pp_call(MessageInfo::new(timer::SET_TIMEOUT, 1));
                }
                self.state = State::Assembling { model, adapter, config, deadline };
                if config.workers == 1 {
                    self.settle();
                }
            }
            Err(why) => self.give_up(&why),
        }
    }

    fn plan(&self, sealed: &Sealed) -> Result<(Model<'static>, Config), String> {
        let model = loaded::bind(self.weights, sealed)?;
        let memory = self.memory.as_ref().ok_or("compute has lost its memory")?;
        let workers = self.crew.available().min(model.hyper.heads.max(1));
        let config = (1..=workers).rev().find_map(|workers| self.crew.fit(&model, memory, workers));
        let config = config.ok_or_else(|| too_large(&model, memory))?;
        Ok((model, config))
    }

    fn build(&mut self, (model, adapter): (Model<'static>, Option<Adapter>), config: Config) {
        let Some(memory) = self.memory.take() else { return };
        self.copied = work::bytes_outside(&model, self.weights);
        self.read = model.weight_bytes() as u64;
        let cache =
            (0..config.workers).filter_map(|i| model.needs(&config, i).ok()).map(|needs| needs.cache as u64);
        self.facts = Some(ModelFacts {
            generation: self.sealed.map_or(0, |sealed| sealed.generation),
            context: config.context as u32,
            trained_context: model.hyper.context as u32,
            vocabulary: model.hyper.vocab as u32,
            cache_bytes: cache.sum(),
            workers: self.crew.size() as u32,
        });
        match loaded::engine((model, adapter), config, self.kernels, self.crew.team(), memory) {
            Ok(engine) => {
                self.state = State::Ready(engine);
                self.report();
            }
            Err((memory, why)) => {
                self.memory = Some(memory);
                match self.adapters.leave_out(&why) {
                    true => self.assemble(),
                    false => self.give_up(&why),
                }
            }
        }
    }

    pub(super) fn report(&mut self) {
        self.mail.tell_session(ToSession::Model(self.facts));
        self.answer_adapt();
        if core::mem::take(&mut self.announce) {
            let generation = self.sealed.map_or(0, |sealed| sealed.generation);
            self.mail.tell_supervisor(control::ToSupervisor::Using { generation });
        }
    }

    pub(super) fn give_up(&mut self, why: &str) {
        let generation = self.sealed.take().map_or(0, |sealed| sealed.generation);
        self.facts = None;
        self.mail
            .tell_supervisor(control::ToSupervisor::Unusable { generation, why: Piece::new(why.as_bytes()) });
        self.mail.tell_session(ToSession::Model(None));
        self.answer_adapt();
    }
}

fn too_large(model: &Model<'_>, memory: &Memory) -> String {
    let config = Config { context: 1, batch: 1, workers: 1, cache: CacheKind::F16 };
    match model.needs(&config, 0) {
        Ok(needs) => alloc::format!(
            "the model needs {} KiB of activations and {} bytes of cache per token; there are {} KiB and {} KiB",
            needs.scratch.div_ceil(256),
            needs.cache,
            memory.scratch.len() / 256,
            memory.cache.len() / 1024
        ),
        Err(error) => alloc::format!("{error}"),
    }
}
