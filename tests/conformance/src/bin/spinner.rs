//! Counts as fast as it can, in word 0 of the region that it alone writes.
#![no_std]
#![no_main]

use core::sync::atomic::Ordering::Relaxed;
use ipc_pd::NullHandler;

ipc_pd::regions! {
    count, count_size: Writable;
}
ipc_pd::protection_domain!(init);

fn init() -> NullHandler {
    if let Some(page) = count() {
        loop {
            page.store(0, page.load(0, Relaxed) + 1, Relaxed);
        }
    }
    NullHandler
}
