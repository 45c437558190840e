//! The whole system description run on Linux inside the test process, so that most faults are found in seconds.
//!
//! One design rule: PD logic cannot tell the difference. Its regions are memfds mapped with the declared permissions
//! (a forbidden write faults), its kernel is `ipc_pd::hosted`, and everything that seL4 leaves open is decided by
//! chance with a seed: who runs next, where an event is interrupted, which signals merge and when they arrive, where
//! a fault strikes. Priorities are not modelled: any order that the board could show must work.
//!
//! `CLOISTER_SEED=n` repeats a seed, `CLOISTER_ROUNDS=n` runs more of them.

pub mod hostile;
pub mod kernel;
pub mod memory;
pub mod parts;
pub mod person;
pub mod program;
pub mod random;
pub mod system;
pub mod wiring;
pub mod world;

pub use program::{Init, program};
pub use random::{Random, for_each_seed};
pub use system::{System, description};
pub use world::Life;
