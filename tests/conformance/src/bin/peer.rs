//! Answers every signal with a signal on the same channel.
#![no_std]
#![no_main]

use core::convert::Infallible;
use ipc_pd::{ChannelSet, Handler};

ipc_pd::protection_domain!(init);

struct Peer;

fn init() -> Peer {
    Peer
}

impl Handler for Peer {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for channel in channels.iter() {
            channel.notify();
        }
        Ok(())
    }
}
