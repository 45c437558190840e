//! From the first instruction in Rust to the first thread.

use crate::machine::Machine;
use crate::percpu;
use crate::registers::{isb, write};
use crate::{Console, gic, linear, mmu, psci, trap, vectors};
use core::fmt::{Arguments, Write};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use kernel_arch_common as common;
use kernel_core::Id;
use kernel_core::device_tree::{self, Facts};
use kernel_spec::Spec;

/// What the board gives.
pub struct Platform {
    /// Physical address of the PL011.
    pub uart: u64,
    /// Physical address of the GICv2 distributor.
    pub gic_distributor: u64,
    /// Physical address of the GICv2 CPU interface.
    pub gic_interface: u64,
    /// Version to print.
    pub version: &'static str,
}

/// Cores that are up beside the first.
static UP: AtomicUsize = AtomicUsize::new(0);
/// The first core has finished.
static GO: AtomicBool = AtomicBool::new(false);

/// Stops this core for ever.
pub fn halt() -> ! {
    loop {
        // SAFETY: interrupts stay masked, so this waits for ever or spins.
        unsafe { core::arch::asm!("wfi", options(nostack, preserves_flags)) }
    }
}

fn refuse(why: Arguments<'_>) -> ! {
    let _ = writeln!(Console, "cloister: cannot start: {why}");
    halt()
}

/// Starts the system on the first core.
///
/// # Safety
/// Once, from the boot code, with the boot tables on.
pub unsafe fn start(platform: &Platform, tree: u64) -> ! {
    // SAFETY: our caller promised to be the boot code of the first core.
    unsafe { percpu::init(0) };
    set_vectors();
    crate::console::init(platform.uart);
    let facts = facts(tree);
    let spec = common::description(linear::BASE).unwrap_or_else(|why| refuse(format_args!("{why}")));
    let (base, end) = check(&spec, &facts);
    mmu::init(&[platform.uart, platform.gic_distributor, platform.gic_interface], (base, end));
    for range in spec.zero {
        mmu::zero(range.paddr.get(), range.size.get());
    }
    gic::init(platform.gic_distributor, platform.gic_interface);
    make_threads(spec);
    start_core();
    let cores = spec.header.cores.get() as usize;
    let _ = writeln!(
        Console,
        "Cloister {} (aarch64): {cores} core{}, {} MiB RAM, {} protection domains",
        platform.version,
        if cores == 1 { "" } else { "s" },
        (end - base) >> 20,
        spec.pds.len()
    );
    start_others(&facts, cores);
    common::set_count(cores);
    GO.store(true, Ordering::Release);
    run(0)
}

/// Starts a further core.
///
/// # Safety
/// From the boot code of that core, with the boot tables on.
#[unsafe(no_mangle)]
unsafe extern "C" fn cloister_start_secondary(index: usize) -> ! {
    // SAFETY: our caller promised to be this core's boot code.
    unsafe { percpu::init(index) };
    mmu::adopt();
    set_vectors();
    start_core();
    UP.fetch_add(1, Ordering::Release);
    while !GO.load(Ordering::Acquire) {
        crate::registers::relax();
    }
    run(index)
}

fn run(index: usize) -> ! {
    let mut guard = common::lock::<Machine>();
    guard.kernel().enter(index);
    let context = common::leave(guard, index);
    // SAFETY: the context belongs to a thread of this core, whose address space `leave` loaded.
    unsafe { vectors::cloister_resume(context) }
}

fn set_vectors() {
    // SAFETY: the table is in the kernel's code.
    unsafe { write!("vbar_el1", &raw const vectors::cloister_vectors) };
    isb();
}

fn facts(tree: u64) -> Facts {
    if tree == 0 || !tree.is_multiple_of(8) {
        refuse(format_args!("the boot loader passed no device tree in x0"));
    }
    // SAFETY: the boot loader's tree lies in RAM, which the boot tables map; nobody writes it.
    let header = unsafe { core::slice::from_raw_parts(linear::address(tree) as *const u8, 8) };
    let size = device_tree::total_size(header).filter(|size| *size <= 2 << 20);
    let Some(size) = size else { refuse(format_args!("there is no device tree at {tree:#x}")) };
    // SAFETY: as above, for the size that the tree names, which is bounded.
    let bytes = unsafe { core::slice::from_raw_parts(linear::address(tree) as *const u8, size) };
    device_tree::read(bytes)
        .unwrap_or_else(|| refuse(format_args!("the device tree at {tree:#x} is damaged")))
}

/// Whether this machine has what the description needs; the range of its RAM.
fn check(spec: &Spec<'_>, facts: &Facts) -> (u64, u64) {
    let Some((base, size)) = facts.memory else {
        refuse(format_args!("the device tree names no memory"));
    };
    let end = base.saturating_add(size);
    common::needs(spec, (base, end), 0, facts.core_count).unwrap_or_else(|why| refuse(format_args!("{why}")));
    (base, end & !((2 << 20) - 1))
}

fn make_threads(spec: Spec<'static>) {
    let mut guard = common::lock::<Machine>();
    let kernel = guard.kernel();
    let ticks_per_us = (crate::registers::read!("cntfrq_el0") / 1_000_000).max(1);
    if let Err(error) = kernel.configure(&spec, ticks_per_us) {
        refuse(format_args!("the system description is bad: {error:?}; rebuild the image"));
    }
    kernel.arch.set_spec(spec);
    let mut pool = mmu::Pool::new(&spec);
    for (index, pd) in spec.pds.iter().enumerate() {
        let Some(id) = Id::of_pd(index) else { continue };
        match mmu::space(&mut pool, &spec, index) {
            Ok(base) => kernel.arch.prepare(id, pd, spec.irqs, base),
            Err(error) => {
                refuse(format_args!("cannot map {}: {error:?}; rebuild the image", spec.name(index)))
            }
        }
    }
    for end in spec.irqs {
        let core = spec.pds.get(usize::from(end.pd.get())).map_or(0, |pd| usize::from(pd.core));
        gic::configure(end.irq.get(), end.edge != 0, core);
    }
}

/// The executing core's interrupts and timer.
fn start_core() {
    gic::init_core();
    gic::unmask(trap::VIRTUAL_TIMER);
    // SAFETY: the virtual timer belongs to the kernel; it fires when a deadline is set.
    unsafe {
        write!("cntv_cval_el0", u64::MAX);
        write!("cntv_ctl_el0", 1u64);
        write!("cntp_ctl_el0", 0u64);
    }
    // SAFETY: EL0 gets neither performance counters nor debug channels; both are unknown after reset.
    unsafe {
        write!("pmuserenr_el0", 0u64);
        write!("mdscr_el1", 0u64);
    }
    // SAFETY: EL0 may use the FPU at first on no core; `percpu::init` says it is on, so turn it off for both.
    unsafe { percpu::this() }.fpu_on = false;
    crate::fpu::allow(false);
}

fn start_others(facts: &Facts, cores: usize) {
    let own = crate::registers::read!("mpidr_el1") & 0xff_00ff_ffff;
    let others = facts.cores[..facts.core_count].iter().filter(|affinity| **affinity != own);
    let Some(conduit) = facts.psci else {
        if cores > 1 {
            refuse(format_args!("the device tree names no PSCI to start {} cores with", cores - 1));
        }
        return;
    };
    for (index, affinity) in (1..cores).zip(others) {
        let entry = linear::physical(crate::boot::cloister_secondary as *const u8);
        let result = psci::cpu_on(conduit, *affinity, entry, index as u64);
        if result != 0 {
            refuse(format_args!("core {index} does not start: PSCI error {result}"));
        }
        while UP.load(Ordering::Acquire) < index {
            crate::registers::relax();
        }
    }
}
