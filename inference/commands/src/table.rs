// SPDX-License-Identifier: MIT
//! The table.

/// What follows the words of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    Nothing,
    /// One word: a name, a file, a path.
    Word,
    /// A number, with or without a fraction.
    Number,
    /// The rest of the line.
    Text,
    /// One of these words.
    One(&'static [&'static str]),
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its words, beginning with `/`.
    pub words: &'static str,
    /// What follows them.
    pub argument: Argument,
    /// What it does, for people.
    pub does: &'static str,
    /// What is lost by it, for commands that lose something.
    pub destructive: Option<&'static str>,
}

/// Servers that can be named.
pub const SERVERS: &[&str] = &[
    "console",
    "session",
    "storage",
    "loader",
    "compute",
    "compute_1",
    "compute_2",
    "compute_3",
    "retriever",
    "supervisor",
    "timer",
    "trainer",
];

/// Chat templates that can be named.
pub const TEMPLATES: &[&str] =
    &["chatml", "llama3", "mistral-v1", "mistral-v3", "mistral-v3-tekken", "phi3", "gemma", "zephyr", "none"];

const fn plain(words: &'static str, does: &'static str) -> Entry {
    with(words, Argument::Nothing, does)
}

const fn with(words: &'static str, argument: Argument, does: &'static str) -> Entry {
    Entry { words, argument, does, destructive: None }
}

const fn losing(
    words: &'static str,
    argument: Argument,
    does: &'static str,
    destructive: &'static str,
) -> Entry {
    Entry { words, argument, does, destructive: Some(destructive) }
}

use Argument::{Nothing, Number, One, Text, Word};

/// All commands that can be proposed.
pub const TABLE: &[Entry] = &[
    plain("/help", "lists the commands"),
    plain("/? shortcuts", "lists the keys"),
    plain("/status", "shows every server: state, CPU share, restarts, memory"),
    plain("/perf", "shows the figures of all answers since the start"),
    plain("/mem", "shows memory of servers and regions, and use of the context"),
    plain("/models", "lists the models on the disk"),
    with("/load", Word, "loads a model"),
    losing(
        "/unload",
        Nothing,
        "unloads the model",
        "the model is unloaded; nothing can be asked until one is loaded",
    ),
    losing("/clear", Nothing, "forgets the conversation", "the conversation is forgotten"),
    plain("/regen", "answers the last message again"),
    with("/set system", Text, "sets the system prompt"),
    with("/set temperature", Number, "sets how much chance an answer has"),
    with("/set top_k", Number, "sets how many tokens are candidates"),
    with("/set top_p", Number, "sets the share of probability that is kept"),
    with("/set min_p", Number, "sets the least share of the best token's probability"),
    with("/set repeat_penalty", Number, "sets the penalty for repetition"),
    with("/set repeat_last_n", Number, "sets how many tokens the penalty looks back"),
    with("/set seed", Number, "sets the seed"),
    with("/set num_predict", Number, "sets the most tokens of an answer"),
    with("/set num_ctx", Number, "sets the tokens of context"),
    with("/set stop", Text, "sets a text that ends answers"),
    with("/set template", One(TEMPLATES), "sets the chat template"),
    plain("/set verbose", "shows all figures after each answer"),
    plain("/set quiet", "shows one line of figures after each answer"),
    plain("/set wordwrap", "breaks lines between words"),
    plain("/set nowordwrap", "shows answers as they come"),
    plain("/set history", "remembers entered lines"),
    plain("/set nohistory", "does not remember entered lines"),
    with("/set columns", Number, "sets the width of the terminal"),
    plain("/show info", "shows facts about the model"),
    plain("/show parameters", "shows the parameters"),
    plain("/show system", "shows the system prompt"),
    plain("/show template", "shows the chat template"),
    plain("/show license", "shows the model's licence"),
    losing("/restart", One(SERVERS), "restarts a server", "the server loses what it was doing"),
    losing("/stop", One(SERVERS), "stops a server", "the server stays stopped until it is restarted"),
    plain("/bench", "measures tokens per second"),
    plain("/version", "shows the versions"),
    losing("/bye", Nothing, "shuts the system down", "the system stops, and the conversation with it"),
    plain("/rag on", "answers with passages of the documents"),
    plain("/rag off", "answers without the documents"),
    with("/rag add", Text, "keeps a note"),
    plain("/rag list", "lists documents and notes"),
    losing(
        "/rag remove",
        Text,
        "forgets a document or note",
        "the document is forgotten, until it is taken in again",
    ),
    plain("/rag sources", "shows what the last answer was given"),
    plain("/rag scan", "takes in what is new in /docs"),
    with("/rag find", Text, "shows passages"),
    losing(
        "/rag format yes",
        Nothing,
        "forgets everything",
        "all documents, notes, facts and episodes are forgotten",
    ),
    with("/fact add", Text, "keeps a fact: subject | relation | object"),
    plain("/fact list", "lists the facts"),
    losing("/fact forget", Number, "forgets a fact", "the fact is forgotten"),
    with("/recall", Text, "shows what happened on this machine"),
    plain("/learn on", "collects corrections to learn from"),
    plain("/learn off", "collects nothing"),
    plain("/learn status", "shows what was collected and learnt"),
    losing(
        "/learn now",
        Nothing,
        "learns from what was collected",
        "the adapter in use is replaced; /learn rollback undoes it",
    ),
    losing(
        "/learn rollback",
        Nothing,
        "goes back to the adapter before",
        "what was learnt last is not used any more",
    ),
    losing(
        "/learn forget",
        Nothing,
        "erases what was collected",
        "what was collected for learning is erased",
    ),
    with("/correct", Text, "gives a better answer to learn from"),
];
