//! The supervisor: parent of all other protection domains. It restarts what faults or hangs, tells the console, and
//! is the only one to let the model loader run, which it does while nobody reads the model.
//!
//! One design rule: the supervisor looks at nobody's data. It sees faults, health pages, and messages of six links;
//! a child that lies in any of them harms itself.
//!
//! Limits: at most [`children::COUNT`] children, with the names and numbers of [`children::CHILDREN`]. The guardian
//! restarts it when it fails; then it knows nothing of before, and has the model read again. It cannot switch the machine off: no protection domain may.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

pub mod children;
mod chronicle;
mod commands;
mod estate;
pub mod fault;
mod guardian;
mod ledger;
mod means;
pub mod model;
mod post;
mod report;
pub mod restarts;
mod status;
mod supervisor;
mod text;
pub mod ward;
pub mod watch;
mod world;

pub use ledger::Means as LedgerMeans;
pub use means::Means;
pub use supervisor::{STOPPED, Supervisor};
