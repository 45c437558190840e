//! GICv2 (Arm IHI 0048B): distributor and CPU interface.

use core::sync::atomic::{AtomicUsize, Ordering};

static DISTRIBUTOR: AtomicUsize = AtomicUsize::new(0);
static INTERFACE: AtomicUsize = AtomicUsize::new(0);

const CTLR: usize = 0x000;
const TYPER: usize = 0x004;
const ISENABLER: usize = 0x100;
const ICENABLER: usize = 0x180;
const ICPENDR: usize = 0x280;
const IPRIORITYR: usize = 0x400;
const ITARGETSR: usize = 0x800;
const ICFGR: usize = 0xc00;
const SGIR: usize = 0xf00;

const C_CTLR: usize = 0x00;
const C_PMR: usize = 0x04;
const C_IAR: usize = 0x0c;
const C_EOIR: usize = 0x10;

/// Software interrupt: run the scheduler.
pub(crate) const SGI_KICK: u32 = 0;
/// First number that is no interrupt.
pub(crate) const SPURIOUS: u32 = 1020;

fn read(base: &AtomicUsize, register: usize) -> u32 {
    // SAFETY: `init` was given the board's GIC, which the linear map covers as device memory.
    unsafe { ((base.load(Ordering::Relaxed) + register) as *const u32).read_volatile() }
}

fn write(base: &AtomicUsize, register: usize, value: u32) {
    // SAFETY: as above.
    unsafe { ((base.load(Ordering::Relaxed) + register) as *mut u32).write_volatile(value) }
}

/// Sets where the GIC is and brings the distributor into a known state: everything disabled and not pending.
pub(crate) fn init(distributor: u64, interface: u64) {
    DISTRIBUTOR.store(crate::linear::address(distributor), Ordering::Relaxed);
    INTERFACE.store(crate::linear::address(interface), Ordering::Relaxed);
    write(&DISTRIBUTOR, CTLR, 0);
    let lines = (read(&DISTRIBUTOR, TYPER) as usize & 31) + 1;
    for bank in 1..lines {
        write(&DISTRIBUTOR, ICENABLER + bank * 4, u32::MAX);
        write(&DISTRIBUTOR, ICPENDR + bank * 4, u32::MAX);
        for word in bank * 8..bank * 8 + 8 {
            write(&DISTRIBUTOR, IPRIORITYR + word * 4, 0x8080_8080);
        }
    }
    write(&DISTRIBUTOR, CTLR, 1);
}

/// The executing core's private interrupts and its CPU interface.
pub(crate) fn init_core() {
    write(&DISTRIBUTOR, ICENABLER, 0xffff_0000);
    write(&DISTRIBUTOR, ICPENDR, 0xffff_0000);
    for word in 0..8 {
        write(&DISTRIBUTOR, IPRIORITYR + word * 4, 0x8080_8080);
    }
    write(&INTERFACE, C_PMR, 0xf0);
    write(&INTERFACE, C_CTLR, 1);
}

/// Trigger and target of a shared interrupt; it stays masked.
pub(crate) fn configure(irq: u32, edge: bool, core: usize) {
    let irq = irq as usize;
    if irq >= 32 {
        let shift = irq % 4 * 8;
        let old = read(&DISTRIBUTOR, ITARGETSR + irq / 4 * 4);
        write(&DISTRIBUTOR, ITARGETSR + irq / 4 * 4, old & !(0xff << shift) | 1 << core << shift);
        let shift = irq % 16 * 2 + 1;
        let old = read(&DISTRIBUTOR, ICFGR + irq / 16 * 4);
        write(&DISTRIBUTOR, ICFGR + irq / 16 * 4, old & !(1 << shift) | u32::from(edge) << shift);
    }
}

/// Lets a line be delivered; a private one on the executing core.
pub(crate) fn unmask(irq: u32) {
    write(&DISTRIBUTOR, ISENABLER + irq as usize / 32 * 4, 1 << (irq % 32));
}

/// Holds a line back; a private one on the executing core.
pub(crate) fn mask(irq: u32) {
    write(&DISTRIBUTOR, ICENABLER + irq as usize / 32 * 4, 1 << (irq % 32));
}

/// Interrupts other cores.
pub(crate) fn send(sgi: u32, core: usize) {
    crate::registers::dsb();
    write(&DISTRIBUTOR, SGIR, 1 << (16 + core) | sgi);
}

/// Takes the pending interrupt: the word that [`end`] wants; its low ten bits are the number.
pub(crate) fn take() -> u32 {
    read(&INTERFACE, C_IAR)
}

/// The interrupt was taken care of.
pub(crate) fn end(taken: u32) {
    write(&INTERFACE, C_EOIR, taken);
}
