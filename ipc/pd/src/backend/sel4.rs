//! System calls of an seL4-like kernel; the instruction itself is in `isa`.

use super::isa;
pub(crate) use super::isa::{frequency, frequency_stands, interrupt_message, publish_frequency, ticks};
use crate::message::MessageInfo;
use crate::{health, symbols};
use core::cell::Cell;
use core::fmt::Write;
use ipc_abi::{MessageTag, badge, label, slot, syscall};
use memory_region::Writable;

/// What a system call takes and gives.
pub(super) struct Registers {
    /// Capability slot; the badge afterwards.
    pub dest: u64,
    /// Message tag.
    pub info: u64,
    /// Message registers 0–3.
    pub message: [u64; 4],
}

/// An operation that is sent together with the next wait.
struct Deferred(Cell<Option<(u64, MessageInfo)>>);
// SAFETY: a PD has one thread.
unsafe impl Sync for Deferred {}
static DEFERRED: Deferred = Deferred(Cell::new(None));

fn registers(dest: u64, info: MessageInfo) -> Registers {
    Registers { dest, info: info.0.0, message: core::array::from_fn(get_mr) }
}

fn received(registers: Registers) -> (u64, MessageInfo) {
    for (i, word) in registers.message.into_iter().enumerate() {
        set_mr(i, word);
    }
    (registers.dest, MessageInfo(MessageTag(registers.info)))
}

pub(crate) fn get_mr(index: usize) -> u64 {
    // SAFETY: the kernel maps the IPC buffer for every PD at this address; `index` is below 120 (checked by the
    // public functions, or a constant here), and message register i is word 1 + i. The PD has one thread.
    unsafe { ((isa::IPC_BUFFER as *const u64).add(1 + index)).read_volatile() }
}

pub(crate) fn set_mr(index: usize, value: u64) {
    // SAFETY: as in `get_mr`.
    unsafe { ((isa::IPC_BUFFER as *mut u64).add(1 + index)).write_volatile(value) }
}

pub(crate) fn send(slot: u64, info: MessageInfo) {
    isa::system_call(syscall::SEND, registers(slot, info), 0, 0);
}

pub(crate) fn call(slot: u64, info: MessageInfo) -> MessageInfo {
    received(isa::system_call(syscall::CALL, registers(slot, info), 0, 0)).1
}

pub(crate) fn defer(slot: u64, info: MessageInfo) {
    if let Some((earlier, message)) = DEFERRED.0.replace(Some((slot, info))) {
        send(earlier, message);
    }
}

/// Replies to the last caller and waits; a deferred operation goes first.
pub(crate) fn reply_receive(answer: MessageInfo) -> (u64, MessageInfo) {
    if let Some((slot, message)) = DEFERRED.0.take() {
        send(slot, message);
    }
    received(isa::system_call(syscall::REPLY_RECV, registers(slot::INPUT, answer), slot::REPLY, 0))
}

/// Waits, sending a deferred operation in the same system call.
pub(crate) fn receive() -> (u64, MessageInfo) {
    let (number, second, info) = match DEFERRED.0.take() {
        Some((slot, message)) => (syscall::NB_SEND_RECV, slot, message),
        None => (syscall::RECV, 0, MessageInfo::default()),
    };
    received(isa::system_call(number, registers(slot::INPUT, info), slot::REPLY, second))
}

/// Takes an event if there is one.
pub(crate) fn poll() -> Option<(u64, MessageInfo)> {
    let (badge, message) = received(isa::system_call(
        syscall::NB_RECV,
        registers(slot::INPUT, MessageInfo::default()),
        slot::REPLY,
        0,
    ));
    (badge != 0).then_some((badge, message))
}

/// Gives up the rest of the budget.
pub(crate) fn rest() {
    isa::system_call(syscall::YIELD, registers(0, MessageInfo::default()), 0, 0);
}

/// The next signals; what is no signal is not for a PD that waits inside an event.
pub(crate) fn wait() -> u64 {
    loop {
        let (badge, _) = receive();
        if badge & (badge::CALL | badge::FAULT) == 0 {
            return badge;
        }
    }
}

/// As libmicrokit: a passive PD gives its scheduling context away, and every interrupt is acknowledged once.
pub(crate) fn start_up() {
    if symbols::is_passive() {
        defer(slot::MONITOR, MessageInfo::default());
    }
    let irqs = symbols::irqs();
    for id in (0..62).filter(|id| irqs >> id & 1 == 1) {
        call(slot::IRQ_BASE + id, MessageInfo::new(label::IRQ_ACK, 0));
    }
    health::idle();
}

pub(crate) fn health_page() -> Option<Writable<'static>> {
    let address = symbols::health_address();
    // SAFETY: the image builder set the variable to a page that this PD alone may write; readers use atomic views.
    (address != 0).then(|| unsafe { Writable::new(address as *mut u8, 4096) })
}

#[cfg(feature = "fault-injection")]
pub(crate) fn abort() -> ! {
    isa::abort()
}

unsafe extern "C" {
    fn cloister_pd_main() -> !;
}

/// Reached from `_start` with a fresh stack and zeroed data, at boot and after every restart.
#[unsafe(no_mangle)]
extern "C" fn cloister_pd_start(entry: u64) -> ! {
    health::started(entry);
    // SAFETY: `protection_domain!` defines it with this signature.
    unsafe { cloister_pd_main() }
}

struct Text {
    bytes: [u8; health::TEXT_BYTES],
    used: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = &mut self.bytes[self.used..];
        let length = room.len().min(text.len());
        room[..length].copy_from_slice(&text.as_bytes()[..length]);
        self.used += length;
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    let mut text = Text { bytes: [0; health::TEXT_BYTES], used: 0 };
    let _ = write!(text, "{info}");
    health::last_words(whole_utf8(&text));
    isa::abort()
}

fn whole_utf8(text: &Text) -> &str {
    match core::str::from_utf8(&text.bytes[..text.used]) {
        Ok(whole) => whole,
        Err(error) => core::str::from_utf8(&text.bytes[..error.valid_up_to()]).unwrap_or(""),
    }
}
