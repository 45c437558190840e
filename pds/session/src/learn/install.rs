// SPDX-License-Identifier: MIT
//! Which adapter compute uses: the one that the store names for this model, a new one, the one before.

use super::{Pair, Step, Then, Wanted, Wish};
use crate::models::hex;
use crate::session::{Session, text};
use alloc::format;
use alloc::string::String;
use ipc_protocol::Piece;
use ipc_protocol::adapter::Place;
use ipc_protocol::console_session::Level;
use ipc_protocol::session_compute::ToCompute;
use ipc_protocol::session_retriever::{Learning as Want, PairKind, Version};

impl Session {
    /// Looks up the adapter in use once a model and the store are there.
    pub(super) fn look_up_adapter(&mut self) -> bool {
        let ready = self.why_no_model().is_none() && self.library.is_open();
        if !ready || self.learning.looked_up == Some(self.model.hash) || self.learning.wish.is_some() {
            return false;
        }
        // Compute has dropped the adapter of the model before.
        self.learning.in_use = None;
        self.learning.looked_up = Some(self.model.hash);
        self.ask_versions(Wanted::Boot);
        true
    }

    /// Whether the adapter in use has learnt the answer to this very question: what its user said stands above what the
    /// documents say.
    pub(crate) fn has_learnt(&self, question: &str) -> bool {
        let newest = self.newest_learnt();
        let taught = |pair: &&Pair| {
            matches!(pair.kind, PairKind::Correction | PairKind::Marked) && pair.number <= newest
        };
        self.learning.pairs.iter().filter(taught).any(|pair| words(&pair.question).eq(words(question)))
    }

    /// The stored adapters of the loaded model, oldest first.
    pub(super) fn own_versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.learning.versions.iter().filter(|version| version.base == self.model.hash)
    }

    pub(super) fn use_active(&mut self) {
        let active = self.own_versions().find(|version| version.active).map(|version| version.number);
        if let Some(version) = active {
            self.learning.pairs.clear();
            self.want(Want::Pairs, Step::Quiet);
            return self.load_adapter(version, Then::Tell);
        }
        let other =
            self.learning.versions.iter().find(|version| version.active && version.base != self.model.hash);
        if let Some(Version { number, base, .. }) = other {
            let (name, hash) = (text(self.model.name.as_slice()), hex(&self.model.hash));
            let line = format!(
                "adapter {number} was made for another model (SHA-256 {}...), not for {name} ({hash}...): it is not used",
                hex(base)
            );
            self.say(Level::Plain, &line);
        }
    }

    pub(super) fn use_kept(&mut self) {
        let newest = self.own_versions().next_back().map(|version| version.number);
        match newest {
            Some(number) => self.load_adapter(number, Then::Activate),
            None => self.say(
                Level::Warning,
                "learning: the adapter is stored, but another model is loaded now: it is not used",
            ),
        }
    }

    pub(super) fn use_one_before(&mut self) {
        let current = self.learning.in_use.map_or(0, |place| place.version);
        if current == 0 {
            return self.refuse("no adapter is in use: the model answers as it was made");
        }
        let before = self.own_versions().rev().map(|version| version.number).find(|number| *number < current);
        match before {
            Some(number) => self.load_adapter(number, Then::Activate),
            None => self.wish(None, Then::Activate),
        }
    }

    fn load_adapter(&mut self, version: u32, then: Then) {
        let slot = self.learning.in_use.map_or(0, |place| 1 - place.slot.min(1));
        self.learning.loaded = None;
        self.want(Want::Load { version, slot }, Step::Loaded(then));
    }

    pub(super) fn wish_loaded(&mut self, then: Then) {
        match self.learning.loaded.take() {
            Some(place) => self.wish(Some(place), then),
            None => self.end_learning(false),
        }
    }

    /// Compute is to use this adapter, or none, as soon as no answer is being made.
    pub(super) fn wish(&mut self, place: Option<Place>, then: Then) {
        let base = self.model.hash;
        self.learning.wish = Some(Wish { base, place, then, told: false });
    }

    pub(super) fn tell_wish(&mut self) -> bool {
        let base = self.model.hash;
        if self.learning.wish.take_if(|wish| wish.base != base).is_some() {
            return true;
        }
        let free = self.generation.is_none() && self.model.facts.is_some();
        let Some(wish) = self.learning.wish.as_mut().filter(|wish| free && !wish.told) else { return false };
        wish.told = true;
        self.compute.push(ToCompute::Adapt { place: wish.place });
        true
    }

    /// Whether compute is changing adapters: a request waits until it has.
    pub(crate) fn is_adapting(&self) -> bool {
        self.learning.wish.is_some_and(|wish| wish.told)
    }

    /// Compute has started anew, without an adapter: the one in use is wanted again before anything else.
    pub(crate) fn compute_forgot(&mut self) {
        let place = self.learning.in_use.take();
        match self.learning.wish.as_mut() {
            Some(wish) => wish.told = false,
            None if place.is_some() => self.wish(place, Then::Nothing),
            None => {}
        }
    }

    /// Compute has its model: an adapter that it forgot is asked for at once; whether a request must wait for it.
    pub(crate) fn adapt_first(&mut self) -> bool {
        let base = self.model.hash;
        if let Some(wish) = self
            .learning
            .wish
            .as_mut()
            .filter(|wish| !wish.told && wish.then != Then::Activate && wish.base == base)
        {
            wish.told = true;
            self.compute.push(ToCompute::Adapt { place: wish.place });
        }
        self.is_adapting()
    }

    /// Another model, or none: its adapter is looked up anew.
    pub(crate) fn forget_adapter(&mut self) {
        self.learning.wish = None;
        (self.learning.in_use, self.learning.looked_up) = (None, None);
    }

    /// Compute says what it uses.
    pub(crate) fn adapted(&mut self, asked: u32, version: u32, why: &Piece) {
        let Some(wish) = self.learning.wish.take_if(|wish| wish.told && wanted(wish) == asked) else {
            return;
        };
        self.learning.in_use = wish.place.filter(|place| place.version == version);
        if version != asked {
            let why = text(why.as_slice());
            self.say(
                Level::Error,
                &format!("adapter {asked} is not used: {why}; the model answers as it was made"),
            );
            self.end_learning(false);
            if wish.then == Then::Activate {
                // What was in use is used again.
                self.learning.looked_up = None;
            }
        }
        match wish.then {
            _ if version != asked => {}
            Then::Nothing => {}
            Then::Tell => self.say_aside(Level::Plain, &format!("adapter {version} is in use")),
            Then::Activate => {
                let base = self.model.hash;
                self.want(Want::Activate { base, version }, Step::Activated(version));
            }
        }
        self.compute_ready();
    }

    pub(super) fn activated(&mut self, version: u32) {
        let line = match version {
            0 => "no adapter is in use: the model answers as it was made".into(),
            _ => format!("adapter {version} is in use"),
        };
        self.say(Level::Plain, &line);
        self.end_learning(true);
    }
}

/// A question's words, however it is typed.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn wanted(wish: &Wish) -> u32 {
    wish.place.map_or(0, |place| place.version)
}
