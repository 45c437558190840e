// SPDX-License-Identifier: MIT
//! What can wait: events, documents, new vectors, room on the disk. Nothing of it while an answer is made.

use crate::embedding::Purpose;
use crate::retriever::Retriever;
use crate::shelf::Shelf;
use retrieval::memory::MemoryError;
use retrieval::store::StoreError;

const FULL: &str =
    "the store is full: what happens is not remembered, new vectors are not kept; /rag remove makes room";

impl Retriever {
    /// Whether something else has to be done before a text in the background is embedded.
    pub(crate) fn is_interrupted(&self) -> bool {
        let inbox = self.inbox.borrow();
        let asked = self.scan.asked.is_some_and(|request| inbox.is_cancelled(request.id));
        inbox.has_mail() || inbox.is_quiet() || asked
    }

    /// A step of what can wait; whether there was one. Nothing while an answer is made.
    pub(crate) fn background(&mut self) -> bool {
        if self.inbox.borrow().is_quiet() {
            return false;
        }
        // Documents first: without vectors they take no time, while an event with a model takes seconds.
        self.scan_step() || self.store_event(Purpose::Background) || self.embed_anew() || self.tidy_up()
    }

    /// Vectors for texts that have none of this embedding.
    fn embed_anew(&mut self) -> bool {
        let (Shelf::Open(store), Some(embedding), false) = (&mut self.shelf, &mut self.embedding, self.full)
        else {
            return false;
        };
        if store.counts().unembedded == 0 {
            return false;
        }
        embedding.purpose = Purpose::Background;
        match store.embed_step(embedding) {
            Ok(_) => true,
            Err(MemoryError::Embed(_)) if self.is_interrupted() => true,
            Err(error) => {
                self.not_kept(error);
                false
            }
        }
    }

    /// Something that nobody waits for was not kept. That the store is full is said once, until something is removed.
    pub(crate) fn not_kept(&mut self, error: MemoryError) {
        let full =
            matches!(error, MemoryError::Store(StoreError::Full { .. } | StoreError::TooManyRecords { .. }));
        if full && !self.full {
            self.full = true;
            self.inbox.borrow_mut().line(0, FULL);
        }
        self.failed(error);
    }

    /// Makes room on the disk, once nothing else is to do.
    fn tidy_up(&mut self) -> bool {
        let Shelf::Open(store) = &mut self.shelf else { return false };
        if self.tidy {
            return false;
        }
        match store.tidy() {
            Ok(more) => self.tidy = !more,
            Err(error) => drop(self.failed(error)),
        }
        !self.tidy
    }
}
