//! The runtime's calls on the host: each test thread (or each turn of a scheduler) has a kernel of its own.
//!
//! One design rule: PD logic cannot tell the difference. [`enter`] installs the kernel of the PD whose turn it is;
//! channels, messages and the clock then go there.

use crate::channel::Channel;
use crate::message::MessageInfo;
use memory_region::Writable;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a hosted system gives a PD; slots are those of `ipc_abi::slot`.
pub trait HostKernel {
    /// The PD's name.
    fn name(&self) -> &'static str;
    /// Whether a notification channel with this id is wired.
    fn has_notify_channel(&self, channel: Channel) -> bool;
    /// A send on a capability slot.
    fn send(&self, slot: u64, message: MessageInfo);
    /// A call on a capability slot; message words are in [`crate::get_mr`] and [`crate::set_mr`].
    fn call(&self, slot: u64, message: MessageInfo) -> MessageInfo;
    /// Ticks of 1 µs.
    fn ticks(&self) -> u64;
    /// The PD's health page.
    fn health_page(&self) -> Option<Writable<'static>>;
    /// The next signals, for a PD that waits inside an event.
    fn wait(&self) -> u64 {
        panic!("this hosted kernel has nobody else to run while a PD waits")
    }
}

thread_local! {
    static KERNEL: RefCell<Option<Rc<dyn HostKernel>>> = const { RefCell::new(None) };
    static MESSAGE: [Cell<u64>; ipc_abi::MAX_MESSAGE] = const { [const { Cell::new(0) }; ipc_abi::MAX_MESSAGE] };
}

/// Runs `turn` as the PD that `kernel` belongs to; turns may nest (a protected call).
pub fn enter<T>(kernel: Rc<dyn HostKernel>, turn: impl FnOnce() -> T) -> T {
    let outer = KERNEL.with(|current| current.replace(Some(kernel)));
    let result = turn();
    KERNEL.with(|current| current.replace(outer));
    result
}

/// The kernel of the PD whose turn it is.
///
/// # Panics
/// Outside of [`enter`]: PD logic was called without a hosted system.
pub fn with_kernel<T>(ask: impl FnOnce(&dyn HostKernel) -> T) -> T {
    let kernel = KERNEL.with(|current| current.borrow().clone());
    ask(&*kernel.expect("PD logic runs inside `hosted::enter`"))
}

pub(crate) fn get_mr(index: usize) -> u64 {
    MESSAGE.with(|message| message[index].get())
}
pub(crate) fn set_mr(index: usize, value: u64) {
    MESSAGE.with(|message| message[index].set(value))
}
pub(crate) fn send(slot: u64, message: MessageInfo) {
    with_kernel(|kernel| kernel.send(slot, message))
}
pub(crate) fn call(slot: u64, message: MessageInfo) -> MessageInfo {
    with_kernel(|kernel| kernel.call(slot, message))
}
pub(crate) fn defer(slot: u64, message: MessageInfo) {
    send(slot, message)
}
pub(crate) fn wait() -> u64 {
    with_kernel(|kernel| kernel.wait())
}
/// The host's devices interrupt nobody.
pub(crate) fn interrupt_message(_: u8) -> Option<(u64, u32)> {
    None
}
pub(crate) fn ticks() -> u64 {
    KERNEL.with(|current| current.borrow().as_ref().map_or(0, |kernel| kernel.ticks()))
}
pub(crate) fn frequency() -> u64 {
    1_000_000
}
pub(crate) fn publish_frequency(_: u64) {}

pub(crate) fn frequency_stands() -> bool {
    true
}
pub(crate) fn health_page() -> Option<Writable<'static>> {
    KERNEL.with(|current| current.borrow().as_ref().and_then(|kernel| kernel.health_page()))
}
