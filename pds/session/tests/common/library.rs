//! A session with a model, a console that the test plays, and a retriever that it plays too.

use super::World;
use super::model::chat_model;
use ipc_link::Link;
use ipc_pd::hosted::enter;
use ipc_pd::{ChannelSet, Handler};
use ipc_protocol::session_retriever::{self, Ask, Embedding, State, Store, Task, ToRetriever};
use ipc_protocol::{Name, Piece};
use memory_region::fake::Region;
use pds_session::RETRIEVER;
use std::mem::replace;

type Side = Link<session_retriever::ToSession, ToRetriever>;

/// A session with a model, a console that the test plays, and a retriever that it plays too.
pub struct Library {
    pub world: World,
    pub side: Side,
    pub regions: [Region; 2],
}

impl Library {
    pub fn new(passages: u32) -> Self {
        let (file, regions) = (chat_model(), [Region::new(16 * 1024), Region::new(16 * 1024)]);
        let mut world = World::cold(file);
        let [to, from] = &regions;
        let (link, side) = enter(world.kernel.clone(), || {
            let link = Link::start(to.writable(), from.readable(), RETRIEVER);
            (link, Link::start(from.writable(), to.readable(), RETRIEVER))
        });
        let session = replace(&mut world.session, World::cold(file).session);
        world.session = session.with_retriever(link);
        world.facts.context = 2048;
        world.compute_has_model();
        world.supervisor_ready();
        let mut library = Self { world, side, regions };
        library.says(session_retriever::ToSession::State(state(passages)));
        library.world.heard();
        library
    }

    pub fn run(&mut self) {
        for _ in 0..3 {
            let (kernel, side) = (self.world.kernel.clone(), &mut self.side);
            enter(kernel.clone(), || side.poll());
            let session = &mut self.world.session;
            enter(kernel, || session.notified(ChannelSet::from_bits(1 << RETRIEVER.id())).unwrap());
        }
    }

    pub fn says(&mut self, message: session_retriever::ToSession) {
        self.run();
        let side = &mut self.side;
        enter(self.world.kernel.clone(), || side.send(&message).unwrap());
        self.run();
    }

    /// What the retriever is asked and told, but for adapters, which are looked up beside everything else.
    pub fn asked(&mut self) -> Vec<ToRetriever> {
        self.run();
        let side = &mut self.side;
        let about_learning =
            |message: &ToRetriever| matches!(message, ToRetriever::Ask { what: Ask::Learning(_), .. });
        enter(self.world.kernel.clone(), || {
            let all = std::iter::from_fn(|| side.receive().unwrap());
            all.filter(|message| !about_learning(message)).collect()
        })
    }

    pub fn passage(&mut self, id: u32, source: &str, text: &str) {
        let (source, heading) = (Name::new(source.as_bytes()), Name::default());
        self.says(session_retriever::ToSession::Passage { id, source, heading, score: 0.75 });
        for (index, piece) in text.as_bytes().chunks(200).enumerate() {
            let last = (index + 1) * 200 >= text.len();
            self.says(session_retriever::ToSession::Text { id, piece: Piece::new(piece), last });
        }
    }

    pub fn done(&mut self, id: u32, embedding: Embedding) {
        self.says(session_retriever::ToSession::Done { id, ok: true, embedding, micros: 12_345 });
    }

    /// Asks the model something; the retriever's id of its question.
    pub fn question(&mut self, text: &str) -> u32 {
        self.world.says(text);
        let asked = self.asked();
        let search = asked.iter().find_map(|message| match message {
            ToRetriever::Text { id, task: Task::Search { .. }, piece, last: true } => {
                Some((*id, piece.clone()))
            }
            _ => None,
        });
        let (id, piece) = search.unwrap_or_else(|| panic!("the retriever was not asked: {asked:?}"));
        assert_eq!(piece.text(), text);
        id
    }

    pub fn restarts(&mut self) {
        let [to, from] = &self.regions;
        let (mine, theirs) = (from.writable(), to.readable());
        self.side = enter(self.world.kernel.clone(), || Link::start(mine, theirs, RETRIEVER));
        self.run();
    }
}

pub fn state(passages: u32) -> State {
    State {
        embedding: Embedding::Hash,
        label: Name::new(b"hash fallback (FNV-1a, words only)"),
        store: Store::Open,
        sources: 1,
        passages,
        unembedded: 0,
        episodes: 1,
        facts: 1,
        told: 0,
        learning: false,
        pairs: 0,
        files_left: 0,
        used: 1,
        size: 2,
    }
}
