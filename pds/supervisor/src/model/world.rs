//! What the model's life cycle sees of the rest of the supervisor, and what it is told.

use ipc_protocol::signing::{Identity, Signed};
use ipc_protocol::supervisor_loader::Newest;
use ipc_protocol::{Name, Piece, event, session_supervisor, supervisor_compute, supervisor_loader};

/// What [`World::run_loader`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It goes on where it was stopped: its link is up.
    Resumed,
    /// It starts afresh; [`Event::LoaderStarted`] follows.
    Starting,
    /// It has failed too often.
    Lost,
}

/// The means of the life cycle. Messages are queued and never wait.
pub trait World {
    /// Milliseconds of the counter.
    fn now_ms(&self) -> u64;
    /// A message to compute.
    fn compute(&mut self, message: supervisor_compute::ToCompute);
    /// A message to session.
    fn session(&mut self, message: session_supervisor::ToSession);
    /// A message to session that can be said later or not at all; says whether it was taken.
    fn offer_session(&mut self, message: &session_supervisor::ToSession) -> bool;
    /// A message to loader.
    fn loader(&mut self, message: supervisor_loader::ToLoader);
    /// Lets the loader run.
    fn run_loader(&mut self) -> Run;
    /// Stops the loader: from now on it writes nothing.
    fn stop_loader(&mut self);
    /// Restarts a child that does not answer; its failure is reported as an event of its own.
    fn replace(&mut self, child: usize);
    /// The newest version of a model that was in use; `None`: not known yet.
    fn newest(&mut self, identity: &Identity) -> Option<Newest>;
    /// A signed model is in use: its version counts from now on.
    fn accept(&mut self, signed: &Signed);
    /// A line for the user.
    fn notice(&mut self, line: Piece);
    /// Something that is worth remembering.
    fn remember(&mut self, event: event::Event) {
        let _ = event;
    }
}

/// What the life cycle reacts to.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Compute came up afresh: it reads no weights.
    ComputeStarted,
    /// Compute is stopped and will be started again.
    ComputeFailed,
    /// Compute is stopped and stays so.
    ComputeLost,
    /// Compute has an answer.
    Compute(supervisor_compute::ToSupervisor),
    /// Session came up afresh: it reads no vocabulary.
    SessionStarted,
    /// Session is stopped.
    SessionFailed,
    /// Session asks.
    Session(session_supervisor::ToSupervisor),
    /// Loader came up afresh.
    LoaderStarted,
    /// Loader is stopped and will be started again.
    LoaderFailed,
    /// Loader is stopped and stays so.
    LoaderLost,
    /// Loader has an answer.
    Loader(supervisor_loader::ToSupervisor),
    /// Time has passed.
    Tick,
}

/// A model in the weights region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Where.
    pub sealed: supervisor_compute::Sealed,
    /// Its file.
    pub name: Name,
    /// First bytes of its SHA-256.
    pub hash: [u8; 8],
    /// Who signed it.
    pub signed: Option<Signed>,
}
