//! Prints results, handles faults of its children, and says when all is done.
#![no_std]
#![no_main]

use core::convert::Infallible;
use core::fmt::Write;
use ipc_pd::{Channel, Child, Handler, MessageInfo, get_mr};
use tests_conformance::report;
use tests_conformance::uart::Uart;

ipc_pd::regions! {
    uart, uart_size: Device;
}
ipc_pd::protection_domain!(init);

struct Judge {
    uart: Uart,
    passed: u32,
    failed: u32,
}

fn init() -> Judge {
    let mut uart = Uart(uart().map_or(0, |region| region.address));
    let _ = writeln!(uart, "conformance: start");
    Judge { uart, passed: 0, failed: 0 }
}

impl Handler for Judge {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let (name, passed) = report::read(message);
        let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let name = core::str::from_utf8(&name[..length]).unwrap_or("?");
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        let _ = writeln!(self.uart, "{} {name}", if passed { "ok  " } else { "FAIL" });
        if name == "end" {
            let _ = writeln!(self.uart, "conformance: {} passed, {} failed", self.passed, self.failed);
        }
        Ok(MessageInfo::default())
    }

    fn fault(&mut self, child: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let words: [u64; 5] = core::array::from_fn(get_mr);
        let _ = writeln!(self.uart, "fault of child {}: {message:?} {words:x?}", child.id());
        Ok(None)
    }
}
