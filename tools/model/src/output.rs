// SPDX-License-Identifier: MIT
//! Standard output that may be full or closed: `println!` would panic.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

/// As `println!`, in a function that returns `Result`: what cannot be written is its error.
macro_rules! say {
    ($($argument:tt)*) => {
        crate::output::line(format_args!($($argument)*))?
    };
}
pub(crate) use say;

/// Writes a line.
///
/// # Errors
/// Those of standard output, which are named.
pub fn line(text: Arguments<'_>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_fmt(text).and_then(|()| out.write_all(b"\n")).context("cannot write standard output")
}

/// Whether the reader of standard output wanted no more, as `head` does: not worth a message.
pub fn closed(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
