//! Naming the models for the supervisor.

use crate::Step;
use crate::disk::{Disk, Poll};
use crate::scan::{Models, Scan};
use ipc_protocol::supervisor_loader::ToSupervisor;

pub(crate) enum ListJob {
    Scan(Scan),
    Tell(Models, usize),
}

impl ListJob {
    pub fn new() -> Self {
        Self::Scan(Scan::new())
    }

    /// A disk that cannot be read has no models; why, a load would say.
    pub fn give_up(&self) -> ToSupervisor {
        ToSupervisor::ListEnd { count: 0 }
    }

    pub fn step(&mut self, disk: &mut Disk) -> Step {
        match self {
            Self::Scan(scan) => match scan.step(disk) {
                Ok(Poll::Pending) => return Step::Wait,
                Ok(Poll::Ready((_, models))) => *self = Self::Tell(models, 0),
                Err(_) => return Step::End(self.give_up()),
            },
            Self::Tell(models, told) => {
                let Some(model) = models.0.get(*told) else {
                    return Step::End(ToSupervisor::ListEnd { count: *told as u32 });
                };
                *told += 1;
                return Step::Say(ToSupervisor::Model {
                    name: model.wire_name(),
                    bytes: u64::from(model.file.size),
                });
            }
        }
        Step::Again
    }
}
