//! Prints results, makes `faulty` fault and checks the messages, stops and resumes `spinner`, and ends the run.
#![no_std]
#![no_main]

use core::convert::Infallible;
use core::fmt::Write;
use core::sync::atomic::Ordering::Relaxed;
use ipc_abi::fault;
use ipc_pd::{Channel, Child, Handler, MessageInfo, clock, get_mr, health, set_mr};
use tests_conformance::faults::{Expected, FAULTS, NOWHERE, PRIVILEGED};
use tests_conformance::report;
use tests_conformance::uart::Uart;

ipc_pd::regions! {
    uart, uart_size: Device;
    com1, com1_id: Ports;
    judge_to_faulty, judge_to_faulty_size: Writable;
    faulty_health, faulty_health_size: Readable;
    spinner_count, spinner_count_size: Readable;
}
ipc_pd::protection_domain!(init);

const FAULTY: Child = Child::new(10);
const SPINNER: Child = Child::new(11);
/// Results of the other programs that must arrive before the run ends, by the judge's name.
const REPORTS: [(&str, u32); 2] = [("judge", 12), ("judge_smp", 28)];

struct Judge {
    uart: Uart,
    passed: u32,
    failed: u32,
    reports: u32,
    mode: usize,
    expected: u32,
}

fn init() -> Judge {
    let mut uart = Uart::new(uart(), com1());
    let _ = writeln!(uart, "conformance: start");
    let expected = REPORTS.iter().find(|(name, _)| *name == ipc_pd::pd_name()).map_or(0, |entry| entry.1);
    Judge { uart, passed: 0, failed: 0, reports: 0, mode: 0, expected }
}

impl Judge {
    fn record(&mut self, name: &str, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        let _ = writeln!(self.uart, "{} {name}", if passed { "ok  " } else { "FAIL" });
        self.finish();
    }

    fn finish(&mut self) {
        if self.mode >= FAULTS.len() && self.reports >= self.expected {
            self.expected = u32::MAX;
            self.control();
            let _ = writeln!(self.uart, "conformance: {} passed, {} failed", self.passed, self.failed);
        }
    }

    /// Stops and resumes the spinner, which runs on another core where there is one.
    fn control(&mut self) {
        let Some(count) = spinner_count() else { return };
        let count = || count.load(0, Relaxed);
        let mut intact = true;
        for _ in 0..20 {
            intact &= SPINNER.stop().is_ok();
            let stopped = count();
            wait_us(500);
            intact &= stopped == count();
            intact &= SPINNER.resume().is_ok();
            wait_us(500);
        }
        self.record("a stopped PD stands still", intact);
    }

    fn check_fault(&mut self, expected: &Expected, message: MessageInfo) {
        let word = |index: &usize| get_mr(*index);
        let matches = expected.words.iter().all(|(index, mask, value)| word(index) & mask == *value);
        let passed = message.label() == expected.label && message.count() == expected.length && matches;
        let passed = passed || timer_is_open(expected, message);
        if !passed {
            let words: [u64; 19] = core::array::from_fn(get_mr);
            let _ = writeln!(self.uart, "{message:?} {words:x?}");
        }
        self.record(expected.name, passed);
    }

    /// The next fault: by answer where the program is to go on, else from its start.
    fn next(&mut self) -> Option<MessageInfo> {
        self.mode += 1;
        if self.mode == 5 {
            set_mr(0, 0xc0ffee);
            return Some(MessageInfo::new(0, 1));
        }
        if self.mode < FAULTS.len() {
            if let Some(page) = judge_to_faulty() {
                page.store(0, self.mode as u64, Relaxed);
            }
            let entry = faulty_health().map_or(0, |page| page.load(health::ENTRY, Relaxed));
            let _ = FAULTY.restart(entry);
        }
        self.finish();
        None
    }
}

/// The SDK's kernel gives every PD the physical timer's registers; `faulty` then reads where nothing is mapped.
fn timer_is_open(expected: &Expected, message: MessageInfo) -> bool {
    expected.name == PRIVILEGED && message.label() == fault::VM && get_mr(1) == NOWHERE
}

fn wait_us(time: u64) {
    let end = clock::ticks() + clock::from_micros(time);
    while clock::ticks() < end {}
}

impl Handler for Judge {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let (name, passed) = report::read(message);
        let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        self.reports += 1;
        self.record(core::str::from_utf8(&name[..length]).unwrap_or("?"), passed);
        Ok(MessageInfo::default())
    }

    fn fault(&mut self, child: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let expected = FAULTS.get(self.mode).filter(|_| child == FAULTY);
        let Some(expected) = expected else {
            let words: [u64; 5] = core::array::from_fn(get_mr);
            let _ = writeln!(self.uart, "child {} faulted: {message:?} {words:x?}", child.id());
            self.failed += 1;
            return Ok(None);
        };
        self.check_fault(expected, message);
        Ok(self.next())
    }
}
