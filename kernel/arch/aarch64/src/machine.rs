//! What `kernel-core` asks of AArch64.

use crate::context::{CONTEXTS, Context};
use crate::percpu;
use crate::registers::{isb, read, write};
use crate::{Console, fpu, gic};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel_arch_common::{Buffer, Isa, Locked, are_several, in_kernel};
use kernel_core::{Arch, Fault, Id, Kernel, MAX_CORES, OBJECTS, Table};
use kernel_spec::{IrqEnd, Pd, Spec};

/// Private interrupts that a core is asked to unmask.
pub(crate) static UNMASK: [AtomicU32; MAX_CORES] = [const { AtomicU32::new(0) }; MAX_CORES];

/// EL0 may read the physical counter, and its frequency.
const CNTKCTL_COUNTER: u64 = 1;
/// EL0 may use the physical timer.
const CNTKCTL_TIMER: u64 = 1 << 9;
/// The physical timer's interrupt.
const PHYSICAL_TIMER: u32 = 30;

/// What a thread needs beyond its registers. Zero when unused.
#[derive(Clone, Copy)]
struct Space {
    /// `TTBR0_EL1`, with the ASID.
    base: u64,
    /// `CNTKCTL_EL1`.
    clock: u64,
    fpu: bool,
    /// Core plus one whose FPU registers are the newest of this thread.
    fpu_core: u8,
}

/// The machine.
pub(crate) struct Machine {
    buffers: Table<Buffer>,
    spaces: Table<Space>,
    spec: Option<Spec<'static>>,
}

impl Machine {
    /// Without threads.
    pub(crate) const NEW: Self = Self {
        buffers: Table([Buffer::NONE; OBJECTS]),
        spaces: Table([Space { base: 0, clock: 0, fpu: false, fpu_core: 0 }; OBJECTS]),
        spec: None,
    };

    /// Keeps the description, for names.
    pub(crate) fn set_spec(&mut self, spec: Spec<'static>) {
        self.spec = Some(spec);
    }

    /// Sets a thread up: its first registers, its IPC buffer and its translation base.
    pub(crate) fn prepare(&mut self, id: Id, pd: &Pd, irqs: &[IrqEnd], base: u64) {
        let timer =
            irqs.iter().any(|end| usize::from(end.pd.get()) == id.pd() && end.irq.get() == PHYSICAL_TIMER);
        self.spaces[id] = Space {
            base,
            clock: CNTKCTL_COUNTER | if timer { CNTKCTL_TIMER } else { 0 },
            fpu: pd.flags & Pd::FPU != 0,
            fpu_core: 0,
        };
        // SAFETY: the description gives each PD a page of RAM for its buffer; the kernel checked that it lies in RAM.
        self.buffers[id] = unsafe { Buffer::new(crate::linear::address(pd.ipc_buffer_phys.get())) };
        let entry = pd.entry.get();
        *self.frame(id) = Context { pc: entry, restart_pc: entry, sp: pd.stack_top.get(), ..Context::EMPTY };
    }

    /// Whether a PD may use the FPU. The first use after a switch traps; this answers the trap.
    pub(crate) fn grant_fpu(&mut self, id: Id) -> bool {
        if !self.spaces[id].fpu {
            return false;
        }
        // SAFETY: called under the kernel lock on the core that runs `id`.
        let core = unsafe { percpu::this() };
        fpu::allow(true);
        core.fpu_on = true;
        let here = core.index as u8 + 1;
        if core.fpu_owner != Some(id) || self.spaces[id].fpu_core != here {
            if let Some(old) = core.fpu_owner.filter(|_| !are_several()) {
                fpu::save(old);
            }
            fpu::load(id);
            core.fpu_owner = Some(id);
            self.spaces[id].fpu_core = here;
        }
        true
    }

    /// A PD's name.
    pub(crate) fn name(&self, id: Id) -> &'static str {
        self.spec.as_ref().map_or("?", |spec| spec.name(id.pd()))
    }

    fn unload(&self, core: &mut percpu::PerCore, id: Id) {
        let context = CONTEXTS.pointer(id);
        let tpidr = read!("tpidr_el0");
        // SAFETY: this core has `id` loaded, so its context belongs to this core.
        unsafe { (*context).tpidr = tpidr };
        // A thread that leaves a core may go on on another one, so its FPU registers are saved at once.
        if core.fpu_on && are_several() {
            fpu::save(id);
        }
    }
}

impl Arch for Machine {
    type Frame = Context;

    #[inline(always)]
    fn frame(&mut self, thread: Id) -> &mut Context {
        // SAFETY: the core holds the kernel lock and the core of `kernel-core` asks only for threads that do not
        // execute: the current one, whose registers are saved, or one that waits or was stalled. The borrow of
        // `self` makes this the only reference.
        unsafe { &mut *CONTEXTS.pointer(thread) }
    }

    #[inline(always)]
    fn buffer(&self, thread: Id, index: usize) -> u64 {
        self.buffers[thread].read(index)
    }

    #[inline(always)]
    fn set_buffer(&mut self, thread: Id, index: usize, value: u64) {
        self.buffers[thread].write(index, value);
    }

    #[inline(always)]
    fn copy_buffer(&mut self, from: Id, to: Id, length: usize) {
        self.buffers[from].copy_to(self.buffers[to], length);
    }

    #[inline(always)]
    fn now(&mut self) -> u64 {
        read!("cntvct_el0")
    }

    #[inline(always)]
    fn set_deadline(&mut self, time: Option<u64>) {
        // SAFETY: the virtual timer belongs to the kernel; it stays enabled and unmasked.
        unsafe { write!("cntv_cval_el0", time.unwrap_or(u64::MAX)) }
    }

    #[inline(always)]
    fn switch_to(&mut self, thread: Option<Id>) {
        // SAFETY: called under the kernel lock, and nobody up the stack holds such a reference.
        let core = unsafe { percpu::this() };
        if let Some(old) = core.loaded {
            self.unload(core, old);
        }
        core.loaded = thread;
        let (base, clock, tpidr, tpidrro) = match thread {
            Some(id) => {
                let Context { tpidr, tpidrro, .. } = *self.frame(id);
                (self.spaces[id].base, self.spaces[id].clock, tpidr, tpidrro)
            }
            None => (crate::mmu::no_space(), CNTKCTL_COUNTER, 0, 0),
        };
        let fpu_on = thread.is_some_and(|id| {
            core.fpu_owner == Some(id) && usize::from(self.spaces[id].fpu_core) == core.index + 1
        });
        // SAFETY: these registers act on EL0 only, which runs next with this thread's values; the lower half maps
        // nothing that the kernel uses.
        unsafe {
            write!("tpidr_el0", tpidr);
            write!("tpidrro_el0", tpidrro);
            write!("cntkctl_el1", clock);
            write!("ttbr0_el1", base);
        }
        isb();
        if fpu_on != core.fpu_on {
            core.fpu_on = fpu_on;
            fpu::allow(fpu_on);
        }
    }

    fn kick(&mut self, core: usize) {
        gic::send(gic::SGI_KICK, core);
    }

    fn stall(&mut self, core: usize) {
        gic::send(gic::SGI_KICK, core);
        while !in_kernel(core) {
            crate::registers::relax();
        }
    }

    fn unmask(&mut self, irq: u32, core: usize) {
        // SAFETY: called under the kernel lock.
        let here = unsafe { percpu::this() }.index;
        if irq >= 32 || core == here {
            gic::unmask(irq);
        } else if let Some(pending) = UNMASK.get(core) {
            pending.fetch_or(1 << irq, Ordering::Release);
            gic::send(gic::SGI_KICK, core);
        }
    }

    #[cold]
    fn report(&mut self, thread: Id, fault: &Fault) {
        let name = self.name(thread);
        let pc = self.frame(thread).restart_pc;
        let writes = |status: u64| status >> 6 & 1 == 1;
        let _ = kernel_arch_common::report(&mut Console, name, pc, fault, writes);
    }
}

/// The one kernel.
static KERNEL: Locked<Machine> = Locked::new(Machine::NEW);

impl Isa for Machine {
    type Event = ();

    #[inline(always)]
    fn kernel() -> &'static Locked<Self> {
        &KERNEL
    }

    #[inline(always)]
    fn context(thread: Id) -> *const Context {
        CONTEXTS.pointer(thread)
    }

    #[inline(always)]
    fn relax() {
        crate::registers::relax();
    }

    fn wait() {
        crate::registers::dsb();
        // SAFETY: waits for an interrupt, masked or not.
        unsafe { core::arch::asm!("wfi", options(nostack, preserves_flags)) };
    }

    #[inline(always)]
    fn interrupt(kernel: &mut Kernel<Self>, core: usize, (): ()) {
        crate::trap::interrupt(kernel, core);
    }
}
