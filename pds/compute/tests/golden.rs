//! Compute against llama.cpp's tokens: alone, with workers, cancelled, erased, and with a worker that is restarted.

use inference_model::Kernels;
use ipc_link::Link;
use ipc_pd::hosted::{HostKernel, enter};
use ipc_pd::{Channel, ChannelSet, MessageInfo};
use ipc_protocol::List;
use ipc_protocol::session_compute::{Refusal, Sampling, Stop, ToCompute, ToSession};
use ipc_protocol::supervisor_compute::{self as control, Sealed};
use memory_region::{Readable, Writable};
use pds_compute::{Crew, Follower, LEADER, Leader, Memory, SESSION, SUPERVISOR, WORKERS};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;
use tests_fixtures::shared;

struct Host(Instant);

impl HostKernel for Host {
    fn name(&self) -> &'static str {
        "compute"
    }
    fn has_notify_channel(&self, _: Channel) -> bool {
        true
    }
    fn send(&self, _: u64, _: MessageInfo) {}
    fn call(&self, _: u64, message: MessageInfo) -> MessageInfo {
        message
    }
    fn ticks(&self) -> u64 {
        self.0.elapsed().as_micros() as u64 + 1
    }
    fn health_page(&self) -> Option<Writable<'static>> {
        None
    }
}

/// A region that lives as long as the test process.
#[derive(Clone, Copy)]
struct Region(&'static [u64]);

impl Region {
    fn new() -> Self {
        Self(Vec::leak(vec![0; 2048]))
    }
    fn writable(self) -> Writable<'static> {
        // SAFETY: the memory lives for ever and is accessed through atomic views only.
        unsafe { Writable::new(self.0.as_ptr().cast_mut().cast(), self.0.len() * 8) }
    }
    fn readable(self) -> Readable<'static> {
        // SAFETY: as above.
        unsafe { Readable::new(self.0.as_ptr().cast(), self.0.len() * 8) }
    }
}

fn boxes(workers: usize) -> Vec<&'static [AtomicU32]> {
    (0..workers)
        .map(|_| -> &'static [AtomicU32] { Vec::leak((0..1 << 17).map(|_| AtomicU32::new(0)).collect()) })
        .collect()
}

fn memory() -> Memory {
    let cache = Vec::leak(vec![0; 16 << 20]);
    let scratch = Vec::leak(vec![0.0_f32; 1 << 20]);
    Memory { cache, scratch }
}

struct System {
    leader: Leader,
    session: Link<ToCompute, ToSession>,
    supervisor: Link<control::ToCompute, control::ToSupervisor>,
    followers: Vec<(Arc<AtomicBool>, std::thread::JoinHandle<()>)>,
    ends: Vec<(Region, Region)>,
    weights: &'static [u8],
    boxes: Vec<&'static [AtomicU32]>,
}

fn start(weights: &'static [u8], workers: usize) -> System {
    let boxes = boxes(workers);
    let (a, b, c, d) = (Region::new(), Region::new(), Region::new(), Region::new());
    let ends: Vec<_> = (1..workers).map(|_| (Region::new(), Region::new())).collect();
    let links = ends.iter().zip(WORKERS).map(|((down, up), channel)| {
        (Link::start(down.writable(), up.readable(), channel), up.readable()).into()
    });
    let crew = Crew::new(links.collect(), boxes.clone(), 2_000_000);
    let session = Link::start(b.writable(), a.readable(), SESSION);
    let supervisor = Link::start(d.writable(), c.readable(), SUPERVISOR);
    let leader = Leader::new((session, supervisor), crew, weights, Kernels::generic(), memory());
    let mut system = System {
        leader,
        session: Link::start(a.writable(), b.readable(), SESSION),
        supervisor: Link::start(c.writable(), d.readable(), SUPERVISOR),
        followers: Vec::new(),
        ends,
        weights,
        boxes,
    };
    for worker in 1..workers {
        let follower = system.follower(worker);
        system.followers.push(follower);
    }
    system
}

impl System {
    fn follower(&self, number: usize) -> (Arc<AtomicBool>, std::thread::JoinHandle<()>) {
        let (down, up) = self.ends[number - 1];
        let (boxes, weights) = (self.boxes.clone(), self.weights);
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            enter(Rc::new(Host(Instant::now())), || {
                let link = (Link::start(up.writable(), down.readable(), LEADER), down.readable());
                let mut follower = Follower::new(link, boxes, number, weights, Kernels::generic(), memory());
                while !told.load(Ordering::Relaxed) {
                    follower.notified();
                    std::thread::yield_now();
                }
            });
        });
        (stop, thread)
    }

    fn turn(&mut self) {
        self.leader.notified(ChannelSet::from_bits(0));
        self.session.poll();
        self.supervisor.poll();
    }

    fn load(&mut self) {
        let sealed = Sealed { generation: 1, offset: 0, length: self.weights.len() as u64, header: 0 };
        self.turn();
        self.turn();
        self.supervisor.send(&control::ToCompute::Use(sealed)).unwrap();
        let answer = self.until(|system| system.supervisor.receive().unwrap());
        assert_eq!(answer, control::ToSupervisor::Using { generation: 1 });
    }

    fn until<T>(&mut self, mut found: impl FnMut(&mut Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            self.turn();
            if let Some(value) = found(self) {
                return value;
            }
            assert!(start.elapsed().as_secs() < 100, "nothing came");
            std::thread::yield_now();
        }
    }

    fn ask(&mut self, id: u32, prompt: &[u32], limit: u32) {
        let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
        let count = prompt.len() as u32;
        let send = |system: &mut Self, message| system.session.send(&message).unwrap();
        send(self, ToCompute::Begin { id, prompt: count, limit, sampling, stop: List::new(&[2]) });
        for (i, piece) in prompt.chunks(40).enumerate() {
            send(self, ToCompute::Tokens { id, offset: i as u32 * 40, tokens: List::new(piece) });
        }
        send(self, ToCompute::Go { id });
    }

    /// A request whose tokens session chooses.
    fn guided(&mut self, id: u32, prompt: &[u32], limit: u32) {
        let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
        let (count, stop) = (prompt.len() as u32, List::default());
        for message in [
            ToCompute::Begin { id, prompt: count, limit, sampling, stop },
            ToCompute::Tokens { id, offset: 0, tokens: List::new(prompt) },
            ToCompute::Guide { id },
            ToCompute::Go { id },
        ] {
            self.session.send(&message).unwrap();
        }
    }

    /// How many candidates came before, and the next ones.
    fn candidates(&mut self, id: u32, at: u32) -> (u32, Vec<u32>) {
        loop {
            match self.message() {
                ToSession::Candidates { id: of, sequence, skipped, tokens } if of == id => {
                    assert_eq!(sequence, at);
                    return (skipped, tokens.as_slice().to_vec());
                }
                ToSession::Refused { why, .. } => panic!("refused: {why:?}"),
                _ => {}
            }
        }
    }

    fn message(&mut self) -> ToSession {
        self.until(|system| system.session.receive().unwrap())
    }

    /// Tokens of a request and how it ended.
    fn answer(&mut self, id: u32) -> (Vec<u32>, Stop) {
        let mut tokens = Vec::new();
        loop {
            match self.message() {
                ToSession::Token { id: of, sequence, token } if of == id => {
                    assert_eq!(sequence as usize, tokens.len());
                    tokens.push(token);
                }
                ToSession::Done { id: of, stop, cost } if of == id => {
                    assert_eq!(cost.weight_bytes_copied, 0);
                    assert!(cost.weight_bytes_read > 0);
                    return (tokens, stop);
                }
                ToSession::Refused { why, .. } => panic!("refused: {why:?}"),
                _ => {}
            }
        }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        for (stop, _) in &self.followers {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

struct Golden {
    prompt: Vec<u32>,
    tokens: Vec<u32>,
}

fn golden(name: &str) -> Option<(&'static [u8], Golden)> {
    let shared = shared("golden")?;
    let text = std::fs::read_to_string(shared.join(format!("golden/{name}.json"))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ids = |value: &serde_json::Value| value.as_u64().unwrap() as u32;
    let case = &json["cases"][0];
    let prompt = case["prompt_tokens"].as_array().unwrap().iter().map(ids).collect();
    let tokens = case["steps"].as_array().unwrap().iter().map(|step| ids(&step["token"])).collect();
    let file = std::fs::read(shared.join(format!("models/stories/{name}.gguf"))).unwrap();
    Some((Vec::leak(file), Golden { prompt, tokens }))
}

fn as_pd(test: impl FnOnce()) {
    enter(Rc::new(Host(Instant::now())), test)
}

fn agrees(name: &str, workers: usize) {
    let Some((weights, golden)) = golden(name) else { return };
    as_pd(|| {
        let mut system = start(weights, workers);
        system.load();
        system.ask(7, &golden.prompt, golden.tokens.len() as u32);
        assert_eq!(system.answer(7), (golden.tokens.clone(), Stop::Limit));
        system.ask(8, &golden.prompt, 5);
        assert_eq!(system.answer(8).0, golden.tokens[..5], "again, from the cache");
    });
}

#[test]
fn the_tokens_are_those_of_llama_cpp() {
    agrees("stories260K-f32", 1);
    agrees("stories260K-q8_0", 1);
    agrees("stories3M-q4_0", 1);
    agrees("stories3M-f16", 1);
    agrees("stories3M-q8_0", 1);
}

#[test]
fn the_first_candidates_of_a_guided_request_are_the_greedy_tokens() {
    let Some((weights, golden)) = golden("stories260K-q8_0") else { return };
    as_pd(|| {
        let mut system = start(weights, 1);
        system.load();
        system.guided(7, &golden.prompt, 5);
        for sequence in 0..5 {
            let (skipped, tokens) = system.candidates(7, sequence);
            assert_eq!((skipped, tokens[0]), (0, golden.tokens[sequence as usize]));
            system.session.send(&ToCompute::More { id: 7, sequence }).unwrap();
            let (skipped, more) = system.candidates(7, sequence);
            assert_eq!(skipped, 40);
            assert!(more.iter().all(|token| !tokens.contains(token)), "the next ones are other ones");
            system.session.send(&ToCompute::Choose { id: 7, sequence, token: tokens[0] }).unwrap();
        }
        assert_eq!(system.answer(7), (vec![], Stop::Limit));
    });
}

#[test]
fn a_choice_out_of_turn_or_outside_the_vocabulary_is_refused() {
    let Some((weights, golden)) = golden("stories260K-q8_0") else { return };
    as_pd(|| {
        let mut system = start(weights, 1);
        system.load();
        for (id, wrong) in [
            (3, ToCompute::Choose { id: 3, sequence: 1, token: 5 }),
            (4, ToCompute::Choose { id: 4, sequence: 0, token: 512 }),
            (5, ToCompute::More { id: 5, sequence: 9 }),
            (6, ToCompute::Guide { id: 6 }),
        ] {
            system.guided(id, &golden.prompt, 5);
            system.candidates(id, 0);
            system.session.send(&wrong).unwrap();
            let refused = ToSession::Refused { id, why: Refusal::BadRequest };
            while system.message() != refused {}
        }
    });
}

#[test]
fn two_and_four_workers_give_the_same_tokens() {
    agrees("stories260K-q8_0", 2);
    agrees("stories260K-f32", 4);
}

#[test]
fn a_worker_that_is_restarted_in_mid_answer_changes_nothing() {
    let Some((weights, golden)) = golden("stories260K-q8_0") else { return };
    as_pd(|| {
        let mut system = start(weights, 2);
        system.load();
        system.ask(1, &golden.prompt, golden.tokens.len() as u32);
        let mut tokens = Vec::new();
        loop {
            match system.message() {
                ToSession::Token { token, .. } => tokens.push(token),
                ToSession::Done { .. } => break,
                _ => {}
            }
            if tokens.len() == 5 {
                let (stop, thread) = system.followers.remove(0);
                stop.store(true, Ordering::Relaxed);
                // A worker in mid-step comes back to look only when the leader lets it go.
                while !thread.is_finished() {
                    system.turn();
                }
                let follower = system.follower(1);
                system.followers.push(follower);
            }
        }
        assert_eq!(tokens, golden.tokens);
    });
}

#[test]
fn cancel_erase_and_release_are_obeyed() {
    let Some((weights, golden)) = golden("stories260K-q8_0") else { return };
    as_pd(|| {
        let mut system = start(weights, 1);
        system.load();
        system.ask(1, &golden.prompt, 200);
        while !matches!(system.message(), ToSession::Token { sequence: 3, .. }) {}
        system.session.send(&ToCompute::Cancel { id: 1 }).unwrap();
        assert_eq!(system.until(done), Stop::Cancelled);
        system.session.send(&ToCompute::Erase).unwrap();
        while system.message() != ToSession::Erased {}
        system.ask(2, &golden.prompt, 4);
        assert_eq!(system.answer(2).0, golden.tokens[..4]);
        system.supervisor.send(&control::ToCompute::Release).unwrap();
        let released = system.until(|s| s.supervisor.receive().unwrap());
        assert_eq!(released, control::ToSupervisor::Released);
        system.ask(3, &golden.prompt, 4);
        let refused = system.until(|s| match s.session.receive().unwrap() {
            Some(ToSession::Refused { id, why }) => Some((id, why)),
            _ => None,
        });
        assert_eq!(refused, (3, Refusal::NoModel));
    });
}

fn done(system: &mut System) -> Option<Stop> {
    match system.session.receive().unwrap() {
        Some(ToSession::Done { stop, .. }) => Some(stop),
        _ => None,
    }
}

#[test]
fn requests_that_cannot_be_are_refused_by_name() {
    let Some((weights, _)) = golden("stories260K-q8_0") else { return };
    as_pd(|| {
        let mut system = start(weights, 1);
        system.load();
        let sampling = Sampling::default();
        let begin = |id, prompt| ToCompute::Begin { id, prompt, limit: 1, sampling, stop: List::default() };
        let tokens = |id, ids: &[u32]| ToCompute::Tokens { id, offset: 0, tokens: List::new(ids) };
        let cases: [&[ToCompute]; 4] = [
            &[begin(1, 0)],
            &[begin(2, 1_000_000)],
            &[begin(3, 1), tokens(3, &[u32::MAX])],
            &[begin(4, 2), tokens(4, &[1]), ToCompute::Go { id: 4 }],
        ];
        for (i, case) in cases.into_iter().enumerate() {
            case.iter().for_each(|message| system.session.send(message).unwrap());
            let why = system.until(|s| match s.session.receive().unwrap() {
                Some(ToSession::Refused { id, why }) if id == i as u32 + 1 => Some(why),
                _ => None,
            });
            assert_eq!(matches!(why, Refusal::PromptTooLong { .. }), i == 1);
        }
    });
}

#[test]
fn a_damaged_model_is_unusable_and_says_why() {
    let Some((weights, _)) = golden("stories260K-q8_0") else { return };
    let mut damaged = weights.to_vec();
    damaged.truncate(weights.len() / 2);
    as_pd(|| {
        let mut system = start(Vec::leak(damaged), 1);
        system.turn();
        let sealed = Sealed { generation: 3, offset: 0, length: system.weights.len() as u64, header: 0 };
        system.supervisor.send(&control::ToCompute::Use(sealed)).unwrap();
        let answer = system.until(|s| s.supervisor.receive().unwrap());
        let control::ToSupervisor::Unusable { generation: 3, why } = answer else { panic!("{answer:?}") };
        assert!(why.text().len() > 10, "{}", why.text());
    });
}
