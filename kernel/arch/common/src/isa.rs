//! What the common paths ask of an instruction set beside [`Arch`].

use crate::Locked;
use kernel_core::{Arch, Id, Kernel};

/// An instruction set's machine.
pub trait Isa: Arch + Sized + 'static {
    /// What told of an interrupt, where the processor says it at the entry.
    type Event: Copy;
    /// The one kernel.
    fn kernel() -> &'static Locked<Self>;
    /// Where a thread's registers lie.
    fn context(thread: Id) -> *const Self::Frame;
    /// One turn of waiting for another core.
    fn relax();
    /// Waits for an interrupt, without the lock.
    fn wait() -> Self::Event;
    /// Answers an interrupt.
    fn interrupt(kernel: &mut Kernel<Self>, core: usize, event: Self::Event);
}
