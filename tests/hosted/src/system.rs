//! A whole system inside the test process: the description, its memory, its PDs, and chance.

use crate::kernel::{Event, PdKernel, deliver};
use crate::memory::Memory;
use crate::program::{Init, Program};
use crate::wiring::{Wiring, wire};
use crate::world::{Device, Killed, Letter, Life, Wire, World};
use ipc_abi::fault;
use ipc_pd::{Channel, Child, health, hosted};
use ipc_protocol::Name;
use ipc_protocol::platform::{self, PdFacts, Platform, RegionFacts};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use tools_sysgen::{Description, SearchPath};

/// Most steps of one wait: what has not happened by then never will, although PDs are busy.
const STEPS: u64 = 2_000_000;

/// A running system.
pub struct System {
    world: Arc<World>,
    memories: Vec<Memory>,
    wirings: Vec<Arc<Wiring>>,
    programs: Vec<Option<Init>>,
    threads: Vec<Vec<JoinHandle<()>>>,
    description: tools_sysgen::System,
}

/// The repository's system description on `cores` cores, with regions of other sizes where a test wants that.
///
/// # Panics
/// With the problems of the description.
pub fn description(cores: u8, sizes: &[(&str, u64)]) -> tools_sysgen::System {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../system.xml");
    let resolve = || {
        let mut description = Description::read(&path)?;
        description.limit_cores(cores);
        for (region, size) in sizes {
            description.set_region_size(region, *size)?;
        }
        description.resolve(&tools_sysgen::board("qemu_virt_aarch64")?, &SearchPath::default())
    };
    resolve().unwrap_or_else(|problems| panic!("\n{problems}"))
}

impl System {
    /// Memory and capabilities as `description` says; no PD has a program yet.
    ///
    /// # Panics
    /// When the operating system gives no memory.
    pub fn new(description: tools_sysgen::System, seed: u64) -> Self {
        let (memories, wirings) = wire(&description).expect("memory for the regions");
        let world = Arc::new(World::new(&description, seed));
        let count = description.pds.len();
        let threads = (0..count).map(|_| Vec::new()).collect();
        let system = Self { world, memories, wirings, programs: vec![None; count], threads, description };
        system.write_platform();
        system
    }

    /// Fills the beginning of a region, as the image builder does before anything runs.
    ///
    /// # Panics
    /// When there is no such region.
    pub fn fill(&self, region: &str, bytes: &[u8]) {
        let memory = self.memories.iter().zip(&self.description.regions).find(|(_, r)| r.name == region);
        let mapping = memory.expect("a region of the description").0.map(true).expect("a mapping");
        mapping.as_writable().expect("mapped writable").copy_in(0, bytes);
    }

    /// Fills the platform page as the image builder does.
    fn write_platform(&self) {
        let name = |text: &str| Name::new(text.as_bytes());
        let pds = self.description.pds.iter().map(|pd| PdFacts {
            name: name(&pd.name),
            child: if pd.parent.is_some() { pd.child_id } else { u8::MAX },
            core: pd.cpu,
            priority: pd.priority,
            memory: pd.stack_size,
        });
        let regions = self.description.regions.iter();
        let regions = regions.map(|region| RegionFacts { name: name(&region.name), size: region.size });
        let platform = Platform {
            version: name("hosted"),
            board: name("qemu_virt_aarch64"),
            kernel: name("host"),
            cpu_features: 0,
            cores: u32::from(self.description.cores()),
            ram: 1 << 30,
            kernel_bytes: 0,
            pds: pds.take(32).collect(),
            regions: regions.take(64).collect(),
        };
        let mut bytes = vec![0; platform::REGION];
        platform.encode(&mut bytes).expect("the platform page holds the system");
        self.fill("platform", &bytes);
    }

    /// The resolved description.
    pub fn description(&self) -> &tools_sysgen::System {
        &self.description
    }

    /// A PD's index.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn pd(&self, name: &str) -> usize {
        self.description.pd(name).unwrap_or_else(|| panic!("no PD '{name}'"))
    }

    /// The regions of a PD.
    pub fn wiring(&self, name: &str) -> &Wiring {
        &self.wirings[self.pd(name)]
    }

    /// Gives a PD its program and starts it.
    pub fn start(&mut self, name: &str, program: Init) {
        let pd = self.pd(name);
        self.programs[pd] = Some(program);
        self.spawn(pd);
    }

    /// A PD's program.
    ///
    /// # Panics
    /// When it has none.
    pub fn program(&self, name: &str) -> Init {
        self.programs[self.pd(name)].clone().expect("the PD has a program")
    }

    /// Gives a PD another program from its next start on.
    pub fn replace(&mut self, name: &str, program: Init) {
        let pd = self.pd(name);
        self.programs[pd] = Some(program);
    }

    /// Wires a device's interrupt, by the id that the description gives it.
    pub fn attach(&mut self, name: &str, id: u8, device: Arc<dyn Device>) {
        let pd = self.pd(name);
        self.world.lock().wires.push(Wire { pd, id, device, masked: false });
    }

    fn spawn(&mut self, pd: usize) {
        let Some(program) = self.programs[pd].clone() else { return };
        let start = self.world.lock().pds[pd].start;
        let (world, wiring) = (self.world.clone(), self.wirings[pd].clone());
        let earlier = std::mem::take(&mut self.threads[pd]);
        self.world.wake_all();
        let run = move || {
            earlier.into_iter().for_each(|thread| drop(thread.join()));
            wiring.start_again(start);
            live(&Rc::new(PdKernel { world, wiring, pd, start }), &program);
        };
        let name = self.description.pds[pd].name.clone();
        let builder = std::thread::Builder::new().name(name).stack_size(4 << 20);
        self.threads[pd].push(builder.spawn(run).expect("a thread for the PD"));
    }

    /// Lets one PD run for one stretch, or time pass; `false` when nothing will ever happen again.
    pub fn step(&mut self) -> bool {
        let mut state = self.world.lock();
        let to_start = std::mem::take(&mut state.to_start);
        drop(state);
        to_start.into_iter().for_each(|pd| self.spawn(pd));
        state = self.world.lock();
        state.deliver_late(false);
        state.raise_interrupts();
        let started = |pd: &usize| self.programs[*pd].is_some();
        let runnable: Vec<_> = state.runnable().into_iter().filter(started).collect();
        if runnable.is_empty() {
            let late = state.pds.iter().any(|pd| pd.late != 0);
            state.deliver_late(true);
            let alarm = state.next_alarm().filter(|_| !late);
            state.now = alarm.unwrap_or(0).max(state.now + 10);
            return late || alarm.is_some() || !state.to_start.is_empty();
        }
        state.now += state.random.below(20);
        let next = state.random.pick(&runnable);
        self.world.let_run(state, next);
        true
    }

    /// Steps until `done`, at most for `micros` of the system's time or [`STEPS`]; says whether `done` came true.
    pub fn run_until(&mut self, micros: u64, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now() + micros;
        for _ in 0..STEPS {
            if done(self) {
                return true;
            }
            if self.now() > end || !self.step() {
                break;
            }
        }
        done(self)
    }

    /// Steps for `micros` of the system's time.
    pub fn run_for(&mut self, micros: u64) {
        self.run_until(micros, |_| false);
    }

    /// The system's clock in microseconds.
    pub fn now(&self) -> u64 {
        self.world.lock().now
    }

    /// A number below `bound` from the system's chance.
    pub fn below(&self, bound: u64) -> u64 {
        self.world.lock().random.below(bound)
    }

    /// Whether a PD may run.
    pub fn life(&self, name: &str) -> Life {
        self.world.lock().pds[self.pd(name)].life
    }

    /// Starts of a PD so far, after the first.
    pub fn restarts(&self, name: &str) -> u64 {
        self.world.lock().pds[self.pd(name)].start
    }

    /// A memory fault happens in a PD, wherever it is.
    pub fn fault(&mut self, name: &str) {
        let pd = self.pd(name);
        self.world.lock().memory_fault(pd);
        self.world.wake_all();
    }

    /// A PD loses its memory of everything but its regions, without anybody being told.
    pub fn restart(&mut self, name: &str) {
        let pd = self.pd(name);
        self.world.lock().restart(pd);
        self.world.wake_all();
    }

    /// A PD stops doing anything, wherever it is.
    pub fn hang(&mut self, name: &str) {
        let pd = self.pd(name);
        self.world.lock().pds[pd].hangs = true;
    }

    /// Signals a PD on a channel, as its peer may at any time.
    pub fn poke(&mut self, name: &str, channel: u8) {
        let pd = self.pd(name);
        self.world.lock().pds[pd].pending |= 1 << channel;
    }

    /// Panics of PDs so far.
    pub fn panics(&self) -> Vec<String> {
        self.world.lock().panics.clone()
    }

    /// Fails the test when a PD has panicked.
    ///
    /// # Panics
    /// Then, with the last events.
    pub fn assert_no_panic(&self) {
        let panics = self.panics();
        assert!(panics.is_empty(), "{panics:?}\n{}", self.recent());
    }

    /// The last things that happened.
    pub fn recent(&self) -> String {
        self.world.lock().recent()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.world.lock().closing = true;
        self.world.wake_all();
        for thread in self.threads.iter_mut().flat_map(std::mem::take) {
            let _ = thread.join();
        }
    }
}

/// A PD's life from one start to its end.
fn live(kernel: &Rc<PdKernel>, program: &Init) {
    let run = || {
        drop(kernel.world.wait_turn(kernel.world.lock(), kernel.pd, kernel.start));
        hosted::enter(kernel.clone(), || {
            health::started(0x20_0000);
            let mut handler = program(&kernel.wiring);
            kernel.start_up();
            loop {
                serve(kernel, &mut *handler);
            }
        })
    };
    let Err(end) = catch_unwind(AssertUnwindSafe(run));
    if end.is::<Killed>() {
        return;
    }
    let text = end.downcast_ref::<String>().map(String::as_str).or(end.downcast_ref::<&str>().copied());
    let mut state = kernel.world.lock();
    let line = format!("{} panicked: {}", state.pds[kernel.pd].name, text.unwrap_or("?"));
    state.panics.push(line);
    state.fault(kernel.pd, (fault::USER_EXCEPTION, vec![0x20_0000, 0, 0, 0, 0]));
    kernel.world.give_back(&mut state);
}

fn serve(kernel: &Rc<PdKernel>, handler: &mut dyn Program) {
    match kernel.receive() {
        Event::Notified(bits) => handler.notified(bits),
        Event::Letter(Letter::Call { from, start, channel, message }) => {
            let message = deliver(&message);
            let answer = handler.protected(Channel::new(channel), message);
            kernel.reply(from, start, answer);
        }
        Event::Letter(Letter::Fault { child, message }) => {
            let message = deliver(&message);
            handler.fault(Child::new(child), message);
        }
    }
}
