//! What the kernel does alike on every instruction set, below the portable core: the lock, the ways in and out, saved
//! registers, IPC buffers, page tables, words for the person at the console.
//!
//! One design rule: nothing here names a register. What differs is behind [`Isa`], and every path is generic over it,
//! so that each instruction set gets its own copy with nothing in between.
#![no_std]

mod buffer;
mod contexts;
mod cores;
mod image;
mod isa;
mod lock;
mod path;
mod pool;
mod report;
mod tables;
mod text;

pub use buffer::Buffer;
pub use contexts::Contexts;
pub use cores::{are_several, in_kernel, set_count};
pub use image::{Missing, description, needs};
pub use isa::Isa;
pub use lock::{Guard, Locked, lock};
pub use path::{exception, interrupt, leave, syscall};
pub use pool::Pool;
pub use report::report;
pub use tables::{KernelTable, Sections, attributes};
pub use text::write_text;
