//! Session and retriever: questions in, passages out; and what the user wants of the store.
//!
//! A request is a `Text` in pieces, or an `Ask`. Its answer is any number of `Passage`, `Text`, `Line` and `Progress`
//! with its id, then one `Done`. The retriever works on one request at a time; a later one waits in the link.

use crate::adapter::Place;
use crate::event::Event;
use crate::{Name, Piece};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Longest text of a request.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Task {
    /// Find passages for this question.
    Search {
        /// Most passages.
        passages: u8,
        /// Most bytes of their texts together.
        bytes: u32,
    },
    /// Find what happened, as lines.
    Recall,
    /// Keep the text as a note.
    Note,
    /// Keep `subject | relation | object` as a fact.
    Fact,
    /// Forget the source with this path, name or number.
    Remove,
    /// Keep a pair to learn from: the first bytes are the question, the rest the answer.
    Pair {
        /// Where it comes from.
        kind: PairKind,
        /// Bytes of the question.
        question: u32,
    },
}

/// What the user wants of the store.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, MaxSize)]
pub enum Ask {
    /// Take in what is new in `/docs`, with progress, until it is done.
    Scan,
    /// All sources, as lines.
    List,
    /// All facts, as lines.
    Facts,
    /// Forget a fact.
    ForgetFact(u64),
    /// Forget everything: make an empty store.
    Format,
    /// Something about what is learnt.
    Learning(Learning),
}

/// Where a pair comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum PairKind {
    /// The user gave a better answer.
    Correction,
    /// The user ran a proposed command.
    Accepted,
    /// The user did not run it: it is not to be learnt.
    Refused,
    /// The user marked a turn of the conversation.
    Marked,
}

/// What session wants of pairs and adapters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, MaxSize)]
pub enum Learning {
    /// Collect pairs from now on, or no more.
    Switch(bool),
    /// All pairs, oldest first: `Pair` and its `Text`.
    Pairs,
    /// All adapters, oldest first: `Version`.
    Versions,
    /// Forget a pair.
    ForgetPair(u64),
    /// Forget all pairs and adapters.
    Forget,
    /// Store what lies in `trainer_adapter`; `Version` says under which number.
    Keep(Version),
    /// Put an adapter into a slot of `retriever_adapter`: `Loaded`.
    Load {
        /// Its number.
        version: u32,
        /// The slot that nobody uses.
        slot: u8,
    },
    /// From now on this adapter is the one for this base; 0: none.
    Activate {
        /// Of the base.
        base: [u8; 8],
        /// The adapter's number.
        version: u32,
    },
}

/// An adapter in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, MaxSize)]
pub struct Version {
    /// Its number, from 1 on; 0 when it is being stored.
    pub number: u32,
    /// First bytes of the SHA-256 of the model that it was made for.
    pub base: [u8; 8],
    /// Bytes.
    pub length: u32,
    /// [`crate::adapter::checksum`] of them.
    pub checksum: u64,
    /// Pairs that it has learnt.
    pub pairs: u32,
    /// The number of the newest of them.
    pub newest: u64,
    /// Seconds since 1970 when it was stored.
    pub time: u64,
    /// Loss on these pairs without it, in nats per token.
    pub before: f32,
    /// Loss with it.
    pub after: f32,
    /// Whether it is the one for its base.
    pub active: bool,
}

/// From session to retriever. `id` is chosen by session, increasing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, MaxSize)]
pub enum ToRetriever {
    /// A piece of a text.
    Text {
        /// The request.
        id: u32,
        /// What the text is for.
        task: Task,
        /// Bytes of UTF-8; a piece may end within a character.
        piece: Piece,
        /// Whether the text is complete.
        last: bool,
    },
    /// A request without a text.
    Ask {
        /// The request.
        id: u32,
        /// What.
        what: Ask,
    },
    /// Stop this request; what is done stays done.
    Cancel {
        /// The request.
        id: u32,
    },
    /// While an answer is made, take nothing in.
    Quiet {
        /// From now on.
        on: bool,
    },
    /// Remember this.
    Happened {
        /// What happened.
        event: Event,
    },
}

/// How texts become vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Embedding {
    /// It is being looked for.
    Loading,
    /// An embedding model.
    Model,
    /// Hashes of words.
    Hash,
}

/// What has become of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Store {
    /// It is being opened.
    Opening,
    /// In use.
    Open,
    /// It cannot be used; a `Notice` said why.
    Unusable,
}

/// The retriever's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct State {
    /// How texts become vectors.
    pub embedding: Embedding,
    /// The embedding's label, with why there is no model.
    pub label: Name,
    /// What has become of the store.
    pub store: Store,
    /// Documents and notes.
    pub sources: u32,
    /// Their passages.
    pub passages: u32,
    /// Of these and the episodes, those that still need a vector.
    pub unembedded: u32,
    /// Episodes.
    pub episodes: u32,
    /// Facts.
    pub facts: u32,
    /// Of these, those that a person has told.
    pub told: u32,
    /// Pairs are collected.
    pub learning: bool,
    /// Pairs.
    pub pairs: u32,
    /// Documents that a scan of `/docs` has still to look at; 1 while nobody knows how many.
    pub files_left: u32,
    /// Bytes in use on the disk.
    pub used: u64,
    /// Of so many.
    pub size: u64,
}

/// From retriever to session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, MaxSize)]
pub enum ToSession {
    /// The state, at the start and whenever it changed.
    State(State),
    /// A passage; its text follows as `Text`.
    Passage {
        /// The request.
        id: u32,
        /// Its document, or what else it comes from.
        source: Name,
        /// Headings above it.
        heading: Name,
        /// How well it fits: cosine, or the score of its words.
        score: f32,
    },
    /// A piece of the last passage's text.
    Text {
        /// The request.
        id: u32,
        /// Bytes of UTF-8, cut between characters.
        piece: Piece,
        /// Whether it is complete.
        last: bool,
    },
    /// A line for the user, in pieces.
    Line {
        /// The request, 0 when nobody asked.
        id: u32,
        /// Bytes of UTF-8, cut between characters.
        piece: Piece,
        /// Whether it is complete.
        last: bool,
    },
    /// A pair to learn from; its text follows as `Text`, the question first.
    Pair {
        /// The request.
        id: u32,
        /// Its number.
        number: u64,
        /// Where it comes from.
        kind: PairKind,
        /// Bytes of the question.
        question: u32,
    },
    /// An adapter in the store.
    Version {
        /// The request.
        id: u32,
        /// Which.
        version: Version,
    },
    /// An adapter lies in `retriever_adapter`.
    Loaded {
        /// The request.
        id: u32,
        /// Where.
        place: Place,
    },
    /// Passages that are taken in.
    Progress {
        /// The request.
        id: u32,
        /// Passages done.
        done: u32,
        /// Of so many, as far as known.
        total: u32,
    },
    /// The request has ended.
    Done {
        /// The request.
        id: u32,
        /// Whether it did what was asked; if not, the last line said why.
        ok: bool,
        /// What it was done with.
        embedding: Embedding,
        /// Microseconds that it took.
        micros: u64,
    },
}
