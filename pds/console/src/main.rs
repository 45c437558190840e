// SPDX-License-Identifier: MIT
//! The console PD's wiring.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ipc_link::Link;
use ipc_pd::Handler;
use pds_console::{Console, SESSION, SUPERVISOR, TIMER, Uart};

ipc_pd::regions! {
    console_to_session, console_to_session_size: Writable;
    session_to_console, session_to_console_size: Readable;
    console_to_supervisor, console_to_supervisor_size: Writable;
    supervisor_to_console, supervisor_to_console_size: Readable;
    platform, platform_size: Sealed;
    uart, uart_size: Device;
    com1, com1_id: Ports;
}

fn init() -> impl Handler {
    let mapped = "system.xml maps the link's regions";
    Console::new(
        Uart::find(uart(), com1()).expect("system.xml gives the console a UART"),
        Link::start(console_to_session().expect(mapped), session_to_console().expect(mapped), SESSION),
        Link::start(
            console_to_supervisor().expect(mapped),
            supervisor_to_console().expect(mapped),
            SUPERVISOR,
        ),
        TIMER,
        platform(),
    )
}

ipc_pd::protection_domain!(init);
