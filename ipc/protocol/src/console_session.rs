//! Console and session: text in, text out.
//!
//! A message of the user is one or more `Text` pieces of one id, the last of them marked. An answer ends with
//! `Answered`; everything else, and an answer that was refused, with `Notice` lines and one `End` with the
//! request's id. Session works on one request at a time; a new one while another is under way is refused.

use crate::session_compute::{Cost, Stop};
use crate::{Name, Piece};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Names that `Set` takes.
pub const PARAMETERS: [&str; 11] = [
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "repeat_penalty",
    "repeat_last_n",
    "seed",
    "num_predict",
    "num_ctx",
    "stop",
    "template",
];

/// What `/show` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Show {
    /// The model's facts.
    Info,
    /// The sampling parameters.
    Parameters,
    /// The system prompt.
    System,
    /// The chat template's name.
    Template,
    /// The licence in the model's metadata.
    License,
}

/// From console to session. `id` is chosen by the console, increasing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToSession {
    /// A piece of what the user says.
    Text {
        /// The request.
        id: u32,
        /// Bytes of UTF-8; a piece may end within a character.
        piece: Piece,
        /// Whether the message is complete.
        last: bool,
    },
    /// A piece of a request in English: which command would do it? Nothing is done.
    Ask {
        /// The request.
        id: u32,
        /// Bytes of UTF-8; a piece may end within a character.
        piece: Piece,
        /// Whether it is complete.
        last: bool,
    },
    /// Stop the answer.
    Cancel {
        /// The request.
        id: u32,
    },
    /// A piece of a new system prompt.
    System {
        /// The request.
        id: u32,
        /// Bytes of UTF-8.
        piece: Piece,
        /// Whether it is complete.
        last: bool,
    },
    /// Set a sampling parameter or limit by its name, as the user typed both.
    Set {
        /// The request.
        id: u32,
        /// Parameter name.
        name: Name,
        /// Its value.
        value: Name,
    },
    /// Show something.
    Show {
        /// The request.
        id: u32,
        /// What.
        what: Show,
    },
    /// Forget the conversation and erase the cache; the system prompt stays.
    Clear {
        /// The request.
        id: u32,
    },
    /// Answer the last message again.
    Regenerate {
        /// The request.
        id: u32,
    },
    /// List models.
    Models {
        /// The request.
        id: u32,
    },
    /// Load a model.
    Load {
        /// The request.
        id: u32,
        /// Its name.
        name: Name,
    },
    /// Unload the model.
    Unload {
        /// The request.
        id: u32,
    },
    /// Generate a fixed number of tokens from a fixed prompt and say how fast it was.
    Benchmark {
        /// The request.
        id: u32,
    },
    /// Something about documents, facts and episodes.
    Rag {
        /// The request.
        id: u32,
        /// What.
        what: Rag,
    },
    /// A piece of a text for the retriever.
    RagText {
        /// The request.
        id: u32,
        /// What the text is for.
        what: RagText,
        /// Bytes of UTF-8; a piece may end within a character.
        piece: Piece,
        /// Whether it is complete.
        last: bool,
    },
    /// The user decided about the last proposal. No answer follows.
    Decided {
        /// It was run.
        ran: bool,
    },
}

/// What `/rag` and `/fact` do without a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Rag {
    /// Answers use passages.
    On,
    /// Answers use none.
    Off,
    /// Whether answers from passages are quotations of them.
    Quote(bool),
    /// List documents and notes.
    List,
    /// What the last answer was given.
    Sources,
    /// Take in what is new in `/docs`.
    Scan,
    /// Forget everything that the retriever remembers.
    Format,
    /// List facts.
    Facts,
    /// Forget a fact.
    ForgetFact(u64),
    /// Something about learning.
    Learn(Learn),
}

/// What `/learn` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Learn {
    /// Collect pairs.
    On,
    /// Collect no more.
    Off,
    /// Say what there is.
    Status,
    /// List pairs and adapters.
    List,
    /// Keep the last question with its answer.
    Mark,
    /// Learn.
    Now,
    /// Stop learning.
    Stop,
    /// Use the adapter before, in the end none.
    Rollback,
    /// Forget all pairs and adapters.
    Forget,
    /// Forget a pair.
    ForgetPair(u64),
}

/// What a text for the retriever is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum RagText {
    /// A note to keep.
    Note,
    /// A fact to keep: `subject | relation | object`.
    Fact,
    /// A source to forget.
    Remove,
    /// A question: show the passages.
    Find,
    /// A question about what happened.
    Recall,
    /// A better answer to the last question.
    Correct,
}

/// From session to console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToConsole {
    /// The model changed; shown in the banner and in `status`.
    Model {
        /// File name, empty without a model.
        name: Name,
        /// "llama 3.2M Q8_0": for people.
        description: Name,
        /// Context in tokens.
        context: u32,
        /// Bytes of the cache in use for the full context.
        cache_bytes: u64,
        /// Compute workers.
        workers: u32,
    },
    /// Bytes of the answer: whole UTF-8 characters, control bytes not yet escaped.
    Answer {
        /// The request.
        id: u32,
        /// The bytes.
        piece: Piece,
    },
    /// Work goes on: prompt tokens or model bytes.
    Progress {
        /// The request, 0 when nobody asked (start-up).
        id: u32,
        /// "loading", "reading the prompt".
        what: Work,
        /// Done so far.
        done: u64,
        /// Of so much.
        total: u64,
    },
    /// A line for the user, in pieces; the last one ends the line.
    Notice {
        /// The request, 0 when nobody asked.
        id: u32,
        /// How it is shown.
        level: Level,
        /// Bytes of UTF-8.
        piece: Piece,
        /// Whether the line is complete.
        last: bool,
    },
    /// A piece of the command that would do what was asked, or of "none". The console shows it and asks the user.
    Proposal {
        /// The request.
        id: u32,
        /// Bytes of UTF-8; a piece may end within a character.
        piece: Piece,
        /// Whether it is complete.
        last: bool,
    },
    /// The answer is complete; this ends the request.
    Answered {
        /// The request.
        id: u32,
        /// Why it ended.
        stop: StopReason,
        /// What it cost.
        cost: Cost,
        /// Tokens in the context now.
        used: u32,
        /// Of so many.
        context: u32,
    },
    /// The request is done, or was not an answer in the end: a `Notice` says why.
    End {
        /// The request.
        id: u32,
        /// Whether it did what was asked.
        ok: bool,
    },
    /// What learning is like now: a line for `status`.
    Learning {
        /// "on; 2 pairs; version 1 is in use".
        description: Piece,
    },
    /// What retrieval is like now: a line for `status`.
    Retrieval {
        /// "on; MiniLM (…), 3 documents …".
        description: Piece,
    },
}

/// Kinds of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Work {
    /// Bytes of a model.
    Loading,
    /// Tokens of a prompt.
    Prompt,
    /// Passages of documents.
    Documents,
}

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum Level {
    /// An answer to a command.
    Plain,
    /// Something the user should know.
    Warning,
    /// Something failed.
    Error,
}

/// Why an answer ended, as the user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum StopReason {
    /// As compute said.
    Compute(Stop),
    /// A stop string.
    StopString,
    /// Compute failed; the text so far stays.
    Failed,
}
