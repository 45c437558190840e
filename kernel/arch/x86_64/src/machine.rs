//! What `kernel-core` asks of x86-64.

use crate::context::{CONTEXTS, Context};
use crate::cpu::{self, msr, read_msr, write_msr};
use crate::features::{self, FS_GS};
use crate::percpu::{self, PerCore};
use crate::{Console, apic, fpu, io_apic, mmu, port};
use kernel_arch_common::{Buffer, Isa, Locked, in_kernel};
use kernel_core::{Arch, Fault, Id, Kernel, OBJECTS, Table};
use kernel_spec::{Pd, Spec};

/// What a thread needs beyond its registers. Zero when unused.
#[derive(Clone, Copy)]
struct Space {
    /// Physical address of its top table.
    base: u64,
    fpu: bool,
}

/// The machine.
pub(crate) struct Machine {
    buffers: Table<Buffer>,
    spaces: Table<Space>,
    spec: Option<Spec<'static>>,
}

impl Machine {
    /// Without threads.
    const NEW: Self = Self {
        buffers: Table([Buffer::NONE; OBJECTS]),
        spaces: Table([Space { base: 0, fpu: false }; OBJECTS]),
        spec: None,
    };

    /// Keeps the description, for names.
    pub(crate) fn set_spec(&mut self, spec: Spec<'static>) {
        self.spec = Some(spec);
    }

    /// Sets a thread up: its first registers, its IPC buffer and its address space.
    pub(crate) fn prepare(&mut self, id: Id, pd: &Pd, base: u64) {
        self.spaces[id] = Space { base, fpu: pd.flags & Pd::FPU != 0 };
        let address = crate::linear::address(pd.ipc_buffer_phys.get());
        // SAFETY: the description gives each PD a page of RAM for its buffer; the kernel checked that it lies in RAM.
        self.buffers[id] = unsafe { Buffer::new(address) };
        *self.frame(id) = Context::start(pd.entry.get(), pd.stack_top.get());
    }

    /// A PD's name.
    fn name(&self, id: Id) -> &'static str {
        self.spec.as_ref().map_or("?", |spec| spec.name(id.pd()))
    }

    fn unload(&mut self, core: &mut PerCore, old: Id) {
        if features::has(FS_GS) {
            // SAFETY: reading the bases has no effect; the thread's GS base is the other one while the kernel runs.
            (core.fs_base, core.gs_base) = unsafe { (read_msr(msr::FS_BASE), read_msr(msr::KERNEL_GS_BASE)) };
            let (fs_base, gs_base) = (core.fs_base, core.gs_base);
            let frame = self.frame(old);
            (frame.fs_base, frame.gs_base) = (fs_base, gs_base);
        }
        if core.fpu_on {
            fpu::save(old);
        }
    }

    /// FPU registers of the next thread, or none of anybody's.
    fn load_fpu(&self, core: &mut PerCore, thread: Option<Id>) {
        match thread.filter(|id| self.spaces[*id].fpu) {
            Some(id) => {
                if !core.fpu_on {
                    fpu::allow(true);
                }
                fpu::load(id);
                core.fpu_on = true;
            }
            None if core.fpu_on => {
                fpu::clear();
                fpu::allow(false);
                core.fpu_on = false;
            }
            None => {}
        }
    }

    fn load_bases(&mut self, core: &mut PerCore, id: Id) {
        let Context { fs_base, gs_base, .. } = *self.frame(id);
        // SAFETY: the bases act on the thread only, and `Context` holds canonical ones.
        unsafe {
            if core.fs_base != fs_base {
                write_msr(msr::FS_BASE, fs_base);
            }
            if core.gs_base != gs_base {
                write_msr(msr::KERNEL_GS_BASE, gs_base);
            }
        }
        (core.fs_base, core.gs_base) = (fs_base, gs_base);
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
        cpu::tsc()
    }

    #[inline(always)]
    fn set_deadline(&mut self, time: Option<u64>) {
        apic::set_deadline(time);
    }

    #[inline(always)]
    fn switch_to(&mut self, thread: Option<Id>) {
        // SAFETY: called under the kernel lock, and nobody up the stack holds such a reference.
        let core = unsafe { percpu::this() };
        if let Some(old) = core.loaded {
            self.unload(core, old);
        }
        core.loaded = thread;
        self.load_fpu(core, thread);
        let base = match thread {
            Some(id) => {
                self.load_bases(core, id);
                self.spaces[id].base
            }
            None => mmu::no_space(),
        };
        if core.space != base {
            core.space = base;
            // SAFETY: `prepare` was given what `mmu::space` made.
            unsafe { mmu::switch(base) };
        }
    }

    fn kick(&mut self, core: usize) {
        apic::kick(core);
    }

    fn stall(&mut self, core: usize) {
        apic::kick(core);
        while !in_kernel(core) {
            cpu::relax();
        }
    }

    fn unmask(&mut self, irq: u32, _: usize) {
        io_apic::unmask(irq);
    }

    fn read_port(&mut self, port: u16, bytes: u16) -> u32 {
        // SAFETY: the core of the kernel asks for ports that the description gives the caller.
        unsafe { port::read(port, bytes) }
    }

    fn write_port(&mut self, port: u16, bytes: u16, value: u32) {
        // SAFETY: as above.
        unsafe { port::write(port, bytes, value) }
    }

    #[cold]
    fn report(&mut self, thread: Id, fault: &Fault) {
        let name = self.name(thread);
        let pc = self.frame(thread).restart_pc;
        let writes = |status: u64| status >> 1 & 1 == 1;
        let _ = kernel_arch_common::report(&mut Console, name, pc, fault, writes);
    }
}

/// The one kernel.
static KERNEL: Locked<Machine> = Locked::new(Machine::NEW);

impl Isa for Machine {
    type Event = u64;

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
        cpu::relax();
    }

    fn wait() -> u64 {
        // SAFETY: the entry code notes the one interrupt that it lets through and masks them again.
        unsafe { core::arch::asm!("sti", "hlt", "cli", options(nostack)) };
        // SAFETY: the kernel is not in use, and the reference ends here.
        unsafe { percpu::this() }.pending
    }

    #[inline(always)]
    fn interrupt(kernel: &mut Kernel<Self>, _: usize, vector: u64) {
        crate::trap::interrupt(kernel, vector);
    }
}
