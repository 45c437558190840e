//! A console between a fake terminal, and a session and a supervisor that the test plays.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod vt;

use ipc_link::Link;
use ipc_pd::hosted::enter;
use ipc_pd::{Channel, ChannelSet, Handler};
use ipc_protocol::console_session::{self, StopReason};
use ipc_protocol::console_supervisor::{self, State};
use ipc_protocol::platform::{PdFacts, Platform, REGION, RegionFacts};
use ipc_protocol::session_compute::{Arithmetic, Cost, Stop};
use ipc_protocol::{Name, Piece};
use pds_console::{Console, SESSION, SUPERVISOR, TIMER, Terminal, UART};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use tests_fixtures::{Clockwork, Region};

/// Bytes of a region of a link.
const LINK: usize = 16 * 1024;

/// A terminal whose output is kept; it takes at most `appetite` bytes at a time.
#[derive(Default)]
pub struct Wire {
    pub typed: VecDeque<u8>,
    pub shown: Vec<u8>,
    pub appetite: usize,
}

#[derive(Clone)]
pub struct Fake(pub Rc<RefCell<Wire>>);

impl Terminal for Fake {
    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut wire = self.0.borrow_mut();
        let count = bytes.len().min(wire.appetite);
        wire.shown.extend_from_slice(&bytes[..count]);
        if wire.appetite != usize::MAX {
            wire.appetite -= count;
        }
        count
    }
    fn read(&mut self, into: &mut [u8]) -> usize {
        let mut wire = self.0.borrow_mut();
        let count = into.len().min(wire.typed.len());
        into.iter_mut().zip(wire.typed.drain(..count)).for_each(|(slot, byte)| *slot = byte);
        count
    }
    fn interrupt(&mut self) {}
    fn take_lost(&mut self) -> u32 {
        0
    }
}

pub type SessionSide = Link<console_session::ToConsole, console_session::ToSession>;
pub type SupervisorSide = Link<console_supervisor::ToConsole, console_supervisor::ToSupervisor>;

pub struct World {
    pub kernel: Rc<Clockwork>,
    pub wire: Rc<RefCell<Wire>>,
    pub console: Option<Console<Fake>>,
    pub session: SessionSide,
    pub supervisor: SupervisorSide,
    pub regions: [Region; 4],
    pub session_is_broken: bool,
    /// Decisions about proposals: whether the command was run.
    pub decisions: Vec<bool>,
}

pub fn name(text: &str) -> Name {
    Name::new(text.as_bytes())
}
pub fn piece(text: &str) -> Piece {
    Piece::new(text.as_bytes())
}

/// A platform page, as the image builder writes it.
pub fn platform() -> &'static [u8] {
    let mut facts = Platform {
        version: name("0.1.0 (3f2a91c)"),
        board: name("qemu_virt_aarch64"),
        kernel: name("cloister"),
        cores: 4,
        ram: 1 << 30,
        kernel_bytes: 200 << 10,
        ..Platform::default()
    };
    facts.pds.push(PdFacts { name: name("compute"), memory: 3 << 20, ..PdFacts::default() }).unwrap();
    facts.regions.push(RegionFacts { name: name("weights"), size: 64 << 20 }).unwrap();
    let page = Vec::leak(vec![0; REGION]);
    facts.encode(page).unwrap();
    page
}

impl World {
    /// A console that has started and waits for its peers.
    pub fn cold() -> Self {
        let kernel = Rc::new(Clockwork::new("console", TIMER, Some(UART)));
        let wire = Rc::new(RefCell::new(Wire { appetite: usize::MAX, ..Wire::default() }));
        let regions = [Region::new(LINK), Region::new(LINK), Region::new(LINK), Region::new(LINK)];
        let [to_session, from_session, to_supervisor, from_supervisor] = regions;
        let (console, session, supervisor) = enter(kernel.clone(), || {
            let session = Link::start(to_session.writable(), from_session.readable(), SESSION);
            let supervisor = Link::start(to_supervisor.writable(), from_supervisor.readable(), SUPERVISOR);
            let console = Console::new(Fake(wire.clone()), session, supervisor, TIMER, Some(platform()));
            let session = Link::start(from_session.writable(), to_session.readable(), SESSION);
            let supervisor = Link::start(from_supervisor.writable(), to_supervisor.readable(), SUPERVISOR);
            (console, session, supervisor)
        });
        let mut world = Self {
            kernel,
            wire,
            console: Some(console),
            session,
            supervisor,
            regions,
            session_is_broken: false,
            decisions: Vec::new(),
        };
        world.run();
        world
    }

    /// A console with a model and its first prompt; what it showed until then is forgotten.
    pub fn ready() -> Self {
        let mut world = Self::cold();
        world.supervisor_says(console_supervisor::ToConsole::StatusEnd);
        world.session_says(model());
        world.requests();
        world.orders();
        world.take();
        world
    }

    fn signal(&mut self, channels: &[Channel]) {
        let bits = channels.iter().fold(0, |bits, channel| bits | 1 << channel.id());
        let console = self.console.as_mut().unwrap();
        enter(self.kernel.clone(), || console.notified(ChannelSet::from_bits(bits)).unwrap());
    }

    /// Signals everything but the timer, with the peers following their links.
    pub fn run(&mut self) {
        for _ in 0..3 {
            let (session, supervisor) = (&mut self.session, &mut self.supervisor);
            // A session that has overwritten its own side of the link is beside itself: it does nothing any more.
            let broken = self.session_is_broken;
            enter(self.kernel.clone(), || ((!broken).then(|| session.poll()), supervisor.poll()));
            self.signal(&[SESSION, SUPERVISOR, UART]);
        }
    }

    /// Types bytes.
    pub fn types(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.borrow_mut().typed.extend(bytes.as_ref());
        self.run();
    }

    /// Lets time pass; the timer signals when the timeout is reached.
    pub fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            if self.kernel.pass(100_000) {
                self.signal(&[TIMER]);
            }
        }
    }

    pub fn session_says(&mut self, message: console_session::ToConsole) {
        let session = &mut self.session;
        enter(self.kernel.clone(), || session.send(&message).unwrap());
        self.run();
    }

    pub fn supervisor_says(&mut self, message: console_supervisor::ToConsole) {
        let supervisor = &mut self.supervisor;
        enter(self.kernel.clone(), || supervisor.send(&message).unwrap());
        self.run();
    }

    /// As [`World::session_says`]; nothing happens when the link is full.
    pub fn try_session(&mut self, message: &console_session::ToConsole) {
        let session = &mut self.session;
        enter(self.kernel.clone(), || session.send(message).ok());
        self.run();
    }

    /// As [`World::supervisor_says`]; nothing happens when the link is full.
    pub fn try_supervisor(&mut self, message: &console_supervisor::ToConsole) {
        let supervisor = &mut self.supervisor;
        enter(self.kernel.clone(), || supervisor.send(message).ok());
        self.run();
    }

    /// What the console has asked session, but for decisions, which nobody answers.
    pub fn requests(&mut self) -> Vec<console_session::ToSession> {
        let mut all = Vec::new();
        loop {
            let session = &mut self.session;
            match enter(self.kernel.clone(), || session.receive().unwrap()) {
                Some(console_session::ToSession::Decided { ran }) => self.decisions.push(ran),
                Some(message) => all.push(message),
                None => return all,
            }
            self.run();
        }
    }

    /// What the console has asked the supervisor.
    pub fn orders(&mut self) -> Vec<console_supervisor::ToSupervisor> {
        let supervisor = &mut self.supervisor;
        enter(self.kernel.clone(), || std::iter::from_fn(|| supervisor.receive().unwrap()).collect())
    }

    /// The message that the console has sent, with its id.
    pub fn message(&mut self) -> (u32, String) {
        let (mut id, mut bytes) = (0, Vec::new());
        for request in self.requests() {
            let console_session::ToSession::Text { id: of, piece, .. } = request else {
                panic!("{request:?}")
            };
            bytes.extend_from_slice(piece.as_slice());
            id = of;
        }
        (id, String::from_utf8(bytes).unwrap())
    }

    /// Types a message and returns its id.
    pub fn asks(&mut self, text: &str) -> u32 {
        self.types(format!("{text}\r"));
        let (id, said) = self.message();
        assert_eq!(said, text);
        self.take();
        id
    }

    pub fn answers(&mut self, id: u32, text: &str) {
        self.session_says(console_session::ToConsole::Answer { id, piece: piece(text) });
    }

    /// Ends an answer with the usual figures.
    pub fn answered(&mut self, id: u32) {
        self.answered_with(id, StopReason::Compute(Stop::EndOfGeneration));
    }

    pub fn answered_with(&mut self, id: u32, stop: StopReason) {
        let cost = Cost {
            prompt: 12,
            cached: 2,
            prompt_us: 100_000,
            generated: 11,
            generate_us: 500_000,
            first_token_us: 110_000,
            p99_us: 60_000,
            weight_bytes_copied: 0,
            weight_bytes_read: 3_000_000,
            arithmetic: Arithmetic::Avx2,
        };
        self.session_says(console_session::ToConsole::Answered { id, stop, cost, used: 23, context: 256 });
    }

    /// What was shown since the last call.
    pub fn take(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.wire.borrow_mut().shown)).unwrap()
    }

    /// Types a line that needs nobody else and returns what was shown below it.
    pub fn says(&mut self, line: &str) -> String {
        self.take();
        self.types(format!("{line}\r"));
        let shown = self.take();
        shown.strip_prefix(&format!("{line}\r\n")).expect("the line is echoed").to_owned()
    }
}

/// The model of [`World::ready`].
pub fn model() -> console_session::ToConsole {
    console_session::ToConsole::Model {
        name: name("stories3M-q8_0.gguf"),
        description: name("llama 3.0M Q8_0"),
        context: 256,
        cache_bytes: 1 << 20,
        workers: 2,
    }
}

/// A row of the status table.
pub fn server(of: &str, state: State) -> console_supervisor::ToConsole {
    console_supervisor::ToConsole::Pd {
        name: name(of),
        state,
        cpu_permille: 123,
        restarts: 1,
        memory: 3 << 20,
        gauges: [7, 0, 0, 0],
        core: 1,
    }
}
