//! Wiring of the `timer` PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use drivers_arm_timer::PhysicalTimer;
use drivers_pl031::Pl031;
use ipc_pd::Handler;
use pds_timer::Timer;

ipc_pd::regions! {
    rtc, rtc_size: Device;
}

fn init() -> impl Handler {
    Timer::new(PhysicalTimer::new(), rtc().map(Pl031::new))
}

ipc_pd::protection_domain!(init);
