//! The formats. Both are compiled everywhere, so that both are tested everywhere.

mod aarch64;
mod x86_64;

pub use aarch64::Aarch64;
pub use x86_64::X86_64;
