//! A person at the terminal, and everything real behind it: console, session, compute, loader, storage, timer,
//! supervisor, a disk image, a model. The answers are llama.cpp's.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tests_fixtures::shared;
use tests_hosted::hostile::Hostile;
use tests_hosted::parts::disk::Disk;
use tests_hosted::person::Person;
use tests_hosted::{Life, System, description, for_each_seed, program};
use tools_disk::{Addition, Sizes};

const SECOND: u64 = 1_000_000;
const MODEL: &str = "stories260K-f32.gguf";
const PROMPT: &str = "Once upon a time";

/// A disk image with two models and one damaged one.
fn image(shared: &Path) -> Arc<[u8]> {
    static IMAGE: OnceLock<Arc<[u8]>> = OnceLock::new();
    let make = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chat-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the disk image");
        let models = shared.join("models/stories");
        let whole = std::fs::read(models.join(MODEL)).expect("the model");
        std::fs::write(folder.join("truncated.gguf"), &whole[..whole.len() / 2]).expect("room for a file");
        let files = [models.join(MODEL), models.join("stories260K-q8_0.gguf"), folder.join("truncated.gguf")];
        let files: Vec<_> = files.into_iter().map(Addition::model).collect();
        let path = folder.join("disk.img");
        tools_disk::create(&path, Sizes { files: 40 << 20, data: 1 << 20 }, &files, &mut |_, _| ())
            .expect("a disk image");
        let image = std::fs::read(&path).expect("the disk image").into();
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
        image
    };
    IMAGE.get_or_init(make).clone()
}

/// The golden continuation of [`PROMPT`].
fn golden(shared: &Path) -> (String, usize) {
    let text =
        std::fs::read_to_string(shared.join("golden").join(MODEL.replace("gguf", "json"))).expect("golden");
    let all: serde_json::Value = serde_json::from_str(&text).expect("golden data is JSON");
    let cases = all["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["prompt"] == PROMPT).expect("the case");
    (case["text"].as_str().expect("text").to_owned(), case["steps"].as_array().expect("steps").len())
}

struct Chat {
    person: Person,
    golden: (String, usize),
}

impl Deref for Chat {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.person
    }
}

impl DerefMut for Chat {
    fn deref_mut(&mut self) -> &mut Person {
        &mut self.person
    }
}

impl Chat {
    fn start(seed: u64, cores: u8, disk: bool, shared: &Path) -> Self {
        let small = [
            ("weights", 4 << 20),
            ("compute_kv_cache", 4 << 20),
            ("compute_1_kv_cache", 2 << 20),
            ("compute_2_kv_cache", 2 << 20),
            ("compute_3_kv_cache", 2 << 20),
        ];
        let kept = |region: &str| {
            region
                .strip_prefix("compute_")
                .and_then(|rest| rest[..1].parse().ok())
                .is_none_or(|n: u8| n < cores)
        };
        let sizes: Vec<_> = small.into_iter().filter(|(region, _)| kept(region)).collect();
        let system = System::new(description(cores, &sizes), seed);
        let disk = disk.then(|| Arc::new(Disk::new(&image(shared), seed)));
        Self { person: Person::boot(system, disk, cores, 32 << 20), golden: golden(shared) }
    }

    fn booted(seed: u64, cores: u8, shared: &Path) -> Self {
        let mut chat = Self::start(seed, cores, true, shared);
        chat.wait(0, ">>> ");
        chat.line("/set temperature 0");
        let steps = chat.golden.1;
        chat.line(&format!("/set num_predict {steps}"));
        chat
    }
}

#[test]
fn the_golden_text_streams_whatever_the_order_of_events() {
    let Some(shared) = shared("golden") else { return };
    for_each_seed(4, |seed| {
        let mut chat = Chat::booted(seed, 1, &shared);
        let answer = chat.line(PROMPT);
        assert!(answer.contains(&chat.golden.0), "seed {seed}: {answer}");
    });
}

#[test]
fn workers_on_other_cores_give_the_same_text() {
    let Some(shared) = shared("golden") else { return };
    for cores in [2, 4] {
        for_each_seed(2, |seed| {
            let mut chat = Chat::booted(seed, cores, &shared);
            let answer = chat.line(PROMPT);
            assert!(answer.contains(&chat.golden.0), "{cores} cores, seed {seed}: {answer}");
        });
    }
}

#[test]
fn an_answer_goes_on_bit_identically_when_compute_dies_in_its_middle() {
    let Some(shared) = shared("golden") else { return };
    for_each_seed(12, |seed| {
        let mut chat = Chat::booted(seed, 1, &shared);
        let mark = chat.screen.mark();
        chat.screen.type_text(&format!("{PROMPT}\r"));
        let length = chat.golden.0.len() as u64;
        let shown = chat.system.below(length * 3 / 4) as usize;
        let screen = chat.screen.clone();
        assert!(chat.system.run_until(60 * SECOND, |_| screen.since(mark).len() > PROMPT.len() + 2 + shown));
        chat.system.fault("compute");
        chat.wait(mark, "\n>>> ");
        chat.wait(mark, "fault in compute");
        let answer = chat.screen.since(mark);
        assert!(said(&answer, &chat.golden.0), "killed after {shown} bytes: {answer}");
    });
}

#[test]
fn a_timer_that_dies_costs_nobody_else_anything() {
    let Some(shared) = shared("golden") else { return };
    for_each_seed(10, |seed| {
        let mut chat = Chat::booted(seed, 1, &shared);
        let mark = chat.screen.mark();
        chat.screen.type_text(&format!("{PROMPT}\r"));
        for _ in 0..3 {
            let pause = chat.system.below(2_000);
            chat.system.run_for(pause);
            chat.system.fault("timer");
        }
        chat.wait(mark, "fault in timer");
        chat.wait(mark, "stop: limit]");
        let answer = chat.screen.since(mark);
        assert!(said(&answer, &chat.golden.0), "{answer}");
        chat.system.run_for(10 * SECOND);
        for name in ["console", "session", "storage", "compute"] {
            assert_eq!(chat.system.restarts(name), 0, "{name}: {}", chat.screen.shown());
        }
    });
}

/// Whether `text` was shown, lines of the system in between and white space left out.
fn said(screen: &str, text: &str) -> bool {
    let own = ["fault in", "  the conversation", "  timeouts", "warning:"];
    let lines = screen.lines().filter(|line| !own.iter().any(|start| line.starts_with(start)));
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    letters(&lines.collect::<String>()).contains(&letters(text))
}

#[test]
fn control_c_stops_the_answer_and_the_prompt_comes_back() {
    let Some(shared) = shared("golden") else { return };
    for_each_seed(4, |seed| {
        let mut chat = Chat::booted(seed, 1, &shared);
        let mark = chat.screen.mark();
        chat.screen.type_text(&format!("{PROMPT}\r"));
        chat.wait(mark, "there was");
        chat.screen.type_text("\x03");
        chat.wait(mark, "\n>>> ");
        let answer = chat.line(PROMPT);
        assert!(answer.contains(&chat.golden.0), "the next answer is whole: {answer}");
    });
}

#[test]
fn without_a_disk_the_prompt_comes_and_says_what_to_do() {
    let Some(shared) = shared("golden") else { return };
    for_each_seed(3, |seed| {
        let mut chat = Chat::start(seed, 1, false, &shared);
        chat.wait(0, ">>> ");
        let answer = chat.line("hello");
        assert!(answer.contains("no model"), "{answer}");
        assert!(chat.line("/status").contains("storage"));
    });
}

#[test]
fn a_damaged_model_is_refused_by_name_and_the_old_one_stays() {
    let Some(shared) = shared("golden") else { return };
    for_each_seed(3, |seed| {
        let mut chat = Chat::booted(seed, 1, &shared);
        let answer = chat.line("/load truncated");
        assert!(
            answer.contains("truncated.gguf") && answer.contains("the model before it stays"),
            "{answer}"
        );
        let missing = chat.line("/load nothing-like-it");
        assert!(missing.contains("could not be loaded"), "{missing}");
        assert!(chat.line(PROMPT).contains(&chat.golden.0));
    });
}

#[test]
fn models_are_switched_back_and_forth() {
    let Some(shared) = shared("golden") else { return };
    for_each_seed(2, |seed| {
        let mut chat = Chat::booted(seed, 1, &shared);
        for _ in 0..3 {
            let q8 = chat.line("/load stories260K-q8_0");
            assert!(q8.contains("stories260K-q8_0.gguf is loaded"), "{q8}");
            let f32 = chat.line("/load stories260K-f32");
            assert!(f32.contains("stories260K-f32.gguf is loaded"), "{f32}");
        }
        assert!(chat.line(PROMPT).contains(&chat.golden.0));
        let models = chat.line("/models");
        assert!(
            models.contains("stories260K-f32.gguf") && models.contains("(loaded, not signed)"),
            "{models}"
        );
    });
}

const CHILDREN: [&str; 6] = ["console", "session", "loader", "storage", "compute", "timer"];

#[test]
fn whatever_dies_and_whenever_the_prompt_comes_back_and_answers() {
    let Some(shared) = shared("golden") else { return };
    for_each_seed(10, |seed| {
        let mut chat = Chat::start(seed, 1, true, &shared);
        for _ in 0..chat.system.below(10) {
            let pause = chat.system.below(40_000);
            chat.system.run_for(pause);
            let name = CHILDREN[chat.system.below(6) as usize];
            match chat.system.below(7) {
                0 | 1 => chat.system.fault(name),
                2 if name != "timer" => chat.system.hang(name),
                3 if name != "timer" && chat.system.life(name) == Life::Runs => chat.system.restart(name),
                4 => chat.screen.type_text("\x03"),
                5 => chat.screen.type_text("/load stories260K-q8_0\r"),
                _ => chat.screen.type_text("Once upon a time\r"),
            }
        }
        chat.returns_to_service();
    });
}

#[test]
fn beside_a_hostile_part_the_others_go_on_and_an_honest_one_serves_again() {
    let Some(shared) = shared("golden") else { return };
    for name in CHILDREN {
        for_each_seed(2, |seed| {
            let mut chat = Chat::booted(seed, 1, &shared);
            let honest = chat.system.program(name);
            chat.system.replace(name, program(move |wiring| Hostile::new(wiring, seed)));
            chat.system.fault(name);
            chat.screen.type_text("Once upon a time\r/load stories260K-q8_0\r");
            for _ in 0..20 {
                chat.system.run_for(SECOND / 20);
                chat.system.poke(name, 1);
            }
            chat.system.replace(name, honest);
            chat.system.fault(name);
            chat.returns_to_service();
        });
    }
}

impl Chat {
    /// Lets everything settle, then asks for what a person asks for when something has gone wrong.
    fn returns_to_service(&mut self) {
        self.system.run_for(140 * SECOND);
        self.system.assert_no_panic();
        for _ in 0..3 {
            self.screen.type_text("\x03");
            self.system.run_for(20 * SECOND);
        }
        let status = self.line("/status");
        for name in CHILDREN {
            let row = status.lines().find(|line| line.starts_with(name));
            let row = row.unwrap_or_else(|| panic!("no row for {name}: {status}"));
            if row.contains("FAULTED") {
                self.line(&format!("/restart {name}"));
            }
        }
        self.system.run_for(SECOND);
        self.line("/load stories260K-f32");
        self.line("/clear");
        self.line("/set temperature 0");
        let steps = self.golden.1;
        self.line(&format!("/set num_predict {steps}"));
        let answer = self.line(PROMPT);
        assert!(said(&answer, &self.golden.0), "{}\n{}", self.screen.shown(), self.system.recent());
        self.system.assert_no_panic();
    }
}
