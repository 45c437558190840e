//! Messages of protected procedure calls and faults.

use crate::backend;
use ipc_abi::MessageTag;

/// Label and length of a message; its words are read with [`get_mr`] and written with [`set_mr`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MessageInfo(pub(crate) MessageTag);

impl MessageInfo {
    /// A message of `count` words, at most 120.
    pub const fn new(label: u64, count: usize) -> Self {
        Self(MessageTag::new(label, count))
    }
    /// The label.
    pub const fn label(self) -> u64 {
        self.0.label()
    }
    /// Number of words.
    pub const fn count(self) -> usize {
        self.0.length()
    }
}

/// The message word at `index`, 0 past the largest message.
pub fn get_mr(index: usize) -> u64 {
    if index < ipc_abi::MAX_MESSAGE { backend::get_mr(index) } else { 0 }
}

/// Sets the message word at `index`; past the largest message nothing happens.
pub fn set_mr(index: usize, value: u64) {
    if index < ipc_abi::MAX_MESSAGE {
        backend::set_mr(index, value)
    }
}
