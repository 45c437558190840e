//! A PD's program as the hosted system runs it.

use crate::wiring::Wiring;
use ipc_pd::{Channel, Child, Handler, MessageInfo};
use std::sync::Arc;

/// A handler of any kind. Times and heartbeats go to the health page, as the runtime does it.
pub trait Program {
    /// Channels were signalled.
    fn notified(&mut self, bits: u64);
    /// A protected call.
    fn protected(&mut self, channel: Channel, message: MessageInfo) -> MessageInfo;
    /// A child's fault.
    fn fault(&mut self, child: Child, message: MessageInfo) -> Option<MessageInfo>;
}

impl<H: Handler> Program for H {
    fn notified(&mut self, bits: u64) {
        ipc_pd::dispatch_notified(self, bits)
    }
    fn protected(&mut self, channel: Channel, message: MessageInfo) -> MessageInfo {
        ipc_pd::dispatch_protected(self, channel, message)
    }
    fn fault(&mut self, child: Child, message: MessageInfo) -> Option<MessageInfo> {
        ipc_pd::dispatch_fault(self, child, message)
    }
}

/// What `init` of a PD's `main.rs` does: makes the handler from the regions. Called at every start.
pub type Init = Arc<dyn Fn(&Wiring) -> Box<dyn Program> + Send + Sync>;

/// An [`Init`] from a function that makes a handler.
pub fn program<H: Handler + 'static>(init: impl Fn(&Wiring) -> H + Send + Sync + 'static) -> Init {
    Arc::new(move |wiring| Box::new(init(wiring)))
}
