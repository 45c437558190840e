// SPDX-License-Identifier: MIT
//! The PD's state and its one loop: messages first, then the disk, then what can wait.

use crate::embedding::Embedding;
use crate::events::{Events, Happening};
use crate::inbox::Inbox;
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
use ipc_protocol::session_retriever::{self, State};
use retrieval::memory::{Config, MemoryError};
use retrieval::store::StoreError;

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
    pub(crate) told: Option<State>,
    lives: u64,
    /// Nothing is left to tidy up.
    pub(crate) tidy: bool,
    /// The store had no room, and nothing was removed since.
    pub(crate) full: bool,
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
            full: false,
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
        (self.tidy, self.full) = (false, false);
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
