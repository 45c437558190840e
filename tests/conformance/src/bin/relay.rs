//! A passive server that passes every call on to `echo`.
#![no_std]
#![no_main]

use core::convert::Infallible;
use ipc_pd::{Channel, Handler, MessageInfo};

ipc_pd::protection_domain!(init);

const ECHO: Channel = Channel::new(10);

struct Relay;

fn init() -> Relay {
    Relay
}

impl Handler for Relay {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(ECHO.pp_call(message))
    }
}
