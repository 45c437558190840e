// SPDX-License-Identifier: MIT
//! The PD's state and its one loop: messages, then the job they ask for.

use crate::SessionLink;
use crate::job::Job;
use crate::work::{Learnt, work};
use core::convert::Infallible;
use inference_kernels::Kernels;
use ipc_link::LinkState;
use ipc_pd::{ChannelSet, Handler, clock, health};
use ipc_protocol::Piece;
use ipc_protocol::adapter::checksum;
use ipc_protocol::session_trainer::{ToSession, ToTrainer};
use memory_region::Writable;
use training::tune::Moment;

/// What the trainer works with.
pub struct Means {
    /// The link to session.
    pub session: SessionLink,
    /// The weights region: read only after session has said that a model lies there.
    pub weights: &'static [u8],
    /// Where adapters go.
    pub adapter: Writable<'static>,
    /// Arithmetic for this CPU.
    pub kernels: Kernels,
    /// Bytes of heap.
    pub heap: usize,
}

/// The trainer PD.
pub struct Trainer {
    mail: Mail,
    weights: &'static [u8],
    adapter: Writable<'static>,
    kernels: Kernels,
    heap: usize,
    job: Option<Job>,
}

/// The link, what could not be said yet, and what was heard while a job was at work.
struct Mail {
    link: SessionLink,
    unsaid: Option<ToSession>,
    heard: Option<ToTrainer>,
}

impl Mail {
    fn flush(&mut self) -> bool {
        let sent = self.unsaid.as_ref().is_none_or(|message| self.link.send(message).is_ok());
        if sent {
            self.unsaid = None;
        }
        sent
    }

    /// Says something that must be heard.
    fn say(&mut self, message: ToSession) {
        self.unsaid = Some(message);
        self.flush();
    }

    /// The next message; `Some(None)` when session started anew.
    fn next(&mut self) -> Option<Option<ToTrainer>> {
        if self.link.poll() == LinkState::PeerStarted {
            (self.unsaid, self.heard) = (None, None);
            return Some(None);
        }
        if let Some(message) = self.heard.take() {
            return Some(Some(message));
        }
        self.link.receive().ok().flatten().map(Some)
    }

    /// Whether the job `number` goes on; anything but a stop is kept for later, and ends it too.
    fn lets_go_on(&mut self, number: u32) -> bool {
        match self.next() {
            None => true,
            Some(Some(ToTrainer::Stop { job })) => job != number,
            Some(message) => {
                self.heard = message;
                false
            }
        }
    }
}

impl Trainer {
    /// A trainer without a job.
    pub fn new(means: Means) -> Self {
        let Means { session, weights, adapter, kernels, heap } = means;
        let mail = Mail { link: session, unsaid: None, heard: None };
        Self { mail, weights, adapter, kernels, heap, job: None }
    }

    fn hear(&mut self, message: ToTrainer) {
        match message {
            ToTrainer::Begin { job, sealed, base, lessons } => {
                self.job = Job::begin(job, sealed, base, lessons);
                if self.job.is_none() {
                    self.fail(job, false, "a job has from 1 to 64 lessons");
                }
            }
            ToTrainer::Lesson { job, .. } | ToTrainer::Tokens { job, .. } => {
                let Some(current) = self.job.as_mut().filter(|current| current.number == job) else { return };
                if !current.add(&message) {
                    self.job = None;
                    self.fail(job, false, "a lesson arrived damaged");
                }
            }
            ToTrainer::Go { job } => {
                match self.job.take_if(|current| current.number == job).filter(Job::is_complete) {
                    Some(job) => self.work(&job),
                    None => self.fail(job, false, "lessons are missing"),
                }
            }
            ToTrainer::Stop { job } => {
                if self.job.take_if(|current| current.number == job).is_some() {
                    self.fail(job, true, "stopped");
                }
            }
        }
    }

    fn fail(&mut self, job: u32, stopped: bool, why: &str) {
        let why = Piece::new(&why.as_bytes()[..why.floor_char_boundary(200.min(why.len()))]);
        self.mail.say(ToSession::Failed { job, stopped, why });
    }

    fn work(&mut self, job: &Job) {
        let (mail, number) = (&mut self.mail, job.number);
        let learnt = work(job, self.weights, self.kernels, self.heap, |moment, recipe| {
            health::beat();
            // Also where a hosted system lets the others run.
            let _ = clock::ticks();
            if let Moment::Learning { pass, done, of, loss } = moment
                && done == of
            {
                let (of, loss) = (recipe.passes, loss as f32);
                // One that finds no room is not missed.
                let _ = mail.link.send(&ToSession::Progress { job: number, pass, of, loss });
            }
            mail.lets_go_on(number)
        });
        match learnt {
            Ok(learnt) => self.hand_over(number, &learnt),
            Err(None) => self.fail(number, true, "stopped"),
            Err(Some(why)) => self.fail(number, false, &why),
        }
    }

    fn hand_over(&mut self, job: u32, learnt: &Learnt) {
        let Learnt { file, before, after, passes } = learnt;
        if file.len() > self.adapter.words() * 8 {
            return self.fail(job, false, "the adapter does not fit its region");
        }
        self.adapter.copy_in(0, file);
        let (before, after, passes) = (*before, *after, *passes);
        let (length, checksum) = (file.len() as u32, checksum(file));
        self.mail.say(ToSession::Done { job, before, after, passes, length, checksum });
    }
}

impl Handler for Trainer {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        health::beat();
        while self.mail.flush() {
            match self.mail.next() {
                Some(Some(message)) => self.hear(message),
                Some(None) => self.job = None,
                None => break,
            }
        }
        health::gauge(health::QUEUE, self.mail.link.waiting());
        Ok(())
    }
}
