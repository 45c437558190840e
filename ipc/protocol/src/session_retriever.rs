//! Session and retriever: questions in, passages out; and what the user wants of the store.
//!
//! A request is a `Text` in pieces, or an `Ask`. Its answer is any number of `Passage`, `Text`, `Line` and `Progress`
//! with its id, then one `Done`. The retriever works on one request at a time; a later one waits in the link.

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
}

/// What the user wants of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
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
}

/// From session to retriever. `id` is chosen by session, increasing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
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
