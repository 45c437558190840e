//! A person at the terminal, and everything real behind it: console, session, compute, loader, storage, timer,
//! supervisor, a disk image, a model. The answers are llama.cpp's.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tests_hosted::parts::alarm::Alarm;
use tests_hosted::parts::disk::Disk;
use tests_hosted::parts::terminal::Screen;
use tests_hosted::parts::{self, real};
use tests_hosted::{System, description, for_each_seed};
use tools_disk::{Addition, Sizes};

const SECOND: u64 = 1_000_000;
const MODEL: &str = "stories260K-f32.gguf";
const PROMPT: &str = "Once upon a time";

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("CLOISTER_SHARED").map_or(beside, PathBuf::from);
    if folder.join("golden").is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "CI is set, so the shared test data must be there: {}",
        folder.display()
    );
    eprintln!("skipped: no test data in {}; set CLOISTER_SHARED", folder.display());
    None
}

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
        tools_disk::create(&path, Sizes { files: 40 << 20, data: 1 << 20 }, &files, &|_, _| ())
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
    system: System,
    screen: Arc<Screen>,
    golden: (String, usize),
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
        let mut system = System::new(description(cores, &sizes), seed);
        let (screen, alarm) = (Arc::new(Screen::default()), Arc::new(Alarm::default()));
        let disk = disk.then(|| Arc::new(Disk::new(image(shared), seed)));
        system.attach("timer", 32, alarm.clone());
        system.attach("console", 30, screen.clone());
        if let Some(disk) = &disk {
            system.attach("storage", 31, disk.clone());
        }
        system.start("supervisor", parts::supervisor());
        system.start("timer", real::timer(alarm));
        system.start("console", real::console(screen.clone()));
        system.start("session", real::session());
        system.start("loader", real::loader());
        system.start("storage", real::storage(disk));
        system.start("compute", real::compute());
        for number in 1..cores {
            system.start(&format!("compute_{number}"), real::compute());
        }
        system.start("retriever", tests_hosted::program(|_| parts::simple::Quiet));
        Self { system, screen, golden: golden(shared) }
    }

    /// Waits until `words` are shown after `mark`.
    fn wait(&mut self, mark: usize, words: &str) {
        let screen = self.screen.clone();
        let seen = self.system.run_until(120 * SECOND, |_| screen.since(mark).contains(words));
        self.system.assert_no_panic();
        assert!(seen, "'{words}' was not shown; the screen:\n{}\n{}", screen.shown(), self.system.recent());
    }

    /// Types a line and waits for the next prompt; gives what was shown in between.
    fn line(&mut self, line: &str) -> String {
        let mark = self.screen.mark();
        self.screen.type_text(&format!("{line}\r"));
        self.wait(mark, "\n");
        let mark = self.screen.mark();
        self.wait(mark, ">>> ");
        self.screen.since(mark)
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
    let Some(shared) = shared() else { return };
    for_each_seed(4, |seed| {
        let mut chat = Chat::booted(seed, 1, &shared);
        let answer = chat.line(PROMPT);
        assert!(answer.contains(&chat.golden.0), "seed {seed}: {answer}");
    });
}
