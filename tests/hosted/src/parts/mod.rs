//! The PDs of the system, each in one line: the real ones, and honest simple ones to test a real one against.

pub mod alarm;
pub mod disk;
pub mod forger;
pub mod real;
pub mod simple;
pub mod terminal;

use crate::program::{Init, program};
use crate::wiring::Wiring;
use core::convert::Infallible;
use ipc_pd::{ChannelSet, Child, Handler, MessageInfo};
use memory_region::Readable;
use pds_guardian::Guardian;
use pds_supervisor::children::CHILDREN;
use pds_supervisor::{LedgerMeans, Means, Supervisor};

/// The real supervisor.
pub fn supervisor() -> Init {
    program(|wiring| Supervisor::new(means(wiring)))
}

/// The real guardian; a signal stands for a period of its budget.
pub fn guardian() -> Init {
    program(|wiring| {
        Periodic(Guardian::new(wiring.readable("supervisor_health").expect("the description maps it")))
    })
}

struct Periodic(Guardian);

impl Handler for Periodic {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.0.turn();
        Ok(())
    }

    fn fault(&mut self, child: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        self.0.fault(child, message)
    }
}

/// What the supervisor's `main.rs` names.
pub fn means(wiring: &Wiring) -> Means {
    let health = |name: &str| -> Option<Readable<'static>> { wiring.readable(&format!("{name}_health")) };
    Means {
        platform: wiring.sealed("platform"),
        guardian: wiring.readable("guardian_health"),
        health: core::array::from_fn(|index| health(CHILDREN[index].name)),
        console: wiring.link("supervisor_to_console", "console_to_supervisor"),
        session: wiring.link("supervisor_to_session", "session_to_supervisor"),
        compute: wiring.link("supervisor_to_compute", "compute_to_supervisor"),
        loader: wiring.link("supervisor_to_loader", "loader_to_supervisor"),
        retriever: wiring.link("supervisor_to_retriever", "retriever_to_supervisor"),
        ledger: LedgerMeans {
            link: wiring.link("supervisor_to_storage", "storage_to_supervisor"),
            read: wiring.readable("storage_to_supervisor_data"),
            write: wiring.writable("supervisor_to_storage_data"),
        },
    }
}
