//! System calls with every register in the caller's hand.

use crate::arch::IPC_BUFFER;
pub use crate::arch::syscall;

/// What a system call gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Result {
    /// In the destination's register.
    pub badge: u64,
    /// In the tag's register.
    pub tag: u64,
    /// The four message registers.
    pub words: [u64; 4],
}

impl Result {
    /// The message's label.
    pub fn label(&self) -> u64 {
        self.tag >> 12
    }
    /// The message's length.
    pub fn length(&self) -> u64 {
        self.tag & 0x7f
    }
}

/// A message tag.
pub const fn tag(label: u64, length: u64) -> u64 {
    label << 12 | length
}

/// A call.
pub fn call(to: u64, tag: u64, words: [u64; 4]) -> Result {
    syscall(ipc_abi::syscall::CALL, to, tag, words, 0, 0)
}

/// A send.
pub fn send(to: u64, tag: u64) {
    syscall(ipc_abi::syscall::SEND, to, tag, [0; 4], 0, 0);
}

/// Waits for a message.
pub fn receive(from: u64, reply: u64) -> Result {
    syscall(ipc_abi::syscall::RECV, from, 0, [0; 4], reply, 0)
}

/// Message register `index` (4 to 119) in the IPC buffer.
pub fn word(index: usize) -> u64 {
    assert!(index < ipc_abi::MAX_MESSAGE);
    // SAFETY: the IPC buffer is mapped at this address in every PD; the index was checked.
    unsafe { (IPC_BUFFER as *const u64).add(1 + index).read_volatile() }
}

/// Sets it.
pub fn set_word(index: usize, value: u64) {
    assert!(index < ipc_abi::MAX_MESSAGE);
    // SAFETY: as in `word`.
    unsafe { (IPC_BUFFER as *mut u64).add(1 + index).write_volatile(value) }
}

/// Gives every test program a `.bss`, which the runtime's start-up code expects.
#[used]
static BSS: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);
