//! The leader: requests of session and orders of the supervisor. How a model is set up and dropped is in `life.rs`.

mod life;

use crate::adapters::Adapters;
use crate::crew::Crew;
use crate::loaded::{LoadedEngine, Memory};
use crate::mail::Mail;
use crate::request::{Request, Setup};
use crate::work;
use inference_model::Kernels;
use ipc_pd::ChannelSet;
use ipc_protocol::session_compute::{Arithmetic, ModelFacts, Refusal, Stop, ToCompute, ToSession};
use ipc_protocol::supervisor_compute::{self as control, Sealed};
use life::State;

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
}

type SessionLink = ipc_link::Link<ToSession, ToCompute>;
type SupervisorLink = ipc_link::Link<control::ToSupervisor, control::ToCompute>;
