//! What happened, told to the retriever, so that it can be asked later.
//!
//! One design rule: the supervisor never waits for it. Events that the retriever has not noted are kept, and told again
//! to its next life; of more than there is room for, the newest are lost and counted.

use crate::fault::{Cause, Fault};
use crate::post::{News, Post, Regions};
use crate::text::Text;
use core::fmt::Write;
use heapless::Deque;
use ipc_abi::fault;
use ipc_pd::Channel;
use ipc_protocol::event::{Event, Short};
use ipc_protocol::supervisor_retriever::{ToRetriever, ToSupervisor};
use ipc_protocol::{List, Name};

/// Events that are kept.
const KEPT: usize = 16;

/// See the module's documentation.
pub(crate) struct Chronicle {
    post: Post<ToRetriever, ToSupervisor, 2>,
    events: Deque<Event, KEPT>,
    /// Number of the first of them.
    number: u32,
    /// So many of them has the retriever's life been told.
    told: usize,
    lost: u32,
}

impl Chronicle {
    /// Starts the link, where there is one.
    pub fn new(regions: Option<Regions>, channel: Channel) -> Self {
        let post = Post::start(regions, channel);
        Self { post, events: Deque::new(), number: 1, told: 0, lost: 0 }
    }

    /// Remembers an event.
    pub fn add(&mut self, event: Event) {
        if self.events.push_back(event).is_err() {
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// The retriever was stopped.
    pub fn peer_is_gone(&mut self) {
        self.post.peer_is_gone();
    }

    /// Hears what was noted and tells what is next; whether the retriever kept to the protocol.
    pub fn turn(&mut self) -> bool {
        loop {
            match self.post.next() {
                News::Nothing => break,
                News::Misbehaved => return false,
                News::Started => {
                    self.post.forget();
                    self.told = 0;
                }
                News::Message(ToSupervisor::Noted { number }) => self.noted(number),
            }
        }
        while let Some(event) = self.events.iter().nth(self.told) {
            let number = self.number.wrapping_add(self.told as u32);
            if !self.post.offer(&ToRetriever::Happened { number, event: event.clone() }) {
                break;
            }
            self.told += 1;
        }
        true
    }

    /// Everything up to this number is stored; a number that was not told says nothing.
    fn noted(&mut self, number: u32) {
        let count = number.wrapping_sub(self.number) as usize + 1;
        for _ in 0..if count <= self.told { count } else { 0 } {
            self.events.pop_front();
            (self.number, self.told) = (self.number.wrapping_add(1), self.told - 1);
        }
    }
}

/// A failure as an event.
pub(crate) fn failure(pd: &str, cause: Cause) -> Event {
    let mut text = Text::default();
    let _ = match cause {
        Cause::Fault(Fault { label: fault::VM, address, pc, .. }) => {
            write!(text, "memory fault at address {address:#x}, pc {pc:#x}")
        }
        Cause::Fault(Fault { label, address, pc, .. }) => {
            write!(text, "fault {label} ({address:#x}), pc {pc:#x}")
        }
        _ => cause.describe(&mut text),
    };
    Event::Fault { pd: name(pd), cause: short(text.piece().text()) }
}

/// The beginning of a text.
pub(crate) fn short(text: &str) -> Short {
    List::new(&text.as_bytes()[..text.floor_char_boundary(110)])
}

/// A command as it could have been typed.
pub(crate) fn command(verb: &str, pd: &str) -> Event {
    let mut text = Text::default();
    let _ = write!(text, "/{verb} {pd}");
    Event::Command { line: short(text.piece().text()) }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text.as_bytes())
}
