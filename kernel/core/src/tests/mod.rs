//! Hosted tests: a machine of vectors, systems built in memory, and random operations under invariants.

mod budgets;
mod donation;
mod faults;
mod invariants;
mod machine;
mod random;
mod system;
mod threads;
