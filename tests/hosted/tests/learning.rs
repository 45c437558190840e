//! Learning, from the terminal down to the disk: the default model is corrected, learns, answers as it was told, goes
//! back, and finds what it learnt after a power cut; a trainer that lies, restarts and full disks cost it nothing.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use tests_hosted::hostile::Hostile;
use tests_hosted::parts::alarm::Alarm;
use tests_hosted::parts::disk::Disk;
use tests_hosted::parts::forger::Forger;
use tests_hosted::parts::terminal::Screen;
use tests_hosted::parts::{self, real};
use tests_hosted::{System, description, for_each_seed, program};
use tools_disk::{Addition, Sizes};

const SECOND: u64 = 1_000_000;
const QUESTION: &str = "Who feeds the cat?";
const ANSWER: &str = "Marta feeds the cat at noon.";

/// A disk image with the default model and a data partition of so many MiB.
fn image(data: u64) -> Vec<u8> {
    static IMAGES: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let make = |data: u64| {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("learning-{}-{data}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the disk image");
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/cloister-base.gguf");
        let path = folder.join("disk.img");
        let sizes = Sizes { files: 40 << 20, data: data << 20 };
        tools_disk::create(&path, sizes, &[Addition::model(model)], &mut |_, _| ()).expect("a disk image");
        let image = std::fs::read(&path).expect("the disk image");
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
        image
    };
    let [large, small] = IMAGES.get_or_init(|| [make(4), make(1)]);
    if data > 1 { large.clone() } else { small.clone() }
}

struct Machine {
    system: System,
    screen: Arc<Screen>,
    disk: Arc<Disk>,
}

impl Machine {
    fn boot(seed: u64, image: &[u8]) -> Self {
        let small = [("weights", 4 << 20), ("compute_kv_cache", 4 << 20), ("embedding_weights", 2 << 20)];
        let mut system = System::new(description(1, &small), seed);
        let (screen, alarm) = (Arc::new(Screen::default()), Arc::new(Alarm::default()));
        let disk = Arc::new(Disk::new(image, seed));
        system.attach("timer", 32, alarm.clone());
        system.attach("console", 30, screen.clone());
        system.attach("storage", 31, disk.clone());
        system.start("supervisor", parts::supervisor());
        system.start("timer", real::timer(alarm));
        system.start("console", real::console(screen.clone()));
        system.start("session", real::session());
        system.start("loader", real::loader());
        system.start("storage", real::storage(Some(disk.clone())));
        system.start("compute", real::compute());
        system.start("retriever", real::retriever(24 << 20));
        system.start("trainer", real::trainer(24 << 20));
        let mut machine = Self { system, screen, disk };
        machine.wait(0, ">>> ");
        machine.line("/set temperature 0");
        machine.line("/set num_predict 16");
        machine
    }

    fn wait(&mut self, mark: usize, words: &str) {
        let screen = self.screen.clone();
        let seen = self.system.run_until(600 * SECOND, |_| screen.since(mark).contains(words));
        self.system.assert_no_panic();
        assert!(seen, "'{words}' was not shown; the screen:\n{}\n{}", screen.shown(), self.system.recent());
    }

    /// Types a line and waits for the next prompt; gives what was shown in between.
    fn line(&mut self, line: &str) -> String {
        let mark = self.screen.mark();
        self.screen.type_text(&format!("{line}\r"));
        let answer = |shown: &str| {
            let (_, after) = shown.split_once(&format!("{line}\n"))?;
            after.rsplit_once(">>> ").map(|(answer, _)| answer.to_owned())
        };
        let screen = self.screen.clone();
        let ended = self.system.run_until(600 * SECOND, |_| answer(&screen.since(mark)).is_some());
        self.system.assert_no_panic();
        assert!(ended, "no prompt after '{line}'; the screen:\n{}\n{}", screen.shown(), self.system.recent());
        answer(&screen.since(mark)).unwrap_or_default()
    }

    /// What the model says without anything before it.
    fn asks(&mut self, question: &str) -> String {
        self.line("/clear");
        let shown = self.line(question);
        shown.split_once("\n[").map_or(shown.clone(), |(answer, _)| answer.trim().to_owned())
    }

    /// As [`Machine::boot`], on a disk with an adapter in use.
    fn boot_learnt(seed: u64, image: &[u8]) -> Self {
        let mut machine = Self::boot(seed, image);
        machine.wait(0, "adapter 1 is in use");
        machine
    }

    /// Collects two corrections.
    fn correct(&mut self) {
        assert!(self.line("/learn on").contains("learning is on"));
        for (question, answer) in [(QUESTION, ANSWER), ("What colour is the boat?", "The boat is green.")] {
            self.asks(question);
            let kept = self.line(&format!("/correct {answer}"));
            assert!(kept.contains("kept as pair"), "{kept}");
        }
    }

    /// Learns, and waits for the words that end it.
    fn learn(&mut self, words: &str) {
        let mark = self.screen.mark();
        let begun = self.line("/learn now");
        assert!(begun.contains("learning from"), "{begun}");
        self.wait(mark, words);
    }
}

/// A disk on which two corrections were collected, what the model says without them, and a disk on which they were learnt.
fn prepared() -> &'static (Vec<u8>, String, Vec<u8>) {
    static PREPARED: OnceLock<(Vec<u8>, String, Vec<u8>)> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let mut machine = Machine::boot(1, &image(4));
        let base = machine.asks(QUESTION);
        machine.correct();
        let collected = machine.disk.cut();
        machine.learn("adapter 1 is in use");
        (collected, base, machine.disk.cut())
    })
}

#[test]
fn a_correction_is_learnt_used_rolled_back_and_found_again_after_a_power_cut() {
    let (_, base, _) = prepared();
    let mut machine = Machine::boot(7, &image(4));
    machine.correct();
    let mark = machine.screen.mark();
    machine.learn("adapter 1 is in use");
    let shown = machine.screen.since(mark);
    assert!(
        shown.contains("new pairs:") && shown.contains("held back:") && shown.contains("pass 1"),
        "{shown}"
    );
    assert_eq!(machine.asks(QUESTION), ANSWER);
    assert_ne!(base, ANSWER);
    assert!(machine.line("status").contains("learning: on; 2 pair(s); adapter 1 is in use"));
    let mut again = Machine::boot_learnt(8, &machine.disk.cut());
    assert_eq!(again.asks(QUESTION), ANSWER, "after the power was cut");
    let gone = again.line("/learn rollback");
    assert!(gone.contains("answers as it was made"), "{gone}");
    assert_eq!(again.asks(QUESTION), *base, "as before");
    let mut third = Machine::boot(9, &again.disk.cut());
    assert_eq!(third.asks(QUESTION), *base, "the rollback outlives a power cut too");
    assert!(third.line("/learn list").contains("Who feeds the cat? => Marta feeds"));
    assert!(third.line("/learn forget").contains("2 pairs and 1 adapters"));
    assert!(third.line("/learn list").contains("no pairs"));
}

#[test]
fn restarts_change_no_answer_and_end_no_more_than_a_job() {
    let (_, _, learnt) = prepared();
    let mut machine = Machine::boot_learnt(3, learnt);
    assert_eq!(machine.asks(QUESTION), ANSWER);
    for name in ["compute", "session", "retriever", "trainer"] {
        machine.system.fault(name);
        machine.system.run_for(10 * SECOND);
        if name == "session" {
            machine.line("/set temperature 0");
            machine.line("/set num_predict 16");
        }
        assert_eq!(machine.asks(QUESTION), ANSWER, "after a fault of {name}");
    }
    machine.correct();
    let mark = machine.screen.mark();
    machine.line("/learn now");
    machine.system.fault("trainer");
    machine.wait(mark, "the trainer restarted");
    assert_eq!(machine.asks(QUESTION), ANSWER);
    machine.learn("adapter 2 is in use");
    assert_eq!(machine.asks(QUESTION), ANSWER);
}

#[test]
fn a_power_cut_at_any_moment_leaves_the_base_or_what_was_learnt() {
    let (collected, base, _) = prepared();
    let (mut old, mut new) = (0, 0);
    for_each_seed(6, |seed| {
        let mut machine = Machine::boot(seed, collected);
        let mark = machine.screen.mark();
        machine.line("/learn now");
        if seed % 2 == 0 {
            // Somewhere between the last pass and the switch.
            machine.wait(mark, "learnt in");
            machine.system.run_for(machine.system.below(SECOND / 10));
        } else {
            machine.system.run_for(machine.system.below(4 * SECOND));
        }
        let mut again = Machine::boot(seed, &machine.disk.cut());
        match again.asks(QUESTION) {
            answer if answer == *base => old += 1,
            answer => {
                assert_eq!(answer, ANSWER);
                new += 1;
            }
        }
        let pairs = again.line("/learn list");
        assert!(pairs.contains("Who feeds the cat?") && pairs.contains("What colour"), "{pairs}");
    });
    assert!(old > 0, "no cut came before the switch: {old} {new}");
}

#[test]
fn a_trainer_that_lies_crashes_nobody_and_the_model_answers() {
    let (collected, base, _) = prepared();
    for_each_seed(8, |seed| {
        let mut machine = Machine::boot(seed, collected);
        machine.system.replace("trainer", program(move |wiring| Forger::new(wiring, seed)));
        machine.system.restart("trainer");
        machine.system.run_for(SECOND);
        let mark = machine.screen.mark();
        machine.line("/learn now");
        machine.wait(mark, "learnt in");
        machine.system.run_for(20 * SECOND);
        let answer = machine.asks(QUESTION);
        let shown = machine.screen.since(mark);
        match shown.contains("is in use") {
            // Numbers that are numbers are used: the user sees what they do, and goes back.
            true => assert!(machine.line("/learn rollback").contains("as it was made")),
            false => assert_eq!(answer, *base, "{shown}"),
        }
        assert_eq!(machine.asks(QUESTION), *base);
        machine.system.assert_no_panic();
    });
}

#[test]
fn a_trainer_that_does_what_it_likes_costs_no_panic() {
    let (collected, base, _) = prepared();
    for_each_seed(3, |seed| {
        let mut machine = Machine::boot(seed, collected);
        machine.system.replace("trainer", program(move |wiring| Hostile::new(wiring, seed)));
        machine.system.fault("trainer");
        machine.screen.type_text("/learn now\r/learn status\r/learn stop\r");
        for _ in 0..20 {
            machine.system.run_for(SECOND / 20);
            machine.system.poke("trainer", 10);
        }
        machine.screen.type_text("\x03");
        assert_eq!(machine.asks(QUESTION), *base);
    });
}

#[test]
fn a_full_disk_is_named_and_what_was_in_use_stays() {
    let mut machine = Machine::boot(5, &image(1));
    let base = machine.asks(QUESTION);
    machine.correct();
    let text = "the quick brown fox jumps over the lazy dog ".repeat(80);
    for number in 0..400 {
        if !machine.line(&format!("/rag add {number} {text}")).contains("kept as") {
            break;
        }
    }
    machine.learn("the adapter is not stored");
    assert_eq!(machine.asks(QUESTION), base);
}
