//! Wiring of the `timer` PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ipc_pd::Handler;
use pds_timer::{Timer, find_clock, find_timer};

ipc_pd::regions! {
    rtc, rtc_size: Device;
    hpet, hpet_size: Device;
    cmos, cmos_id: Ports;
}

fn init() -> impl Handler {
    Timer::new(find_timer(hpet()), find_clock(rtc(), cmos()))
}

ipc_pd::protection_domain!(init);
