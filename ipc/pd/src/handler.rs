//! The event loop of a PD, as libmicrokit's `main.c` has it.

use crate::channel::{Channel, ChannelSet, Child};
use crate::health;
use crate::message::MessageInfo;
use core::convert::Infallible;
use core::fmt::Display;

/// What a PD does with what reaches it.
pub trait Handler {
    /// A failure that the PD cannot handle: it ends in a fault that names it.
    type Error: Display;

    /// Channels or interrupts have been signalled.
    ///
    /// # Errors
    /// Ends the PD with a fault.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Self::Error> {
        let _ = channels;
        Ok(())
    }
    /// A protected procedure call; the answer goes back to the caller.
    ///
    /// # Errors
    /// Ends the PD with a fault.
    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Self::Error> {
        let _ = (channel, message);
        Ok(MessageInfo::default())
    }
    /// A child faulted; `Some` resumes it.
    ///
    /// # Errors
    /// Ends the PD with a fault.
    fn fault(&mut self, child: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Self::Error> {
        let _ = (child, message);
        Ok(None)
    }
}

/// A PD that does nothing.
pub struct NullHandler;

impl Handler for NullHandler {
    type Error = Infallible;
}

fn check<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Hands signalled channels to `handler`, with the time it takes in the PD's health page.
pub fn dispatch_notified<H: Handler>(handler: &mut H, bits: u64) {
    health::busy();
    check(handler.notified(ChannelSet::from_bits(bits)));
    health::idle();
}

/// Hands a protected call to `handler`.
pub fn dispatch_protected<H: Handler>(
    handler: &mut H,
    channel: Channel,
    message: MessageInfo,
) -> MessageInfo {
    health::busy();
    let answer = check(handler.protected(channel, message));
    health::idle();
    answer
}

/// Hands a child's fault to `handler`.
pub fn dispatch_fault<H: Handler>(
    handler: &mut H,
    child: Child,
    message: MessageInfo,
) -> Option<MessageInfo> {
    health::busy();
    let answer = check(handler.fault(child, message));
    health::idle();
    answer
}

/// Gives up what is left of this period's budget: returns when the next period begins.
#[cfg(any(target_os = "none", cloister_pd))]
pub fn rest() {
    crate::backend::rest();
}

/// Hands one event to `handler` if there is one, and does not wait for it; calls are not answered. For a PD whose
/// `init` never returns because it lives by its budget.
#[cfg(any(target_os = "none", cloister_pd))]
pub fn poll<H: Handler>(handler: &mut H) {
    use ipc_abi::badge;
    match crate::backend::poll() {
        Some((received, message)) if received & badge::FAULT != 0 => {
            dispatch_fault(handler, Child::new((received & 0x3f) as u8), message);
        }
        Some((received, _)) if received & badge::CALL == 0 => dispatch_notified(handler, received),
        _ => (),
    }
}

/// Waits inside an event for the next signals and gives them; whoever waits handles them. The watchdog sees a PD that waits.
///
/// For a PD that nobody calls and that has no children: a call or a fault that came here would be lost.
pub fn wait() -> ChannelSet {
    health::idle();
    let bits = crate::backend::wait();
    health::busy();
    ChannelSet::from_bits(bits)
}

/// Runs the PD for ever. Called by what [`crate::protection_domain!`] expands to.
#[cfg(any(target_os = "none", cloister_pd))]
pub fn run<H: Handler>(mut handler: H) -> ! {
    use crate::backend;
    use ipc_abi::badge;
    backend::start_up();
    let mut reply = None;
    loop {
        let (received, message) = match reply.take() {
            Some(answer) => backend::reply_receive(answer),
            None => backend::receive(),
        };
        if received & badge::CALL != 0 {
            reply = Some(dispatch_protected(&mut handler, Channel::new((received & 0x3f) as u8), message));
        } else if received & badge::FAULT != 0 {
            reply = dispatch_fault(&mut handler, Child::new((received & 0x3f) as u8), message);
        } else {
            dispatch_notified(&mut handler, received);
        }
    }
}
