// SPDX-License-Identifier: MIT
//! What session asks for.

use crate::embedding::Purpose;
use crate::events::Happening;
use crate::retriever::{Request, Retriever};
use crate::scan::ON_DISK;
use crate::shelf::{self, Shelf};
use crate::time;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ipc_pd::clock;
use ipc_protocol::Piece;
use ipc_protocol::session_retriever::{Ask, LONGEST_TEXT, Task, ToRetriever};
use retrieval::memory::SourceInfo;

/// A text that is arriving.
#[derive(Default)]
pub(crate) struct Incoming {
    id: u32,
    bytes: Vec<u8>,
}

impl Retriever {
    /// Does what the next message asks for; whether there was one.
    pub(crate) fn hear_session(&mut self) -> bool {
        let Some(message) = self.inbox.borrow_mut().next() else { return false };
        match message {
            ToRetriever::Text { id, task, piece, last } => self.text(id, task, &piece, last),
            ToRetriever::Ask { id, what } => self.ask(id, what),
            ToRetriever::Happened { event } => self.note(Happening::Reported(event)),
            // The inbox has taken note of these.
            ToRetriever::Cancel { .. } | ToRetriever::Quiet { .. } => {}
        }
        true
    }

    fn text(&mut self, id: u32, task: Task, piece: &Piece, last: bool) {
        if self.incoming.id != id {
            self.incoming = Incoming { id, bytes: Vec::new() };
        }
        let room = LONGEST_TEXT.saturating_sub(self.incoming.bytes.len());
        let piece = piece.as_slice();
        self.incoming.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        if last {
            let whole = core::mem::take(&mut self.incoming).bytes;
            self.do_task(id, task, &String::from_utf8_lossy(&whole));
        }
    }

    fn do_task(&mut self, id: u32, task: Task, text: &str) {
        let request = Request { id, began: clock::ticks() };
        self.reopen();
        let result = match task {
            Task::Search { passages, bytes } => self.search(id, passages.into(), bytes as usize, text),
            Task::Recall => self.recall(id, text),
            Task::Note => self.keep_note(id, text),
            Task::Fact => self.keep_fact(id, text),
            Task::Remove => self.remove(id, text.trim()),
            Task::Pair { kind, question } => self.keep_pair(id, kind, question as usize, text),
        };
        self.finish(request, result);
    }

    fn ask(&mut self, id: u32, what: Ask) {
        let request = Request { id, began: clock::ticks() };
        self.reopen();
        let result = match what {
            Ask::Scan => match self.open_store() {
                Ok(_) => return self.scan.begin(Some(request)),
                Err(why) => Err(why),
            },
            Ask::List => self.list(id),
            Ask::Facts => self.list_facts(id),
            Ask::ForgetFact(fact) => self.forget_fact(id, fact),
            Ask::Format => self.format(id),
            Ask::Learning(what) => self.learning(id, what),
        };
        self.finish(request, result);
    }

    fn finish(&mut self, request: Request, result: Result<(), String>) {
        if let Err(why) = &result {
            self.inbox.borrow_mut().line(request.id, why);
        }
        self.done(request, result.is_ok());
    }

    pub(crate) fn say(&self, id: u32, line: &str) {
        self.inbox.borrow_mut().line(id, line);
    }

    fn keep_note(&mut self, id: u32, text: &str) -> Result<(), String> {
        let (store, embedding) = self.open_store()?;
        embedding.purpose = Purpose::Request(id);
        let kept = store.add_note(text, time::now(), embedding);
        let source = match kept {
            Ok(source) => source,
            Err(error) => {
                self.remove_unfinished_notes();
                return Err(format!("the note is not kept: {}", self.failed(error)));
            }
        };
        let (store, _) = self.open_store()?;
        let found = store.sources().find(|info| info.id == source);
        let (name, passages) = found.map_or_else(Default::default, |info| (info.path, info.passages));
        self.say(id, &format!("kept as {name} ({passages} passages)"));
        Ok(())
    }

    /// A note whose embedding was stopped, or the power cut: its first passages are stored, but nobody was told so.
    pub(crate) fn remove_unfinished_notes(&mut self) {
        let Shelf::Open(store) = &mut self.shelf else { return };
        let is_half = |source: &SourceInfo| !source.is_complete() && source.path.starts_with("note ");
        let half: Vec<u64> = store.sources().filter(is_half).map(|source| source.id).collect();
        for source in half {
            // What fails here is tried again with the next note.
            let _ = store.remove_source(source);
        }
    }

    fn keep_fact(&mut self, id: u32, text: &str) -> Result<(), String> {
        let parts: Vec<&str> = text.split('|').collect();
        let [subject, relation, object] = parts[..] else {
            return Err("a fact has three parts: /fact add SUBJECT | RELATION | OBJECT".into());
        };
        let (store, _) = self.open_store()?;
        match store.add_fact(subject, relation, object, time::now()) {
            Ok(number) => {
                self.say(id, &format!("kept as fact {number}"));
                Ok(())
            }
            Err(error) => Err(format!("the fact is not kept: {}", self.failed(error))),
        }
    }

    fn remove(&mut self, id: u32, name: &str) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let bare = name.trim_start_matches('/');
        let number = name.parse::<u64>().ok().filter(|number| store.sources().any(|s| s.id == *number));
        let on_disk = format!("{ON_DISK}{bare}");
        let source = number.or_else(|| store.source_of(bare)).or_else(|| store.source_of(&on_disk));
        let source = source.ok_or_else(|| format!("there is no source {name}; /rag list names them"))?;
        let path = store.sources().find(|info| info.id == source).map(|info| info.path).unwrap_or_default();
        let passages = store.remove_source(source);
        let passages = passages.map_err(|error| self.failed(error))?;
        self.full = false;
        self.say(id, &format!("{path} is forgotten ({passages} passages)"));
        if path.starts_with(ON_DISK) {
            self.say(id, "the file is still on the disk: the next scan takes it in again");
        }
        self.note(Happening::Removed(path));
        Ok(())
    }

    fn list(&mut self, id: u32) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let lines: Vec<String> = store.sources().map(|source| source_line(&source)).collect();
        let empty = lines.is_empty();
        lines.iter().for_each(|line| self.say(id, line));
        if empty {
            self.say(id, "no documents and no notes; put files into /docs, or /rag add TEXT");
        }
        Ok(())
    }

    fn list_facts(&mut self, id: u32) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let line = |fact: &retrieval::graph::FactRow| {
            let from = if fact.episode.is_some() { "  (seen)" } else { "" };
            let (subject, relation, object) = (&fact.subject, &fact.relation, &fact.object);
            format!("  {:>5}  {}  {subject} | {relation} | {object}{from}", fact.id, time::shown(fact.time))
        };
        let lines: Vec<String> = store.facts().map(line).collect();
        let empty = lines.is_empty();
        lines.iter().for_each(|line| self.say(id, line));
        if empty {
            self.say(id, "no facts; /fact add SUBJECT | RELATION | OBJECT keeps one");
        }
        Ok(())
    }

    fn forget_fact(&mut self, id: u32, fact: u64) -> Result<(), String> {
        let (store, _) = self.open_store()?;
        let forgotten = store.forget_fact(fact);
        forgotten.map_err(|error| self.failed(error))?;
        self.full = false;
        self.say(id, &format!("fact {fact} is forgotten"));
        Ok(())
    }

    fn format(&mut self, id: u32) -> Result<(), String> {
        let config = self.config();
        let embedding = self.embedding.as_ref().ok_or("the retriever is starting")?;
        self.shelf = Shelf::Closed;
        match shelf::format(&self.port, config, embedding) {
            Ok(opened) => self.use_store(opened),
            Err(unusable) => self.shelf = unusable.into(),
        }
        self.open_store().map(drop)?;
        self.scan.begin(None);
        self.say(id, "the store is empty; documents in /docs are taken in again");
        Ok(())
    }
}

fn source_line(source: &SourceInfo) -> String {
    let state = if source.is_complete() { "" } else { "  (not complete)" };
    let (id, passages, bytes) = (source.id, source.passages, source.bytes.to_string());
    format!(
        "  {id:>5}  {}  {passages:>5} passages  {bytes:>8} bytes  {}{state}",
        time::shown(source.time),
        source.path
    )
}
