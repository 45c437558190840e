//! Learning, from the terminal down to the disk: the default model is corrected, learns, answers as it was told, goes
//! back, and finds what it learnt after a power cut; a trainer that lies, restarts and full disks cost it nothing.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tests_hosted::hostile::Hostile;
use tests_hosted::parts::disk::Disk;
use tests_hosted::parts::forger::Forger;
use tests_hosted::person::Person;
use tests_hosted::{for_each_seed, program};
use tools_disk::{Addition, Sizes};

const SECOND: u64 = 1_000_000;
const QUESTION: &str = "Who feeds the cat?";
const ANSWER: &str = "Marta feeds the cat at noon.";

/// A disk image with the default model and one like it; `small`: its data partition is soon full.
fn image(small: bool) -> Vec<u8> {
    static IMAGES: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let make = |data: u64| {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("learning-{}-{data}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the disk image");
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/cloister-base.gguf");
        let path = folder.join("disk.img");
        // The same weights under another name are another model, which says the same.
        let mut other = std::fs::read(&model).expect("the default model");
        let name = b"cloister-base";
        let at = other.windows(name.len()).position(|bytes| bytes == name).expect("the model's name");
        other[at] = b'C';
        std::fs::write(folder.join("other.gguf"), other).expect("room for a file");
        let models = [model, folder.join("other.gguf")].map(Addition::model);
        let sizes = Sizes { files: 40 << 20, data };
        tools_disk::create(&path, sizes, &models, &mut |_, _| ()).expect("a disk image");
        let image = std::fs::read(&path).expect("the disk image");
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
        image
    };
    let [large, tight] = IMAGES.get_or_init(|| [make(4 << 20), make(1 << 20)]);
    if small { tight.clone() } else { large.clone() }
}

struct Machine {
    person: Person,
    disk: Arc<Disk>,
}

impl Deref for Machine {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.person
    }
}

impl DerefMut for Machine {
    fn deref_mut(&mut self) -> &mut Person {
        &mut self.person
    }
}

impl Machine {
    fn boot(seed: u64, image: &[u8]) -> Self {
        let (person, disk) = Person::start(seed, image, 4 << 20);
        let mut machine = Self { person, disk };
        machine.wait(0, ">>> ");
        // At the first prompt the store may not be open yet: that is waited for.
        let status = machine.line("/learn status");
        assert!(status.contains("learning: "), "{status}");
        machine.settle();
        machine
    }

    /// The same question gives the same short answer.
    fn settle(&mut self) {
        self.line("/set temperature 0");
        self.line("/set num_predict 24");
        self.line("/rag off");
    }

    /// As [`Machine::boot`], on a disk with an adapter in use.
    fn boot_learnt(seed: u64, image: &[u8]) -> Self {
        let mut machine = Self::boot(seed, image);
        machine.wait(0, "adapter 1 is in use");
        machine
    }

    /// What the model says without anything before it.
    fn asks(&mut self, question: &str) -> String {
        self.line("/clear");
        let mark = self.screen.mark();
        self.screen.type_text(&format!("{question}\r"));
        self.wait(mark, "| stop: ");
        let shown = self.screen.since(mark);
        let said = shown.split_once("[Prompt ").map_or("", |(said, _)| said);
        // Answers have one line here; what a notice or a prompt's progress shows stands before it.
        let of_the_answer = |line: &&str| !line.starts_with("[Retrieval");
        let line = said.trim_end().rsplit('\n').find(of_the_answer).unwrap_or_default();
        line.rsplit_once("\x1b[K").map_or(line, |(_, line)| line).trim().to_owned()
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
        let mut machine = Machine::boot(1, &image(false));
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
    let mut machine = Machine::boot(7, &image(false));
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
fn a_learnt_answer_stands_above_the_documents() {
    let (_, _, learnt) = prepared();
    let mut machine = Machine::boot_learnt(5, learnt);
    machine.line("/rag on");
    machine.line("/rag add Anna feeds the cat of the old mill.");
    assert_eq!(machine.asks("who feeds the cat"), ANSWER, "however it is typed");
    machine.line("/rag quote on");
    assert_eq!(machine.asks(QUESTION), ANSWER);
    assert!(machine.line("/rag sources").contains("no passages"));
    machine.line("/learn rollback");
    assert_eq!(machine.asks(QUESTION), "Anna feeds the cat of the old mill.");
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
            machine.settle();
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
            let pause = machine.system.below(SECOND / 10);
            machine.system.run_for(pause);
        } else {
            let pause = machine.system.below(4 * SECOND);
            machine.system.run_for(pause);
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
        if machine.screen.since(mark).contains("adapter 1 is in use") {
            // Numbers that are numbers are used: the user sees what they do, and goes back.
            machine.line(QUESTION);
            let back = machine.line("/learn rollback");
            assert!(back.contains("as it was made"), "{back}");
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
    let mut machine = Machine::boot(5, &image(true));
    machine.correct();
    machine.learn("adapter 1 is in use");
    machine.line("/set columns 1000");
    let text = "the quick brown fox jumps over the lazy dog ".repeat(20);
    let full = (0..700).any(|number| !machine.line(&format!("/rag add {number} {text}")).contains("kept as"));
    assert!(full, "the notes fill the disk");
    machine.correct();
    machine.learn("the adapter is not stored");
    assert_eq!(machine.asks(QUESTION), ANSWER);
    assert!(machine.line("status").contains("adapter 1 is in use"));
}

#[test]
fn an_adapter_belongs_to_one_model() {
    let (_, base, learnt) = prepared();
    let mut machine = Machine::boot_learnt(4, learnt);
    let mark = machine.screen.mark();
    machine.line("/load other.gguf");
    machine.wait(mark, "adapter 1 was made for another model");
    assert_eq!(machine.asks(QUESTION), *base);
    assert!(machine.line("/learn rollback").contains("no adapter is in use"));
    let mark = machine.screen.mark();
    machine.line("/load cloister-base.gguf");
    machine.wait(mark, "adapter 1 is in use");
    assert_eq!(machine.asks(QUESTION), ANSWER);
}

#[test]
fn what_is_learnt_for_one_model_is_never_used_with_the_next() {
    let (collected, base, _) = prepared();
    for_each_seed(4, |seed| {
        let mut machine = Machine::boot(seed, collected);
        let mark = machine.screen.mark();
        machine.line("/learn now");
        machine.wait(mark, "learning: pass");
        let pause = machine.system.below(SECOND);
        machine.system.run_for(pause);
        machine.line("/load other.gguf");
        machine.system.run_for(20 * SECOND);
        assert_eq!(machine.asks(QUESTION), *base);
        let status = machine.line("/learn status");
        assert!(!status.contains("adapter 1 is in use"), "seed {seed}: {status}");
    });
}

#[test]
fn a_trainer_that_does_not_stop_is_restarted_before_the_loader_writes_and_its_job_ends_by_name() {
    let (collected, base, _) = prepared();
    let mut machine = Machine::boot(6, collected);
    machine.line("/learn now");
    machine.system.hang("trainer");
    let before = machine.system.restarts("trainer");
    let mark = machine.screen.mark();
    assert!(machine.line("/load other.gguf").contains("is loaded"));
    let shown = machine.screen.since(mark);
    assert!(shown.contains("learning ended: the model is taken away"), "{shown}");
    assert_eq!(machine.system.restarts("trainer"), before + 1);
    assert_eq!(machine.asks(QUESTION), *base);
}
