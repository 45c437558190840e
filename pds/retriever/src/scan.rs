// SPDX-License-Identifier: MIT
//! Taking in `/docs`: what is new or changed, step by step; what is gone goes.
//!
//! One design rule: a step is short, and what it has stored stays. A question, an answer under way or the user interrupt
//! it, and it goes on where it stopped.

use crate::embedding::Purpose;
use crate::events::Happening;
use crate::files::{self, Found, Listing};
use crate::library::{LARGEST_DOCUMENT, MOST_FILES};
use crate::retriever::{Request, Retriever};
use crate::shelf::Shelf;
use crate::time;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ipc_protocol::session_retriever::ToSession;
use ipc_protocol::storage::Folder;
use retrieval::chunk::Format;
use retrieval::memory::{Ingest, MemoryError};
use retrieval::store::StoreError;

/// What the paths of documents on the disk begin with, unlike notes and what a host has put into the store.
pub(crate) const ON_DISK: &str = "docs/";
/// Documents of one scan that are episodes of their own.
const MOST_EPISODES: u32 = 10;

/// How far a scan is.
#[derive(Default)]
enum Stage {
    /// To be begun.
    #[default]
    Due,
    /// Files are left.
    Files(VecDeque<Found>),
    /// Nothing to do.
    Idle,
}

/// What a scan has done.
#[derive(Default)]
struct Report {
    files: u32,
    changed: u32,
    unchanged: u32,
    removed: u32,
    passages: usize,
    /// Why files were passed over.
    passed_over: Vec<String>,
    /// There are more files than are looked at.
    more: bool,
}

/// A scan of `/docs`.
#[derive(Default)]
pub(crate) struct Scan {
    stage: Stage,
    ingest: Option<Ingest>,
    report: Report,
    /// Who waits for it.
    pub(crate) asked: Option<Request>,
}

impl Scan {
    /// Begins again, for a request or for nobody.
    pub fn begin(&mut self, asked: Option<Request>) {
        *self = Self { asked, ..Self::default() };
    }

    /// Documents that are still to be looked at; 1 before they are listed.
    pub fn files_left(&self) -> u32 {
        match &self.stage {
            Stage::Due => 1,
            Stage::Files(files) => files.len() as u32 + u32::from(self.ingest.is_some()),
            Stage::Idle => 0,
        }
    }
}

impl Retriever {
    /// Goes on; whether there was something to do.
    pub(crate) fn scan_step(&mut self) -> bool {
        if !matches!(self.shelf, Shelf::Open(_)) {
            return false;
        }
        if self.scan.asked.is_some_and(|request| self.inbox.borrow().is_cancelled(request.id)) {
            self.scan.ingest = None;
            return self.end_scan(Some("stopped: what was taken in stays, /rag scan goes on".into()));
        }
        match &mut self.scan.stage {
            Stage::Idle => false,
            Stage::Due => self.list_files(),
            Stage::Files(_) if self.scan.ingest.is_some() => self.take_in(),
            Stage::Files(files) => match files.pop_front() {
                Some(file) => self.begin_file(&file),
                None => self.end_scan(None),
            },
        }
    }

    fn list_files(&mut self) -> bool {
        let listed = files::list(&mut self.port.borrow_mut(), Folder::Documents, MOST_FILES);
        match listed {
            Ok(listing) => {
                self.use_listing(listing);
                true
            }
            Err(error) => self.end_scan(Some(format!("/docs {error}"))),
        }
    }

    /// What is gone from `/docs` goes first: it makes room for what is new.
    fn use_listing(&mut self, listing: Listing) {
        let Listing { files, passed_over, more } = listing;
        let files: VecDeque<Found> =
            files.into_iter().filter(|file| Format::of_path(&file.path).is_some()).collect();
        let report = &mut self.scan.report;
        (report.files, report.more) = (files.len() as u32, more);
        report.passed_over = passed_over.into_iter().map(|why| format!("{ON_DISK}{why}")).collect();
        if !more {
            let listed = files.iter().map(|file| format!("{ON_DISK}{}", file.path)).collect();
            self.remove_vanished(&listed);
        }
        self.scan.stage = Stage::Files(files);
    }

    fn begin_file(&mut self, file: &Found) -> bool {
        let read = files::read(&mut self.port.borrow_mut(), Folder::Documents, &file.path, LARGEST_DOCUMENT);
        let path = format!("{ON_DISK}{}", file.path);
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) => return self.pass_over(&path, &error.to_string()),
        };
        let Shelf::Open(store) = &mut self.shelf else { return false };
        match store.begin(&path, &bytes, time::now()) {
            Ok(Some(ingest)) => self.scan.ingest = Some(ingest),
            Ok(None) => self.scan.report.unchanged += 1,
            Err(error) => return self.trouble(&path, error),
        }
        true
    }

    fn take_in(&mut self) -> bool {
        let (Shelf::Open(store), Some(embedding)) = (&mut self.shelf, &mut self.embedding) else {
            return false;
        };
        let Some(ingest) = &mut self.scan.ingest else { return false };
        embedding.purpose = Purpose::Background;
        let path = ingest.path().to_string();
        match store.step(ingest, embedding) {
            Ok(progress) => {
                self.show_progress(progress.done, progress.total);
                if progress.finished {
                    self.taken_in(path, progress.total);
                }
                true
            }
            Err(MemoryError::Embed(_)) if self.is_interrupted() => true,
            Err(error) => self.trouble(&path, error),
        }
    }

    fn show_progress(&self, done: usize, total: usize) {
        if let Some(Request { id, .. }) = self.scan.asked {
            let (before, done, total) = (self.scan.report.passages, done as u32, total as u32);
            let before = before as u32;
            self.inbox.borrow_mut().say(ToSession::Progress {
                id,
                done: before + done,
                total: before + total,
            });
        }
    }

    fn taken_in(&mut self, path: String, passages: usize) {
        self.scan.ingest = None;
        self.scan.report.changed += 1;
        self.scan.report.passages += passages;
        if self.scan.report.changed <= MOST_EPISODES {
            self.note(Happening::Document(path, passages));
        }
    }

    /// A document could not be taken in: the next one may, unless it is the store.
    fn trouble(&mut self, path: &str, error: MemoryError) -> bool {
        self.scan.ingest = None;
        let stops = matches!(error, MemoryError::Store(_) | MemoryError::Index(_));
        let again = matches!(error, MemoryError::Store(StoreError::Device(_) | StoreError::Poisoned));
        let why = self.failed(error);
        if stops && !again {
            return self.end_scan(Some(format!("{path}: {why}")));
        } else if again {
            return self.end_scan(Some(format!("the disk failed at {path}: {why}")));
        }
        self.pass_over(path, &why)
    }

    fn pass_over(&mut self, path: &str, why: &str) -> bool {
        let report = &mut self.scan.report;
        if report.passed_over.len() < 8 {
            report.passed_over.push(format!("{path} {why}"));
        }
        true
    }

    /// Ends the scan, early for a reason, and tells whoever waits for it; others, where there is something to tell.
    fn end_scan(&mut self, why: Option<String>) -> bool {
        let Scan { report, asked, .. } =
            core::mem::replace(&mut self.scan, Scan { stage: Stage::Idle, ..Scan::default() });
        let news = report.changed + report.removed > 0 || !report.passed_over.is_empty();
        let id = asked.map_or(0, |request| request.id);
        if asked.is_some() || news {
            let mut inbox = self.inbox.borrow_mut();
            report.passed_over.iter().for_each(|line| inbox.line(id, &format!("passed over: {line}")));
            inbox.line(id, &report.summary());
        }
        let ok = why.is_none();
        match (asked, why) {
            (Some(request), Some(why)) => self.inbox.borrow_mut().line(request.id, &why),
            (None, Some(why)) if news => self.inbox.borrow_mut().line(0, &why),
            _ => {}
        }
        if let Some(request) = asked {
            self.done(request, ok);
        }
        true
    }

    fn remove_vanished(&mut self, listed: &BTreeSet<String>) {
        let Shelf::Open(store) = &mut self.shelf else { return };
        let gone: Vec<(u64, String)> = store
            .sources()
            .filter(|source| source.path.starts_with(ON_DISK) && !listed.contains(&source.path))
            .map(|source| (source.id, source.path))
            .collect();
        for (id, path) in gone {
            let Shelf::Open(store) = &mut self.shelf else { return };
            match store.remove_source(id) {
                Ok(_) => {
                    self.scan.report.removed += 1;
                    self.full = false;
                    self.note(Happening::Removed(path));
                }
                Err(error) => drop(self.failed(error)),
            }
        }
    }
}

impl Report {
    fn summary(&self) -> String {
        let Self { files, changed, unchanged, removed, passages, more, .. } = self;
        let more = if *more { ", more are not looked at" } else { "" };
        format!(
            "documents: {files} in /docs{more}; {changed} taken in ({passages} passages), {unchanged} unchanged, {removed} removed"
        )
    }
}
