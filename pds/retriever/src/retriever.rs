// SPDX-License-Identifier: MIT
//! The PD's state and its one loop: messages first, then the disk, then what can wait.

use crate::embedding::{Embedding, Purpose};
use crate::events::{Events, Happening};
use crate::inbox::{Inbox, short};
use crate::learning::Learning;
use crate::port::Port;
use crate::requests::Incoming;
use crate::scan::Scan;
use crate::shelf::{self, Opened, Shelf, Store};
use crate::{SessionLink, SupervisorLink, gauge, library, time};
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::cell::RefCell;
use core::convert::Infallible;
use inference_kernels::Kernels;
use ipc_pd::{ChannelSet, Handler, clock, health};
use ipc_protocol::session_retriever::{self, State, ToSession};
use retrieval::memory::{Config, MemoryError};
use retrieval::store::{SECTOR, StoreError};

/// What the retriever works with.
pub struct Means {
    /// The link to session.
    pub session: SessionLink,
    /// The link to the supervisor.
    pub supervisor: Option<SupervisorLink>,
    /// Storage.
    pub port: Rc<RefCell<Port>>,
    /// Where the embedding model's file goes.
    pub weights: Option<&'static mut [u8]>,
    /// Arithmetic for this CPU.
    pub kernels: Kernels,
    /// Bytes of heap.
    pub heap: usize,
}

/// A request of session's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub id: u32,
    /// Tick at which it began.
    pub began: u64,
}

/// The retriever PD.
pub struct Retriever {
    pub(crate) inbox: Rc<RefCell<Inbox>>,
    pub(crate) supervisor: Option<SupervisorLink>,
    pub(crate) port: Rc<RefCell<Port>>,
    weights: Option<&'static mut [u8]>,
    pub(crate) kernels: Kernels,
    heap: usize,
    /// `None` until storage was asked for the model.
    pub(crate) embedding: Option<Embedding>,
    pub(crate) shelf: Shelf,
    pub(crate) scan: Scan,
    pub(crate) events: Events,
    pub(crate) incoming: Incoming,
    /// What session was told last.
    told: Option<State>,
    lives: u64,
    /// Nothing is left to tidy up.
    tidy: bool,
    pub(crate) learning: Learning,
}

impl Retriever {
    /// A retriever that has looked at nothing yet.
    pub fn new(means: Means) -> Self {
        let Means { session, supervisor, port, weights, kernels, heap } = means;
        Self {
            inbox: Rc::new(RefCell::new(Inbox::new(session))),
            supervisor,
            port,
            weights,
            kernels,
            heap,
            embedding: None,
            shelf: Shelf::Closed,
            scan: Scan::default(),
            events: Events::default(),
            incoming: Incoming::default(),
            told: None,
            lives: 0,
            tidy: false,
            learning: Learning::default(),
        }
    }

    fn work(&mut self) {
        loop {
            self.follow_peers();
            let mut moved = self.inbox.borrow_mut().flush();
            moved |= self.hear_supervisor();
            moved |= match self.is_ready() {
                true => self.hear_session() || self.background(),
                false => self.prepare(),
            };
            self.tell_state();
            if !moved {
                return;
            }
            health::beat();
        }
    }

    /// A new life of storage may have what the last one had not; one of session knows nothing.
    fn follow_peers(&mut self) {
        self.port.borrow_mut().follow();
        let lives = self.port.borrow().lives();
        if core::mem::replace(&mut self.lives, lives) != lives && matches!(self.shelf, Shelf::Unusable(..)) {
            self.shelf = Shelf::Closed;
            self.scan.begin(None);
        }
        let mut inbox = self.inbox.borrow_mut();
        inbox.look();
        if inbox.take_restarted() {
            self.told = None;
            self.incoming = Incoming::default();
            self.scan.asked = None;
        }
    }

    fn is_ready(&self) -> bool {
        self.embedding.is_some() && !matches!(self.shelf, Shelf::Closed)
    }

    /// Looks for the model, then for the store, as soon as storage is there.
    fn prepare(&mut self) -> bool {
        if self.lives == 0 {
            return false;
        }
        if self.embedding.is_none() {
            let (inbox, weights, kernels) = (self.inbox.clone(), self.weights.take(), self.kernels);
            let found = Embedding::find(inbox, &mut self.port.borrow_mut(), weights, kernels);
            self.embedding = Some(found);
            return true;
        }
        self.open();
        true
    }

    fn open(&mut self) {
        let config = self.config();
        let Some(embedding) = &self.embedding else { return };
        match shelf::open(&self.port, config, embedding) {
            Ok(opened) => self.use_store(opened),
            Err(unusable) => {
                let shelf = Shelf::from(unusable);
                if let Shelf::Unusable(why, _) = &shelf {
                    self.inbox.borrow_mut().line(0, &alloc::format!("retrieval: {why}"));
                }
                self.shelf = shelf;
            }
        }
    }

    /// Opens the store again where that may help.
    pub(crate) fn reopen(&mut self) {
        if matches!(self.shelf, Shelf::Unusable(_, true) | Shelf::Closed) {
            self.open();
        }
    }

    pub(crate) fn use_store(&mut self, opened: Opened) {
        let Opened { store, notice, missing } = opened;
        if let Some(notice) = notice {
            self.inbox.borrow_mut().line(0, &notice);
        }
        if missing > 0 {
            self.note(Happening::Damage(missing));
        }
        self.shelf = Shelf::Open(store);
        self.read_learning();
        self.tidy = false;
        self.remove_unfinished_notes();
    }

    pub(crate) fn config(&self) -> Config {
        let meaning =
            self.embedding.as_ref().is_some_and(|found| found.kind() == session_retriever::Embedding::Model);
        let name = time::now().wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ clock::ticks();
        library::config(self.heap, meaning, name)
    }

    /// The store with the embedding, or why there is none.
    pub(crate) fn open_store(&mut self) -> Result<(&mut Store, &mut Embedding), String> {
        match (&mut self.shelf, &mut self.embedding) {
            (Shelf::Open(store), Some(embedding)) => Ok((store, embedding)),
            (Shelf::Unusable(why, _), _) => Err(why.clone()),
            _ => Err("the store is not open yet; try again".into()),
        }
    }

    /// What an error means for people. After one of the disk the store is opened again.
    pub(crate) fn failed(&mut self, error: MemoryError) -> String {
        if matches!(error, MemoryError::Store(StoreError::Device(_) | StoreError::Poisoned)) {
            self.shelf = Shelf::Closed;
        }
        match error {
            MemoryError::Embed(_) => "stopped".into(),
            error => error.to_string(),
        }
    }

    /// Whether something else has to be done before a text in the background is embedded.
    pub(crate) fn is_interrupted(&self) -> bool {
        let inbox = self.inbox.borrow();
        let asked = self.scan.asked.is_some_and(|request| inbox.is_cancelled(request.id));
        inbox.has_mail() || inbox.is_quiet() || asked
    }

    /// A step of what can wait; whether there was one. Nothing while an answer is made.
    fn background(&mut self) -> bool {
        if self.inbox.borrow().is_quiet() {
            return false;
        }
        self.store_event(Purpose::Background) || self.scan_step() || self.embed_anew() || self.tidy_up()
    }

    /// New vectors for texts of another embedding.
    fn embed_anew(&mut self) -> bool {
        let (Shelf::Open(store), Some(embedding)) = (&mut self.shelf, &mut self.embedding) else {
            return false;
        };
        if store.counts().unembedded == 0 {
            return false;
        }
        embedding.purpose = Purpose::Background;
        match store.embed_step(embedding) {
            Ok(_) => true,
            Err(MemoryError::Embed(_)) if self.is_interrupted() => true,
            Err(error) => {
                self.failed(error);
                false
            }
        }
    }

    /// Makes room on the disk, once nothing else is to do.
    fn tidy_up(&mut self) -> bool {
        let Shelf::Open(store) = &mut self.shelf else { return false };
        if self.tidy {
            return false;
        }
        match store.tidy() {
            Ok(more) => self.tidy = !more,
            Err(error) => drop(self.failed(error)),
        }
        !self.tidy
    }

    /// Ends a request.
    pub(crate) fn done(&mut self, request: Request, ok: bool) {
        self.tidy = false;
        let embedding =
            self.embedding.as_ref().map_or(session_retriever::Embedding::Loading, Embedding::kind);
        let micros = clock::to_micros(clock::ticks().saturating_sub(request.began));
        self.inbox.borrow_mut().say(ToSession::Done { id: request.id, ok, embedding, micros });
    }

    fn state(&self) -> State {
        let (embedding, label) = match &self.embedding {
            None => (session_retriever::Embedding::Loading, short("")),
            Some(embedding) => (embedding.kind(), short(embedding.description())),
        };
        let store = match self.shelf {
            Shelf::Closed => session_retriever::Store::Opening,
            Shelf::Open(_) => session_retriever::Store::Open,
            Shelf::Unusable(..) => session_retriever::Store::Unusable,
        };
        let mut state = State {
            embedding,
            label,
            store,
            sources: 0,
            passages: 0,
            unembedded: 0,
            episodes: 0,
            facts: 0,
            told: 0,
            learning: self.learning.on,
            pairs: 0,
            used: 0,
            size: 0,
        };
        if let Shelf::Open(store) = &self.shelf {
            let counts = store.counts();
            state.sources = counts.sources as u32;
            state.passages = counts.passages as u32;
            state.unembedded = counts.unembedded as u32;
            state.episodes = counts.episodes as u32;
            state.facts = counts.facts as u32;
            state.told = store.facts().filter(|fact| fact.episode.is_none()).count() as u32;
            state.pairs = store.pair_count() as u32;
            state.used = counts.usage.used * SECTOR as u64;
            state.size = counts.usage.log * SECTOR as u64;
        }
        state
    }

    /// Tells session what has changed.
    fn tell_state(&mut self) {
        let state = self.state();
        if self.told.as_ref() != Some(&state) {
            self.inbox.borrow_mut().say(ToSession::State(state.clone()));
            self.report(&state);
            self.told = Some(state);
        }
        self.inbox.borrow_mut().flush();
    }

    fn report(&self, state: &State) {
        health::gauge(gauge::PASSAGES, state.passages.into());
        health::gauge(gauge::EPISODES, state.episodes.into());
        let embedding = match state.embedding {
            session_retriever::Embedding::Loading => 0,
            session_retriever::Embedding::Model => 1,
            session_retriever::Embedding::Hash => 2,
        };
        health::gauge(gauge::EMBEDDING, embedding);
    }
}

impl Handler for Retriever {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.work();
        health::gauge(gauge::WAITING, self.inbox.borrow().waiting());
        health::gauge(gauge::STORAGE_STARTS, self.port.borrow().lives());
        Ok(())
    }
}
