//! The leader: requests of session, orders of the supervisor, and the setting up of the team.

use crate::adapters::Adapters;
use crate::crew::Crew;
use crate::loaded::{self, LoadedEngine, Memory};
use crate::mail::Mail;
use crate::request::{Request, Setup};
use crate::{TIMER, work};
use alloc::string::String;
use inference_model::{Adapter, CacheKind, Config, Kernels, Model};
use ipc_pd::{ChannelSet, MessageInfo, clock, set_mr};
use ipc_protocol::session_compute::{Arithmetic, ModelFacts, Refusal, Stop, ToCompute, ToSession};
use ipc_protocol::supervisor_compute::{self as control, Sealed};
use ipc_protocol::{Piece, timer};

/// Time for workers to get ready.
const SETUP_MICROS: u64 = 5_000_000;

/// The model's place in its life.
enum State {
    /// None.
    Empty,
    /// Workers are getting ready for this one.
    Assembling { model: Model<'static>, adapter: Option<Adapter>, config: Config, deadline: u64 },
    /// In use.
    Ready(LoadedEngine),
    /// Workers are dropping it.
    Releasing,
}

/// Core 0's compute.
pub struct Leader {
    pub(crate) mail: Mail,
    pub(crate) crew: Crew,
    weights: &'static [u8],
    kernels: Kernels,
    memory: Option<Memory>,
    state: State,
    pub(crate) sealed: Option<Sealed>,
    announce: bool,
    pub(crate) adapters: Adapters,
    pub(crate) facts: Option<ModelFacts>,
    pub(crate) request: Option<Request>,
    pub(crate) copied: u64,
    pub(crate) read: u64,
}

impl Leader {
    /// Over started links and the regions of this PD.
    pub fn new(
        mail: (SessionLink, SupervisorLink),
        crew: Crew,
        weights: &'static [u8],
        kernels: Kernels,
        memory: Memory,
    ) -> Self {
        Self {
            mail: Mail::new(mail.0, mail.1),
            crew,
            weights,
            kernels,
            memory: Some(memory),
            state: State::Empty,
            sealed: None,
            announce: false,
            adapters: Adapters::default(),
            facts: None,
            request: None,
            copied: 0,
            read: 0,
        }
    }

    /// Works until there is nothing to do or session has no room.
    pub fn notified(&mut self, _: ChannelSet) {
        loop {
            ipc_pd::health::beat();
            self.mail.exchange();
            ipc_pd::health::gauge(
                ipc_pd::health::QUEUE,
                self.mail.waiting() + u64::from(self.request.is_some()),
            );
            self.crew.poll();
            self.follow_restarts();
            while let Some(order) = self.mail.next_order() {
                self.obey(order);
            }
            self.settle();
            // Requests wait while the team is being set up: the model will be there again in a moment.
            while let Some(message) = self.next_message() {
                self.take(message);
            }
            if !work::step(self) {
                self.rest();
                return;
            }
        }
    }

    fn next_message(&mut self) -> Option<ToCompute> {
        match self.state {
            State::Assembling { .. } => None,
            _ => self.mail.next(),
        }
    }

    fn follow_restarts(&mut self) {
        if core::mem::take(&mut self.mail.session_restarted) {
            self.request = None;
            self.mail.tell_session(ToSession::Model(self.facts));
        }
        // A new supervisor says again what to use; until then nothing changes.
        self.mail.supervisor_restarted = false;
    }

    fn obey(&mut self, order: control::ToCompute) {
        match order {
            control::ToCompute::Use(sealed) => {
                let known = self.sealed == Some(sealed) && matches!(self.state, State::Ready(_));
                self.announce = true;
                self.adapters.model(self.sealed == Some(sealed));
                self.sealed = Some(sealed);
                if known {
                    self.report();
                } else {
                    self.assemble();
                }
            }
            control::ToCompute::Release => {
                self.end_request(Stop::Cancelled);
                self.drop_model();
                self.sealed = None;
                self.crew.release();
                self.state = State::Releasing;
                self.mail.tell_session(ToSession::Model(None));
            }
        }
    }

    fn take(&mut self, message: ToCompute) {
        match message {
            ToCompute::Begin { id, prompt, limit, sampling, stop } => {
                self.end_request(Stop::Cancelled);
                let Some(facts) = self.facts else { return self.refuse(id, Refusal::NoModel) };
                if prompt >= facts.context {
                    return self.refuse(id, Refusal::PromptTooLong { most: facts.context.saturating_sub(1) });
                }
                let room = [facts.context as usize, facts.vocabulary as usize];
                match Request::begin(id, prompt as usize, limit, &sampling, stop, room) {
                    Ok(request) => self.request = Some(request),
                    Err(Setup::Bad | Setup::Memory) => self.refuse(id, Refusal::BadRequest),
                }
            }
            ToCompute::Tokens { id, offset, tokens } => {
                let vocabulary = self.facts.map_or(0, |facts| facts.vocabulary);
                let known = tokens.as_slice().iter().all(|token| *token < vocabulary);
                self.check(id, |request| known && request.add(offset as usize, tokens.as_slice()));
            }
            ToCompute::Guide { id } => self.guide(id),
            ToCompute::Choose { id, sequence, token } => self.guided(id, sequence, Some(token)),
            ToCompute::More { id, sequence } => self.guided(id, sequence, None),
            ToCompute::Go { id } => self.check(id, Request::go),
            ToCompute::Cancel { id } => {
                if let Some(request) = self.request.as_mut().filter(|request| request.id == id) {
                    request.cancelled = true;
                }
            }
            ToCompute::Erase => self.erase(),
            ToCompute::Adapt { place } => self.adapt(place),
        }
    }

    /// Applies a step of the request's set-up; the request is refused when it does not fit.
    pub(crate) fn check(&mut self, id: u32, step: impl FnOnce(&mut Request) -> bool) {
        let Some(request) = self.request.as_mut().filter(|request| request.id == id) else { return };
        if !step(request) {
            self.request = None;
            self.refuse(id, Refusal::BadRequest);
        }
    }

    pub(crate) fn refuse(&mut self, id: u32, why: Refusal) {
        self.mail.tell_session(ToSession::Refused { id, why });
    }

    /// Ends the request with its costs.
    pub(crate) fn end_request(&mut self, stop: Stop) {
        if let Some(mut request) = self.request.take() {
            let arithmetic = Arithmetic::named(self.kernels.name()).unwrap_or_default();
            let cost = request.cost(self.copied, self.read, arithmetic);
            self.mail.tell_session(ToSession::Done { id: request.id, stop, cost });
        }
    }

    fn erase(&mut self) {
        self.end_request(Stop::Cancelled);
        self.crew.work();
        let lost = match &mut self.state {
            State::Ready(loaded) => loaded.with_dependent_mut(|_, engine| engine.clear()).is_err(),
            _ => false,
        };
        if let Some(memory) = &mut self.memory {
            memory.erase();
        }
        self.crew.disturbed |= lost;
        self.mail.scrub();
        ipc_pd::scrub_stack();
        self.mail.tell_session(ToSession::Erased);
    }

    /// The engine, when a model is in use.
    pub(crate) fn engine(&mut self) -> Option<(&mut LoadedEngine, &mut Mail, &mut Request)> {
        match (&mut self.state, &mut self.request) {
            (State::Ready(loaded), Some(request)) if request.started => {
                Some((loaded, &mut self.mail, request))
            }
            _ => None,
        }
    }

    /// Lets the workers sleep until there is work again.
    fn rest(&mut self) {
        if !self.crew.is_working() {
            return;
        }
        if let State::Ready(loaded) = &mut self.state {
            self.crew.disturbed |= loaded.with_dependent_mut(|_, engine| engine.stop()).is_err();
        }
        self.crew.rested();
    }

    fn drop_model(&mut self) {
        self.rest();
        if let State::Ready(loaded) = core::mem::replace(&mut self.state, State::Empty) {
            let mut memory = loaded.release();
            memory.erase();
            self.memory = Some(memory);
        }
        self.facts = None;
    }

    /// Goes on with setting up or releasing, as far as workers allow.
    fn settle(&mut self) {
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

    fn report(&mut self) {
        self.mail.tell_session(ToSession::Model(self.facts));
        self.answer_adapt();
        if core::mem::take(&mut self.announce) {
            let generation = self.sealed.map_or(0, |sealed| sealed.generation);
            self.mail.tell_supervisor(control::ToSupervisor::Using { generation });
        }
    }

    fn give_up(&mut self, why: &str) {
        let generation = self.sealed.take().map_or(0, |sealed| sealed.generation);
        self.facts = None;
        self.mail
            .tell_supervisor(control::ToSupervisor::Unusable { generation, why: Piece::new(why.as_bytes()) });
        self.mail.tell_session(ToSession::Model(None));
        self.answer_adapt();
    }
}

type SessionLink = ipc_link::Link<ToSession, ToCompute>;
type SupervisorLink = ipc_link::Link<control::ToSupervisor, control::ToCompute>;

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
