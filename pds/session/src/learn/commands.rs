// SPDX-License-Identifier: MIT
//! `/learn`.

use super::{Step, Wanted};
use crate::request::Kind;
use crate::session::{SILENCE, Session};
use ipc_protocol::console_session::{Learn, Level};
use ipc_protocol::session_retriever::Learning as Want;

impl Session {
    /// What the user wants of learning.
    pub(crate) fn learn(&mut self, id: u32, what: Learn) {
        if !self.accept(id, Kind::Learn) {
            return;
        }
        self.patience.start(SILENCE);
        self.learning.waiting = Some(what);
        if !self.library.is_opening() {
            self.learn_when_open();
        }
    }

    /// What the user wants of learning, as soon as the retriever has said what its store is.
    pub(crate) fn learn_when_open(&mut self) {
        let Some(what) = self.learning.waiting.take().filter(|_| self.is(Kind::Learn)) else { return };
        if !self.library.is_open() {
            return self.refuse(
                "pairs and adapters lie in the retriever's store, which is not open: /status says why",
            );
        }
        match what {
            Learn::On => self.want(Want::Switch(true), Step::Switched(true)),
            Learn::Off => self.want(Want::Switch(false), Step::Switched(false)),
            Learn::Status => self.ask_versions(Wanted::Status),
            Learn::List => self.ask_pairs(Wanted::List),
            Learn::Mark => self.mark(),
            Learn::Now => self.learn_now(),
            Learn::Stop => self.stop_learning(),
            Learn::Rollback => self.roll_back(),
            Learn::Forget => self.forget(),
            Learn::ForgetPair(number) => {
                self.learning.pairs.retain(|pair| pair.number != number);
                self.want(Want::ForgetPair(number), Step::Done);
            }
        }
    }

    fn learn_now(&mut self) {
        if self.learning.job.is_some() {
            return self
                .refuse("it is learning already; /learn stop stops it, /learn status shows how far it is");
        }
        if let Some(why) = self.why_no_trainer() {
            return self.refuse(why);
        }
        if let Some(why) = self.why_no_model() {
            return self.refuse(&why);
        }
        self.ask_pairs(Wanted::Learn);
    }

    fn roll_back(&mut self) {
        match self.why_no_model() {
            Some(why) => self.refuse(&why),
            None if self.learning.wish.is_some() => {
                self.refuse("an adapter is being loaded; try again in a moment")
            }
            None => self.ask_versions(Wanted::Rollback),
        }
    }

    fn forget(&mut self) {
        self.drop_job();
        self.want(Want::Forget, Step::Forgotten);
    }

    pub(super) fn say_switched(&mut self, on: bool) {
        if let Some(state) = self.library.state.as_mut() {
            state.learning = on;
        }
        let done = match on {
            true => {
                "learning is on: /correct TEXT gives a better answer, /learn now learns from what was collected"
            }
            false => "learning is off: nothing is collected; what was learnt stays in use",
        };
        self.say(Level::Plain, done);
        self.end_learning(true);
    }

    pub(super) fn forgotten(&mut self) {
        (self.learning.pairs, self.learning.versions) = Default::default();
        self.wish(None, super::Then::Nothing);
        self.say(Level::Plain, "the model answers as it was made");
        self.end_learning(true);
    }

    /// The adapters are known: what they were wanted for.
    pub(super) fn with_versions(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Boot => self.use_active(),
            Wanted::Status => self.show_learning(),
            Wanted::List => self.list_learning(),
            Wanted::Learn => self.begin_job(),
            Wanted::Rollback => self.use_one_before(),
        }
    }
}
