// SPDX-License-Identifier: MIT
//! What the user wants of documents, notes, facts and episodes; and what session lets the retriever remember.

use crate::library::Purpose;
use crate::request::Kind;
use crate::retriever_side::SILENCE;
use crate::session::Session;
use crate::sources;
use alloc::format;
use ipc_protocol::console_session::{Level, Rag, RagText};
use ipc_protocol::event::{Event, Short};
use ipc_protocol::session_retriever::{Ask, Task, ToRetriever};
use ipc_protocol::{List, Piece};

impl Session {
    /// A text for the retriever that is arriving.
    pub(crate) fn library_text(&mut self, id: u32, what: RagText, piece: &Piece, last: bool) {
        let Some(whole) = self.gather(id, Kind::Library, piece, last) else { return };
        if !self.has_retriever() {
            return;
        }
        self.library.search = None;
        let task = match what {
            RagText::Note => Task::Note,
            RagText::Fact => Task::Fact,
            RagText::Remove => Task::Remove,
            RagText::Recall => Task::Recall,
            RagText::Find => return self.search(Purpose::Show, &whole),
            RagText::Correct => return self.correct(&whole),
        };
        self.send_text(task, &whole);
    }

    fn has_retriever(&mut self) -> bool {
        let there = self.library.side.is_some();
        if !there {
            self.refuse("this system has no retriever");
        }
        there
    }

    /// `/rag` and `/fact` without a text.
    pub(crate) fn library_command(&mut self, id: u32, what: Rag) {
        if !self.accept(id, Kind::Library) || !self.has_retriever() {
            return;
        }
        self.library.search = None;
        let ask = match what {
            Rag::On | Rag::Off => return self.switch(what == Rag::On),
            Rag::Quote(on) => return self.switch_quotations(on),
            Rag::Sources => {
                let lines = sources::injected(&self.library.injected, self.library.left_out);
                self.say(Level::Plain, &lines);
                return self.end(true);
            }
            Rag::List => Ask::List,
            Rag::Scan => Ask::Scan,
            Rag::Format => Ask::Format,
            Rag::Facts => Ask::Facts,
            Rag::ForgetFact(fact) => Ask::ForgetFact(fact),
            Rag::Learn(_) => return self.end(false),
        };
        let id = self.next_id();
        self.library.request = id;
        self.library.push(ToRetriever::Ask { id, what: ask });
        self.patience.start(SILENCE);
    }

    fn switch(&mut self, on: bool) {
        self.library.on = on;
        self.tell_retrieval();
        let line = format!("retrieval: {}", self.library.description());
        self.say(Level::Plain, &line);
        self.end(true);
    }

    fn switch_quotations(&mut self, on: bool) {
        self.library.quote = Some(on);
        let line = match on {
            true => "answers from passages are sentences of the passages, word for word",
            false => "answers from passages are in the model's own words",
        };
        self.say(Level::Plain, line);
        self.end(true);
    }

    /// Lets the retriever remember a command.
    pub(crate) fn remember_command(&mut self, line: &str) {
        self.library.push(ToRetriever::Happened { event: Event::Command { line: beginning(line) } });
    }

    /// Lets the retriever remember the last turn.
    pub(crate) fn remember_turn(&mut self) {
        let Some(turn) = self.conversation.turns().back() else { return };
        let answer = turn.answer.as_deref().unwrap_or_default();
        let event = Event::Conversation { question: beginning(&turn.message), answer: beginning(answer) };
        self.library.push(ToRetriever::Happened { event });
    }
}

/// As much of a text as an event carries.
fn beginning(text: &str) -> Short {
    List::new(&text.as_bytes()[..text.floor_char_boundary(110.min(text.len()))])
}
