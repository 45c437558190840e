//! A passive server: answers with the label plus one and every word inverted.
#![no_std]
#![no_main]

use core::convert::Infallible;
use ipc_pd::{Channel, Handler, MessageInfo, get_mr, set_mr};

ipc_pd::protection_domain!(init);

struct Echo;

fn init() -> Echo {
    Echo
}

impl Handler for Echo {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        for index in 0..message.count() {
            set_mr(index, !get_mr(index));
        }
        Ok(MessageInfo::new(message.label() + 1, message.count()))
    }
}
