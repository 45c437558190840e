//! The model's life cycle among participants that work, fail, answer late, twice or never.
//!
//! The fake world plays compute, session and loader honestly: each reads or writes exactly from when it was told to
//! until it said that it stopped, or was stopped. The one thing that must never happen is checked at every step:
//! the loader runs while somebody reads.

use ipc_protocol::session_supervisor::{ToSession, ToSupervisor as FromSession};
use ipc_protocol::signing::{Identity, Signed};
use ipc_protocol::supervisor_compute::{Sealed, ToCompute, ToSupervisor as FromCompute};
use ipc_protocol::supervisor_loader::{Newest, ToLoader, ToSupervisor as FromLoader};
use ipc_protocol::{Name, Piece};
use pds_supervisor::children::{COMPUTE, LOADER, SESSION};
use pds_supervisor::model::{Event, Model, Run, World};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

#[derive(Default)]
struct Play {
    now: u64,
    loader_runs: bool,
    loader_fresh: bool,
    loader_starting: bool,
    compute_reads: Option<Sealed>,
    session_reads: bool,
    to_compute: VecDeque<ToCompute>,
    to_session: VecDeque<ToSession>,
    to_loader: VecDeque<ToLoader>,
    replaced: Vec<usize>,
    session_heard: Vec<ToSession>,
    /// Who signed the models on the disk.
    signed: Option<Signed>,
    newest: Vec<u64>,
    accepted: BTreeMap<String, u64>,
    /// The account is not read yet.
    unread: bool,
}

impl Play {
    fn check(&self) {
        let read = self.compute_reads.is_some() || self.session_reads;
        assert!(!(self.loader_runs && read), "the loader runs while somebody reads the model");
    }
}

impl World for Play {
    fn now_ms(&self) -> u64 {
        self.now
    }
    fn compute(&mut self, message: ToCompute) {
        self.to_compute.push_back(message);
    }
    fn session(&mut self, message: ToSession) {
        self.to_session.push_back(message);
    }
    fn offer_session(&mut self, message: &ToSession) -> bool {
        self.to_session.push_back(message.clone());
        true
    }
    fn loader(&mut self, message: ToLoader) {
        self.to_loader.push_back(message);
    }
    fn newest(&mut self, identity: &Identity) -> Option<Newest> {
        let version = self.accepted.get(identity.text()).copied().unwrap_or(0);
        (!self.unread).then_some(Newest::Version(version))
    }
    fn accept(&mut self, signed: &Signed) {
        self.accepted.insert(signed.identity.text().to_owned(), signed.version);
    }
    fn run_loader(&mut self) -> Run {
        self.loader_starting = std::mem::take(&mut self.loader_fresh);
        self.loader_runs = true;
        self.check();
        if self.loader_starting { Run::Starting } else { Run::Resumed }
    }
    fn stop_loader(&mut self) {
        self.loader_runs = false;
        self.to_loader.clear();
    }
    fn replace(&mut self, child: usize) {
        self.replaced.push(child);
    }
    fn notice(&mut self, _: Piece) {}
}

/// What may happen next.
#[derive(Clone, Debug)]
enum Step {
    ComputeWorks,
    SessionWorks,
    LoaderWorks,
    LoaderCannotRead,
    ComputeCannotUse,
    ComputeFails,
    SessionFails,
    LoaderFails,
    Load(u8),
    Unload,
    List,
    Wait,
    Stray(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::ComputeWorks),
        8 => Just(Step::SessionWorks),
        8 => Just(Step::LoaderWorks),
        1 => Just(Step::LoaderCannotRead),
        1 => Just(Step::ComputeCannotUse),
        1 => Just(Step::ComputeFails),
        1 => Just(Step::SessionFails),
        1 => Just(Step::LoaderFails),
        2 => (0u8..3).prop_map(Step::Load),
        1 => Just(Step::Unload),
        1 => Just(Step::List),
        1 => Just(Step::Wait),
        1 => (0u32..9).prop_map(Step::Stray),
    ]
}

struct System {
    model: Model,
    play: Play,
}

fn named(name: &str) -> Name {
    Name::new(name.as_bytes())
}

impl System {
    fn boot() -> Self {
        let play = Play { loader_runs: true, ..Play::default() };
        let mut system = Self { model: Model::at_boot(0), play };
        system.on(Event::LoaderStarted);
        system.on(Event::ComputeStarted);
        system.on(Event::SessionStarted);
        system
    }

    fn on(&mut self, event: Event) {
        self.model.on(event, &mut self.play);
        self.play.check();
        assert_eq!(self.model.loader_may_run(), self.play.loader_runs, "{:?}", self.model);
        for child in std::mem::take(&mut self.play.replaced) {
            match child {
                COMPUTE => self.compute_fails(),
                SESSION => self.session_fails(),
                LOADER => self.loader_fails(),
                _ => unreachable!("only participants are replaced"),
            }
        }
    }

    fn compute_works(&mut self, usable: bool) {
        match self.play.to_compute.pop_front() {
            Some(ToCompute::Use(sealed)) if usable => {
                self.play.compute_reads = Some(sealed);
                self.on(Event::Compute(FromCompute::Using { generation: sealed.generation }));
            }
            Some(ToCompute::Use(Sealed { generation, .. })) => {
                let why = Piece::new(b"no");
                self.on(Event::Compute(FromCompute::Unusable { generation, why }));
            }
            Some(ToCompute::Release) => {
                self.play.compute_reads = None;
                self.on(Event::Compute(FromCompute::Released));
            }
            None => (),
        }
    }

    fn session_works(&mut self) {
        let Some(message) = self.play.to_session.pop_front() else { return };
        self.play.session_heard.push(message.clone());
        match message {
            ToSession::Ready { .. } => self.play.session_reads = true,
            ToSession::ReleaseVocabulary => {
                self.play.session_reads = false;
                self.on(Event::Session(FromSession::VocabularyReleased));
            }
            _ => (),
        }
        self.play.check();
    }

    fn loader_works(&mut self, readable: bool) {
        if !self.play.loader_runs {
            return;
        }
        if std::mem::take(&mut self.play.loader_starting) {
            self.on(Event::LoaderStarted);
        }
        match self.play.to_loader.pop_front() {
            Some(ToLoader::List) => {
                for name in ["a.gguf", "b.gguf"] {
                    self.on(Event::Loader(FromLoader::Model { name: named(name), bytes: 1 }));
                }
                self.on(Event::Loader(FromLoader::ListEnd { count: 2 }));
            }
            Some(ToLoader::Load { name, generation, keep }) if readable => {
                self.ask_for_newest();
                let sealed = Sealed { generation, offset: 0, length: 9, header: 3 };
                let kept = keep.is_some();
                self.on(Event::Loader(FromLoader::Progress { done: 1, total: 9 }));
                self.on(Event::Loader(FromLoader::Sealed {
                    sealed,
                    name,
                    hash: [1; 8],
                    kept,
                    signed: self.play.signed.clone(),
                }));
            }
            Some(ToLoader::Newest { .. }) => unreachable!("the answer is taken where the question is asked"),
            Some(ToLoader::Load { keep, .. }) => {
                let why = Piece::new(b"the file is damaged");
                self.on(Event::Loader(FromLoader::Failed { why, kept: keep.is_some() }));
            }
            None => (),
        }
    }

    /// A loader asks this about a signed model, after it was told to load.
    fn ask_for_newest(&mut self) {
        let Some(signed) = self.play.signed.clone() else { return };
        self.on(Event::Loader(FromLoader::Newest { identity: signed.identity }));
        match self.play.to_loader.pop_back() {
            Some(ToLoader::Newest { newest: Newest::Version(version) }) => self.play.newest.push(version),
            other => panic!("the loader's question is answered with {other:?}"),
        }
    }

    fn compute_fails(&mut self) {
        self.play.compute_reads = None;
        self.on(Event::ComputeFailed);
        self.play.to_compute.clear();
        self.on(Event::ComputeStarted);
    }

    fn session_fails(&mut self) {
        self.play.session_reads = false;
        self.on(Event::SessionFailed);
        self.play.to_session.clear();
        self.on(Event::SessionStarted);
    }

    fn loader_fails(&mut self) {
        if !self.play.loader_runs {
            return;
        }
        self.play.to_loader.clear();
        self.play.loader_fresh = true;
        self.on(Event::LoaderFailed);
        self.play.loader_starting |= self.play.loader_runs && std::mem::take(&mut self.play.loader_fresh);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::ComputeWorks => self.compute_works(true),
            Step::SessionWorks => self.session_works(),
            Step::LoaderWorks => self.loader_works(true),
            Step::LoaderCannotRead => self.loader_works(false),
            Step::ComputeCannotUse => self.compute_works(false),
            Step::ComputeFails => self.compute_fails(),
            Step::SessionFails => self.session_fails(),
            Step::LoaderFails => self.loader_fails(),
            Step::Load(n) => {
                let name = named(["", "a.gguf", "b.gguf"][usize::from(n)]);
                self.on(Event::Session(FromSession::Load { name }))
            }
            Step::Unload => self.on(Event::Session(FromSession::Unload)),
            Step::List => self.on(Event::Session(FromSession::List)),
            Step::Wait => {
                self.play.now += 70_000;
                self.on(Event::Tick);
            }
            Step::Stray(generation) => self.on(Event::Compute(FromCompute::Using { generation })),
        }
    }

    /// Lets everybody work honestly until nothing is left to do.
    fn settle(&mut self) {
        for _ in 0..200 {
            for step in [Step::LoaderWorks, Step::ComputeWorks, Step::SessionWorks] {
                self.take(step);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_fails_the_loader_never_runs_while_somebody_reads(steps in prop::collection::vec(step(), 0..60)) {
        let mut system = System::boot();
        for step in steps {
            system.take(step);
        }
        system.settle();
        system.play.now += 100_000;
        system.on(Event::Tick);
        system.settle();
        prop_assert!(!system.play.loader_runs, "everything comes to an end: {:?}", system.model);
        system.take(Step::Load(1));
        system.settle();
        prop_assert!(system.model.in_use().is_some(), "a load works after all that: {:?}", system.model);
        prop_assert!(system.play.session_reads, "and session was told");
    }
}

#[test]
fn at_boot_the_models_are_named_and_the_first_is_loaded() {
    let mut system = System::boot();
    system.settle();
    assert!(system.model.in_use().is_some());
    assert!(system.play.session_heard.iter().any(|m| matches!(m, ToSession::Ready { .. })));
    system.take(Step::List);
    system.settle();
    let count = system.play.session_heard.iter().filter(|m| matches!(m, ToSession::Model { .. })).count();
    assert_eq!(count, 2);
    assert!(!system.play.loader_runs, "naming the models did not need the loader");
}

#[test]
fn a_failed_load_keeps_the_old_model_and_says_so_first() {
    let mut system = System::boot();
    system.settle();
    system.play.session_heard.clear();
    system.take(Step::Load(2));
    for _ in 0..3 {
        system.take(Step::ComputeWorks);
        system.take(Step::SessionWorks);
    }
    system.take(Step::LoaderCannotRead);
    system.settle();
    let heard: Vec<_> =
        system.play.session_heard.iter().filter(|m| !matches!(m, ToSession::Progress { .. })).collect();
    assert!(
        matches!(
            heard[..],
            [ToSession::ReleaseVocabulary, ToSession::LoadFailed { kept: true, .. }, ToSession::Ready { .. }]
        ),
        "{heard:?}"
    );
}

#[test]
fn the_newest_version_in_use_outlives_the_loader_and_an_unusable_one_does_not_count() {
    let signed = |version| Some(Signed { identity: Identity::new(b"story"), version, ..Signed::default() });
    let mut system = System::boot();
    system.play.signed = signed(4);
    system.settle();
    assert_eq!(system.play.newest, [0]);
    system.play.signed = signed(9);
    system.take(Step::Load(2));
    for step in [Step::ComputeWorks, Step::SessionWorks, Step::LoaderFails] {
        system.take(step);
    }
    while system.play.loader_runs {
        system.take(Step::LoaderWorks);
    }
    system.take(Step::ComputeCannotUse);
    system.play.signed = signed(4);
    system.settle();
    assert_eq!(system.play.newest, [0, 4, 4], "{:?}", system.model);
    assert_eq!(system.model.in_use().and_then(|model| model.signed.clone()), signed(4));
}

#[test]
fn a_loader_that_dies_twice_on_a_file_leads_back_to_the_old_model() {
    let mut system = System::boot();
    system.settle();
    system.take(Step::Load(2));
    for _ in 0..3 {
        system.take(Step::ComputeWorks);
        system.take(Step::SessionWorks);
    }
    system.take(Step::LoaderFails);
    system.take(Step::LoaderFails);
    system.settle();
    assert!(system.model.in_use().is_some());
    let failed = |m: &&ToSession| matches!(m, ToSession::LoadFailed { kept: true, .. });
    assert_eq!(system.play.session_heard.iter().filter(failed).count(), 1);
}

#[test]
fn compute_that_restarts_gets_the_model_again_without_the_loader() {
    let mut system = System::boot();
    system.settle();
    let heard = system.play.session_heard.len();
    system.take(Step::ComputeFails);
    system.settle();
    assert!(system.model.in_use().is_some());
    assert_eq!(system.play.session_heard.len(), heard, "session is not disturbed");
    assert!(!system.play.loader_runs);
}

#[test]
fn compute_that_stays_down_is_named_as_the_reason() {
    let mut system = System::boot();
    system.settle();
    system.play.compute_reads = None;
    system.on(Event::ComputeLost);
    system.settle();
    let last = system.play.session_heard.last();
    assert!(
        matches!(last, Some(ToSession::NoModel { why }) if why.text().contains("restart compute")),
        "{last:?}"
    );
    system.on(Event::ComputeStarted);
    system.settle();
    assert!(matches!(system.play.session_heard.last(), Some(ToSession::Ready { .. })));
}
