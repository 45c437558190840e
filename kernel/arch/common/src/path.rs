//! Ways into the kernel and the one way out. `core` is the executing core's number; every way gives the context to
//! continue with.

use crate::Isa;
use crate::cores::{entered, left};
use crate::lock::{Guard, lock};
use kernel_core::Kernel;

/// The thread's registers are saved: takes the lock.
#[inline(always)]
fn enter<M: Isa>(core: usize) -> Guard<M> {
    entered(core);
    lock()
}

/// Chooses what runs next and lets the lock go; waits for an interrupt while there is nothing.
#[inline(always)]
pub fn leave<M: Isa>(mut guard: Guard<M>, core: usize) -> *const M::Frame {
    guard.kernel().schedule();
    loop {
        if let Some(id) = guard.kernel().current() {
            left(core);
            return M::context(id);
        }
        guard = idle(guard, core);
    }
}

/// Waits for one interrupt and answers it.
#[cold]
fn idle<M: Isa>(guard: Guard<M>, core: usize) -> Guard<M> {
    drop(guard);
    let event = M::wait();
    let mut guard = lock();
    guard.kernel().enter(core);
    M::interrupt(guard.kernel(), core, event);
    guard.kernel().schedule();
    guard
}

/// A system call of the current thread.
#[inline(always)]
pub fn syscall<M: Isa>(core: usize) -> *const M::Frame {
    let mut guard = enter::<M>(core);
    if !guard.kernel().enter(core) {
        return leave(guard, core);
    }
    if guard.kernel().fast_syscall()
        && let Some(id) = guard.kernel().current()
    {
        left(core);
        return M::context(id);
    }
    slow_syscall(guard, core)
}

#[inline(never)]
fn slow_syscall<M: Isa>(mut guard: Guard<M>, core: usize) -> *const M::Frame {
    guard.kernel().syscall();
    leave(guard, core)
}

/// An interrupt while a thread ran.
#[inline(always)]
pub fn interrupt<M: Isa>(core: usize, event: M::Event) -> *const M::Frame {
    let mut guard = enter::<M>(core);
    guard.kernel().enter(core);
    M::interrupt(guard.kernel(), core, event);
    leave(guard, core)
}

/// An exception of the current thread, which `answer` turns into a fault.
#[inline(always)]
pub fn exception<M: Isa>(core: usize, answer: impl FnOnce(&mut Kernel<M>)) -> *const M::Frame {
    let mut guard = enter::<M>(core);
    if guard.kernel().enter(core) {
        answer(guard.kernel());
    }
    leave(guard, core)
}
