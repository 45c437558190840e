//! A session between a console, a supervisor and a compute that the test plays.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod library;
pub mod model;

use ipc_link::Link;
use ipc_pd::hosted::enter;
use ipc_pd::{Channel, ChannelSet, Handler};
use ipc_protocol::console_session::{Level, StopReason, ToConsole, ToSession};
use ipc_protocol::session_compute::{self, Cost, ModelFacts, Sampling, Stop, ToCompute};
use ipc_protocol::session_supervisor::{self, ToSupervisor};
use ipc_protocol::supervisor_compute::Sealed;
use ipc_protocol::{Name, Piece};
use pds_session::{COMPUTE, CONSOLE, SUPERVISOR, Session, TIMER};
use std::rc::Rc;
use tests_fixtures::{Clockwork, Region};

/// Bytes of a region of a link.
const LINK: usize = 16 * 1024;

type ConsoleSide = Link<ToSession, ToConsole>;
type SupervisorSide = Link<session_supervisor::ToSession, ToSupervisor>;
type ComputeSide = Link<session_compute::ToSession, ToCompute>;

/// A request as compute got it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub id: u32,
    pub limit: u32,
    pub sampling: Sampling,
    pub stop: Vec<u32>,
    pub tokens: Vec<u32>,
    pub guided: bool,
}

pub struct World {
    pub kernel: Rc<Clockwork>,
    pub session: Session,
    pub console: ConsoleSide,
    pub supervisor: SupervisorSide,
    pub compute: ComputeSide,
    regions: [Region; 6],
    backlog: Vec<ToConsole>,
    next: u32,
    pub facts: ModelFacts,
    sealed: Sealed,
    hash: u8,
}

pub fn name(text: &str) -> Name {
    Name::new(text.as_bytes())
}

impl World {
    /// A session that was told nothing yet, with this file's header in the vocabulary region.
    pub fn cold(file: &'static [u8]) -> Self {
        let kernel = Rc::new(Clockwork::new("session", TIMER, None));
        let regions: [Region; 6] = std::array::from_fn(|_| Region::new(LINK));
        let [to_console, from_console, to_supervisor, from_supervisor, to_compute, from_compute] = regions;
        let header = model::header_length(file);
        let (session, console, supervisor, compute) = enter(kernel.clone(), || {
            let session = Session::new(
                Link::start(to_console.writable(), from_console.readable(), CONSOLE),
                Link::start(to_supervisor.writable(), from_supervisor.readable(), SUPERVISOR),
                Link::start(to_compute.writable(), from_compute.readable(), COMPUTE),
                &file[..header],
                TIMER,
            );
            let console = Link::start(from_console.writable(), to_console.readable(), CONSOLE);
            let supervisor = Link::start(from_supervisor.writable(), to_supervisor.readable(), SUPERVISOR);
            let compute = Link::start(from_compute.writable(), to_compute.readable(), COMPUTE);
            (session, console, supervisor, compute)
        });
        let facts = ModelFacts {
            generation: 1,
            context: 256,
            trained_context: 512,
            vocabulary: 512,
            cache_bytes: 1 << 20,
            workers: 2,
        };
        let sealed = Sealed { generation: 1, offset: 0, length: file.len() as u64, header: header as u64 };
        let mut world = Self {
            kernel,
            session,
            console,
            supervisor,
            compute,
            regions,
            backlog: Vec::new(),
            next: 0,
            facts,
            sealed,
            hash: 1,
        };
        world.run();
        world
    }

    /// A session with the model in `file` and a context of `context` tokens.
    pub fn ready(file: &'static [u8], context: u32) -> Self {
        let mut world = Self::cold(file);
        world.facts.context = context;
        world.compute_has_model();
        world.supervisor_ready();
        world.heard();
        world
    }

    pub fn supervisor_ready(&mut self) {
        let (sealed, hash) = (self.sealed, [self.hash; 8]);
        self.supervisor_says(session_supervisor::ToSession::Ready {
            sealed,
            name: name("a.gguf"),
            hash,
            signed: None,
        });
    }

    pub fn supervisor_ready_with(&mut self, file: &str, hash: u8) {
        self.sealed.generation += 1;
        (self.facts.generation, self.hash) = (self.sealed.generation, hash);
        self.compute_has_model();
        let (sealed, hash) = (self.sealed, [hash; 8]);
        self.supervisor_says(session_supervisor::ToSession::Ready {
            sealed,
            name: name(file),
            hash,
            signed: None,
        });
    }

    /// As [`World::supervisor_ready_with`], with a header that is cut off.
    pub fn supervisor_ready_broken(&mut self, file: &str) {
        let sealed = Sealed { header: 20, ..self.sealed };
        self.supervisor_says(session_supervisor::ToSession::Ready {
            sealed,
            name: name(file),
            hash: [9; 8],
            signed: None,
        });
    }

    pub fn compute_has_model(&mut self) {
        let facts = Some(self.facts);
        self.compute_says(session_compute::ToSession::Model(facts));
    }

    fn signal(&mut self, channels: &[Channel]) {
        let bits = channels.iter().fold(0, |bits, channel| bits | 1 << channel.id());
        let session = &mut self.session;
        enter(self.kernel.clone(), || session.notified(ChannelSet::from_bits(bits)).unwrap());
    }

    /// Lets the session work, with its peers following their links.
    pub fn run(&mut self) {
        for _ in 0..3 {
            let (console, supervisor, compute) = (&mut self.console, &mut self.supervisor, &mut self.compute);
            enter(self.kernel.clone(), || (console.poll(), supervisor.poll(), compute.poll()));
            self.signal(&[CONSOLE, SUPERVISOR, COMPUTE]);
        }
    }

    /// Lets time pass; the timer signals when the timeout is reached.
    pub fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            if self.kernel.pass(100_000) {
                self.signal(&[TIMER]);
            }
        }
    }

    pub fn console_says(&mut self, message: ToSession) {
        let console = &mut self.console;
        enter(self.kernel.clone(), || console.send(&message).unwrap());
        self.run();
    }

    pub fn supervisor_says(&mut self, message: session_supervisor::ToSession) {
        let supervisor = &mut self.supervisor;
        enter(self.kernel.clone(), || supervisor.send(&message).unwrap());
        self.run();
    }

    pub fn compute_says(&mut self, message: session_compute::ToSession) {
        loop {
            let compute = &mut self.compute;
            match enter(self.kernel.clone(), || compute.send(&message)) {
                Ok(()) => return self.run(),
                Err(_) => {
                    // The console is slow, so session takes no more from compute.
                    let heard = self.drain();
                    assert!(!heard.is_empty(), "the link is stuck");
                    self.backlog.extend(heard);
                }
            }
        }
    }

    /// As the methods above; nothing happens when the link is full.
    pub fn try_console(&mut self, message: &ToSession) {
        let console = &mut self.console;
        enter(self.kernel.clone(), || console.send(message).ok());
        self.run();
    }

    /// See [`World::try_console`].
    pub fn try_compute(&mut self, message: &session_compute::ToSession) {
        let compute = &mut self.compute;
        enter(self.kernel.clone(), || compute.send(message).ok());
        self.run();
    }

    /// See [`World::try_console`].
    pub fn try_supervisor(&mut self, message: &session_supervisor::ToSession) {
        let supervisor = &mut self.supervisor;
        enter(self.kernel.clone(), || supervisor.send(message).ok());
        self.run();
    }

    /// Compute starts anew, without a model yet.
    pub fn compute_restarts(&mut self) {
        let [_, _, _, _, to_compute, from_compute] = self.regions;
        self.compute = enter(self.kernel.clone(), || {
            Link::start(from_compute.writable(), to_compute.readable(), COMPUTE)
        });
        self.run();
    }

    /// The console starts anew.
    pub fn console_restarts(&mut self) {
        let [to_console, from_console, ..] = self.regions;
        self.console = enter(self.kernel.clone(), || {
            Link::start(from_console.writable(), to_console.readable(), CONSOLE)
        });
        self.run();
    }

    /// What session has said to the console since the last call.
    pub fn heard(&mut self) -> Vec<ToConsole> {
        let mut all = std::mem::take(&mut self.backlog);
        all.extend(self.drain());
        all
    }

    fn drain(&mut self) -> Vec<ToConsole> {
        let mut all = Vec::new();
        loop {
            let console = &mut self.console;
            match enter(self.kernel.clone(), || console.receive().unwrap()) {
                Some(message) => all.push(message),
                None => return all,
            }
            self.run();
        }
    }

    /// What session has said to compute.
    pub fn commands(&mut self) -> Vec<ToCompute> {
        let mut all = Vec::new();
        loop {
            let compute = &mut self.compute;
            match enter(self.kernel.clone(), || compute.receive().unwrap()) {
                Some(message) => all.push(message),
                None => return all,
            }
            self.run();
        }
    }

    /// What session has said to the supervisor.
    pub fn orders(&mut self) -> Vec<ToSupervisor> {
        let supervisor = &mut self.supervisor;
        enter(self.kernel.clone(), || std::iter::from_fn(|| supervisor.receive().unwrap()).collect())
    }

    pub fn id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Says something to the model, in pieces as the console sends them.
    pub fn says(&mut self, text: &str) -> u32 {
        let id = self.id();
        let pieces: Vec<_> =
            if text.is_empty() { vec![&b""[..]] } else { text.as_bytes().chunks(200).collect() };
        for (i, piece) in pieces.iter().enumerate() {
            let last = i + 1 == pieces.len();
            self.console_says(ToSession::Text { id, piece: Piece::new(piece), last });
        }
        id
    }

    /// The request that compute got; panics when there is none.
    pub fn asked(&mut self) -> Asked {
        let mut asked: Option<Asked> = None;
        for command in self.commands() {
            match command {
                ToCompute::Begin { id, limit, sampling, stop, .. } => {
                    let stop = stop.as_slice().to_vec();
                    asked = Some(Asked { id, limit, sampling, stop, tokens: Vec::new(), guided: false });
                }
                ToCompute::Tokens { id, offset, tokens } => {
                    let asked = asked.as_mut().unwrap();
                    assert_eq!((id, offset as usize), (asked.id, asked.tokens.len()));
                    asked.tokens.extend_from_slice(tokens.as_slice());
                }
                ToCompute::Go { id } => assert_eq!(id, asked.as_ref().unwrap().id),
                ToCompute::Guide { id } => {
                    asked.as_mut().filter(|asked| asked.id == id).unwrap().guided = true
                }
                ToCompute::Erase
                | ToCompute::Cancel { .. }
                | ToCompute::Choose { .. }
                | ToCompute::More { .. }
                | ToCompute::Adapt { .. } => {}
            }
        }
        asked.expect("a request")
    }

    /// Compute makes these tokens, the first of them being number `from`.
    pub fn tokens(&mut self, id: u32, from: u32, tokens: &[u32]) {
        for (i, token) in tokens.iter().enumerate() {
            let sequence = from + i as u32;
            self.compute_says(session_compute::ToSession::Token { id, sequence, token: *token });
        }
    }

    pub fn done(&mut self, id: u32, stop: Stop) {
        let cost = Cost { prompt: 7, generated: 3, ..Cost::default() };
        self.compute_says(session_compute::ToSession::Done { id, stop, cost });
    }
}

/// The answer's text in what was heard.
pub fn answer(heard: &[ToConsole]) -> String {
    let pieces = heard.iter().filter_map(|m| match m {
        ToConsole::Answer { piece, .. } => {
            Some(std::str::from_utf8(piece.as_slice()).expect("whole characters"))
        }
        _ => None,
    });
    pieces.collect()
}

/// The lines in what was heard, with their levels.
pub fn lines(heard: &[ToConsole]) -> String {
    let mut text = String::new();
    for message in heard {
        if let ToConsole::Notice { level, piece, last, .. } = message {
            if text.is_empty() || text.ends_with('\n') {
                text.push_str(match level {
                    Level::Plain => "",
                    Level::Warning => "W ",
                    Level::Error => "E ",
                });
            }
            text.push_str(std::str::from_utf8(piece.as_slice()).unwrap());
            if *last {
                text.push('\n');
            }
        }
    }
    text
}

/// How the request ended: `Ok(reason)` for an answer, `Err(ok)` for everything else.
pub fn ended(heard: &[ToConsole]) -> Option<(u32, Result<StopReason, bool>)> {
    let mut ends = heard.iter().filter_map(|message| match message {
        ToConsole::Answered { id, stop, .. } => Some((*id, Ok(*stop))),
        ToConsole::End { id, ok } => Some((*id, Err(*ok))),
        _ => None,
    });
    let end = ends.next();
    assert!(ends.next().is_none(), "a request ends once: {heard:?}");
    end
}
