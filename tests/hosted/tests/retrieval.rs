//! Documents, notes and what happened, from the terminal down to the disk: restarts at any moment, power cuts that lose
//! sectors, a disk full of something else, and peers that do what they like.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use tests_hosted::hostile::Hostile;
use tests_hosted::parts::alarm::Alarm;
use tests_hosted::parts::disk::Disk;
use tests_hosted::parts::terminal::Screen;
use tests_hosted::parts::{self, real};
use tests_hosted::{System, description, for_each_seed, program};
use tools_disk::{Addition, Sizes};

const SECOND: u64 = 1_000_000;
const DOCUMENTS: [(&str, &str); 2] = [
    ("lamp.txt", "The lighthouse lamp is lit at dusk by Marta."),
    ("soup.md", "# Soup\n\nBoil the onions for ten minutes.\n"),
];

/// A disk image with two documents, and where its data partition begins.
fn image() -> (Vec<u8>, usize) {
    static IMAGE: OnceLock<(Vec<u8>, usize)> = OnceLock::new();
    let make = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("retrieval-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the disk image");
        let files = DOCUMENTS.map(|(name, text)| {
            std::fs::write(folder.join(name), text).expect("room for a file");
            Addition::document(folder.join(name))
        });
        let path = folder.join("disk.img");
        tools_disk::create(&path, Sizes { files: 40 << 20, data: 1 << 20 }, &files, &mut |_, _| ())
            .expect("a disk image");
        let layout = tools_disk::layout(&path).expect("the layout");
        let image = std::fs::read(&path).expect("the disk image");
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
        (image, layout.data as usize)
    };
    IMAGE.get_or_init(make).clone()
}

struct Machine {
    system: System,
    screen: Arc<Screen>,
    disk: Arc<Disk>,
}

impl Machine {
    fn boot(seed: u64, image: &[u8]) -> Self {
        let small = [("weights", 2 << 20), ("compute_kv_cache", 2 << 20), ("embedding_weights", 2 << 20)];
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
        assert!(machine.until(|shown| shown.contains(">>> ")), "no prompt:\n{}", machine.screen.shown());
        machine
    }

    fn until(&mut self, seen: impl Fn(&str) -> bool) -> bool {
        let screen = self.screen.clone();
        let seen = self.system.run_until(240 * SECOND, |_| seen(&screen.since(0)));
        self.system.assert_no_panic();
        seen
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
        let ended = self.system.run_until(240 * SECOND, |_| answer(&screen.since(mark)).is_some());
        self.system.assert_no_panic();
        assert!(ended, "no prompt after '{line}'; the screen:\n{}\n{}", screen.shown(), self.system.recent());
        answer(&screen.since(mark)).unwrap_or_default()
    }

    /// What happened reaches the store a little later.
    fn remembers(&mut self, question: &str, text: &str) {
        let mut found = String::new();
        for _ in 0..10 {
            found = self.line(&format!("/recall {question}"));
            if found.contains(text) {
                return;
            }
            self.system.run_for(SECOND / 2);
        }
        panic!("{found}\n{}", self.system.recent());
    }

    fn finds(&mut self, question: &str, text: &str) {
        let found = self.line(&format!("/rag find {question}"));
        assert!(found.contains(text), "{found}\n{}", self.system.recent());
    }
}

#[test]
fn documents_are_found_with_their_source_and_the_label_of_the_embedding() {
    for_each_seed(3, |seed| {
        let mut machine = Machine::boot(seed, &image().0);
        let scanned = machine.line("/rag scan");
        assert!(scanned.contains("2 in /docs"), "{scanned}");
        machine.finds("who lights the lamp", "docs/lamp.txt");
        let found = machine.line("/rag find onions");
        assert!(found.contains("hash fallback") && found.contains("docs/soup.md > Soup"), "{found}");
        let status = machine.line("status");
        assert!(status.contains("retrieval: on; hash fallback"), "{status}");
        let facts = machine.line("/fact add Marta | lights | the lamp");
        assert!(facts.contains("kept as fact"), "{facts}");
        assert!(machine.line("/fact list").contains("Marta | lights | the lamp"));
        assert!(machine.line("/rag remove docs/lamp.txt").contains("is forgotten"));
        assert!(machine.line("/rag scan").contains("1 taken in"), "the file is still there");
    });
}

#[test]
fn what_was_acknowledged_outlives_faults_of_anybody_and_power_cuts() {
    for_each_seed(6, |seed| {
        let mut image = image().0;
        let mut kept = Vec::new();
        for life in 0..3 {
            let mut machine = Machine::boot(seed * 10 + life, &image);
            for number in 0..3 {
                let word = format!("zebra{life}x{number}");
                let victim = ["storage", "retriever", "timer", "session"][machine.system.below(4) as usize];
                if machine.system.below(2) == 0 {
                    machine.system.fault(victim);
                }
                let answer = machine.line(&format!("/rag add {word} is a word of seed {seed}"));
                if answer.contains("kept as note") {
                    kept.push(word);
                }
            }
            for word in &kept {
                machine.finds(word, word);
            }
            // The plug is pulled while documents may be taken in.
            image = machine.disk.cut();
        }
        let mut machine = Machine::boot(seed, &image);
        assert!(!machine.screen.shown().contains("has lost"), "an honest disk has no damage");
        for word in &kept {
            machine.finds(word, word);
        }
        assert!(kept.len() >= 3, "most notes are kept: {kept:?}");
    });
}

#[test]
fn episodes_tell_of_faults_and_commands() {
    for_each_seed(2, |seed| {
        let mut machine = Machine::boot(seed, &image().0);
        machine.line("/restart loader");
        machine.system.fault("storage");
        machine.line("/clear");
        machine.remembers("what faulted", "storage faulted: memory fault");
        machine.remembers("restart loader", "/restart loader");
    });
}

#[test]
fn a_partition_that_holds_something_else_is_refused_until_the_user_says_so() {
    let (mut image, data) = image();
    image[data..data + 300_000].iter_mut().enumerate().for_each(|(i, byte)| *byte = (i * 7 + i / 251) as u8);
    let mut machine = Machine::boot(1, &image);
    let answer = machine.line("/rag list");
    assert!(answer.contains("holds something else") && answer.contains("/rag format"), "{answer}");
    assert!(machine.line("/rag add x").contains("holds something else"));
    assert!(machine.line("/rag format yes").contains("the store is empty"));
    assert!(machine.line("/rag scan").contains("2 in /docs"));
    machine.finds("who lights the lamp", "docs/lamp.txt");
}

#[test]
fn a_store_with_holes_is_mended_and_says_what_it_lost() {
    let (clean, data) = image();
    let mut machine = Machine::boot(1, &clean);
    machine.line("/rag scan");
    for number in 0..12 {
        assert!(machine.line(&format!("/rag add note of zebra{number}")).contains("kept as"));
    }
    let good = machine.disk.cut();
    for_each_seed(8, |seed| {
        let mut bad = good.clone();
        // Sectors anywhere in the used part of the partition, its superblocks included.
        let mut place = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for _ in 0..3 {
            place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = data + (place >> 40) as usize % 120 * 512;
            bad[at..at + 512].fill((place >> 32) as u8);
        }
        let mut machine = Machine::boot(seed, &bad);
        let answer = machine.line("/rag list");
        assert!(
            answer.contains("note") || answer.contains("no documents") || answer.contains("format"),
            "{answer}"
        );
        machine.line("/rag find zebra5");
        machine.line("/rag add another");
    });
}

#[test]
fn hostile_peers_cost_no_panic_and_the_prompt_comes_back() {
    for name in ["storage", "session", "retriever", "supervisor"] {
        for_each_seed(3, |seed| {
            let mut machine = Machine::boot(seed, &image().0);
            machine.line("/rag scan");
            if name == "supervisor" {
                // Nobody could start it again: what it writes must hurt nobody.
                machine.system.replace(name, program(move |wiring| Hostile::new(wiring, seed)));
                machine.system.restart(name);
                machine.system.run_for(SECOND);
                return machine.system.assert_no_panic();
            }
            let honest = machine.system.program(name);
            machine.system.replace(name, program(move |wiring| Hostile::new(wiring, seed)));
            machine.system.fault(name);
            machine.screen.type_text("/rag find lamp\r/rag add a\r/rag scan\r");
            for _ in 0..20 {
                machine.system.run_for(SECOND / 20);
                machine.system.poke(name, 9);
            }
            machine.system.replace(name, honest);
            machine.system.fault(name);
            machine.system.run_for(30 * SECOND);
            machine.screen.type_text("\x03");
            machine.line("/set quiet");
            machine.system.assert_no_panic();
        });
    }
}
