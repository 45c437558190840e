//! From the first instruction in Rust to the first thread.

use crate::log::Log;
use crate::machine::Machine;
use crate::{
    Console, apic, boot, calibrate, cpu, descriptors, entry, features, fpu, interrupts, io_apic, linear,
    memory_test, mmu, percpu,
};
use core::fmt::{Arguments, Write};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use kernel_arch_common as common;
use kernel_core::Id;
use kernel_core::pc::{Apics, BootInfo, Options, Physical};
use kernel_spec::Spec;

/// What the board gives.
pub struct Platform {
    /// Physical address of the image.
    pub image: u64,
    /// Version to print.
    pub version: &'static str,
}

use crate::cpu::halt;

/// The core that starts next; `boot` reads it.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
static cloister_next_core: AtomicU32 = AtomicU32::new(0);
/// Cores that are up beside the first.
static UP: AtomicUsize = AtomicUsize::new(0);
/// The first core has finished.
static GO: AtomicBool = AtomicBool::new(false);

fn refuse(why: Arguments<'_>) -> ! {
    let _ = writeln!(Console, "cloister: cannot start: {why}");
    halt()
}

/// The first 4 GiB, which the boot tables map.
struct Low;

impl Physical for Low {
    fn read(&self, address: u64, out: &mut [u8]) -> bool {
        let inside = address.checked_add(out.len() as u64).is_some_and(|end| end <= linear::END);
        if inside {
            let from = linear::address(address) as *const u8;
            for (index, byte) in out.iter_mut().enumerate() {
                // SAFETY: the boot tables map the first 4 GiB; whatever is read is checked.
                *byte = unsafe { from.add(index).read_volatile() };
            }
        }
        inside
    }
}

/// Starts the system on the first core.
///
/// # Safety
/// Once, from the boot code, with the boot tables on; `magic` and `info` are what the boot loader left.
pub unsafe fn start(platform: &Platform, magic: u32, info: u32) -> ! {
    crate::console::init();
    descriptors::init();
    // SAFETY: our caller promised to be the boot code of the first core.
    unsafe { percpu::init(0) };
    if let Some(name) = features::missing() {
        refuse(format_args!("this processor lacks {name}: use another one (-cpu qemu64,+{name})"));
    }
    features::detect();
    features::enable();
    let boot = BootInfo::read(&Low, magic, info.into(), platform.image)
        .unwrap_or_else(|why| refuse(format_args!("{why}")));
    let options = options(&boot);
    let log = Log(options.verbose);
    log.boot(&boot);
    let apics = Apics::read(&Low, boot.rsdp).unwrap_or_else(|why| refuse(format_args!("{why}")));
    log.apics(&apics);
    let spec = common::description(linear::BASE).unwrap_or_else(|why| refuse(format_args!("{why}")));
    let end = boot.ram.1.min(linear::END);
    // Firmware keeps a little at the end of RAM for itself.
    let around = boot.ram.0 + (1 << 20);
    common::needs(&spec, (boot.ram.0, end), around, apics.core_count)
        .unwrap_or_else(|why| refuse(format_args!("{why}")));
    let devices = apics.io[..apics.io_count].iter().map(|io| io.address).chain([apics.local]);
    mmu::init(devices, end);
    if options.memory_test {
        memory_test::run(&spec);
    }
    for range in spec.zero {
        mmu::zero(range.paddr.get(), range.size.get());
    }
    io_apic::init(&apics);
    apic::init(apics.local);
    fpu::init();
    log.processor();
    let ticks_per_us = clock();
    log.line(format_args!("clock: {ticks_per_us} ticks in a microsecond"));
    start_core(0);
    make_threads(spec, ticks_per_us);
    log.system(&spec);
    let cores = spec.header.cores.get() as usize;
    let _ = writeln!(
        Console,
        "Cloister {} (x86-64): {cores} core{}, {} MiB RAM, {} protection domains",
        platform.version,
        if cores == 1 { "" } else { "s" },
        (end - boot.ram.0) >> 20,
        spec.pds.len()
    );
    start_others(&apics, cores);
    interrupts::route(&spec).unwrap_or_else(|why| refuse(format_args!("{why}")));
    common::set_count(cores);
    GO.store(true, Ordering::Release);
    run(0)
}

/// What a person asked the boot loader to pass on.
fn options(boot: &BootInfo) -> Options {
    if let Some(word) = boot.command.unknown() {
        let _ = writeln!(Console, "cloister: boot option `{word}` is not known; known are verbose, memtest");
    }
    boot.command.options()
}

/// Ticks of the clock in a microsecond.
fn clock() -> u64 {
    let Some(rates) = calibrate::measure() else {
        refuse(format_args!("the 8254 timer does not run, so the clock's rate is not known"));
    };
    apic::set_rate(rates.timer.0, rates.timer.1);
    ((rates.clock + 500_000) / 1_000_000).max(1)
}

/// Starts a further core.
///
/// # Safety
/// From the boot code of that core, with the boot tables on.
#[unsafe(no_mangle)]
unsafe extern "C" fn cloister_start_secondary(index: u32) -> ! {
    let index = index as usize;
    // SAFETY: our caller promised to be this core's boot code.
    unsafe { percpu::init(index) };
    features::enable();
    mmu::adopt();
    start_core(index);
    UP.fetch_add(1, Ordering::Release);
    while !GO.load(Ordering::Acquire) {
        cpu::relax();
    }
    run(index)
}

fn start_core(index: usize) {
    fpu::init_core();
    apic::init_core(index);
}

fn run(index: usize) -> ! {
    let mut guard = common::lock::<Machine>();
    guard.kernel().enter(index);
    let context = common::leave(guard, index);
    // SAFETY: the context belongs to a thread of this core, whose address space `leave` loaded.
    unsafe { entry::cloister_resume(context) }
}

fn make_threads(spec: Spec<'static>, ticks_per_us: u64) {
    let mut guard = common::lock::<Machine>();
    let kernel = guard.kernel();
    if let Err(error) = kernel.configure(&spec, ticks_per_us) {
        refuse(format_args!("the system description is bad: {error:?}; rebuild the image"));
    }
    kernel.arch.set_spec(spec);
    let mut pool = mmu::Pool::new(&spec);
    for (index, pd) in spec.pds.iter().enumerate() {
        let Some(id) = Id::of_pd(index) else { continue };
        match mmu::space(&mut pool, &spec, index) {
            Ok(base) => kernel.arch.prepare(id, pd, base),
            Err(error) => {
                refuse(format_args!("cannot map {}: {error:?}; rebuild the image", spec.name(index)))
            }
        }
    }
}

/// Clock ticks that a core gets to start.
const PATIENCE: u64 = 1 << 32;

fn start_others(apics: &Apics, cores: usize) {
    if cores > 1 {
        let (from, end) = (&raw const boot::cloister_trampoline, &raw const boot::cloister_trampoline_end);
        let to = linear::address(boot::TRAMPOLINE) as *mut u8;
        // SAFETY: the trampoline is smaller than its page, which is RAM below 1 MiB that nobody uses any more.
        unsafe { to.copy_from_nonoverlapping(from, end.addr() - from.addr()) };
    }
    let own = apic::id();
    let listed = &apics.cores[..apics.core_count.min(apics.cores.len())];
    for (index, id) in (1..cores).zip(listed.iter().filter(|id| **id != own)) {
        cloister_next_core.store(index as u32, Ordering::Release);
        apic::reset(*id);
        let begin = cpu::tsc();
        while cpu::tsc() - begin < 20_000_000 {
            cpu::relax();
        }
        apic::start(*id, boot::TRAMPOLINE);
        let begin = cpu::tsc();
        while UP.load(Ordering::Acquire) < index {
            cpu::relax();
            if cpu::tsc() - begin > PATIENCE {
                refuse(format_args!("core {index} (APIC {id}) does not start"));
            }
        }
    }
}
