//! What the model's life cycle may do to the system.

use crate::children::LOADER;
use crate::estate::{Estate, now_ms};
use crate::fault::Cause;
use crate::model::{Run, World};
use crate::ward::Condition;
use ipc_pd::clock;
use ipc_protocol::signing::{Identity, Signed};
use ipc_protocol::supervisor_loader::{self as loader, Newest};
use ipc_protocol::{Piece, event, session_supervisor as session, supervisor_compute as compute};

impl World for Estate {
    fn now_ms(&self) -> u64 {
        now_ms()
    }
    fn compute(&mut self, message: compute::ToCompute) {
        self.compute.send(message);
    }
    fn session(&mut self, message: session::ToSession) {
        self.session.send(message);
    }
    fn offer_session(&mut self, message: &session::ToSession) -> bool {
        self.session.offer(message)
    }
    fn loader(&mut self, message: loader::ToLoader) {
        self.loader.send(message);
    }
    fn run_loader(&mut self) -> Run {
        self.interrupt_trainer();
        let Some(ward) = &mut self.wards[LOADER] else { return Run::Lost };
        match ward.condition() {
            Condition::Running => Run::Resumed,
            Condition::Stopped { fresh: false } => {
                ward.resume(clock::ticks());
                Run::Resumed
            }
            Condition::Stopped { fresh: true } if ward.restart(clock::ticks()) => Run::Starting,
            Condition::Restarting { .. } => Run::Starting,
            Condition::Stopped { .. } | Condition::Faulted => Run::Lost,
        }
    }
    fn stop_loader(&mut self) {
        let Some(ward) = &mut self.wards[LOADER] else { return };
        match ward.condition() {
            Condition::Running => ward.halt(Condition::Stopped { fresh: false }),
            Condition::Restarting { .. } => ward.halt(Condition::Stopped { fresh: true }),
            Condition::Stopped { .. } | Condition::Faulted => (),
        }
        self.loader.forget();
    }
    fn replace(&mut self, child: usize) {
        if self.wards[child].is_none() {
            return self.tell_model(child, true);
        }
        self.fail(child, Cause::Late);
    }
    fn newest(&mut self, identity: &Identity) -> Option<Newest> {
        self.ledger.newest(identity)
    }
    fn accept(&mut self, signed: &Signed) {
        self.ledger.accept(signed);
    }
    fn notice(&mut self, line: Piece) {
        self.say(line);
    }
    fn remember(&mut self, event: event::Event) {
        self.chronicle.add(event);
    }
}
