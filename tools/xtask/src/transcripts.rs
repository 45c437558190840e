//! Whole systems in QEMU: what a person would type, and what must come back.

use anyhow::Result;

/// Runs every transcript test.
///
/// # Errors
/// The first one that fails, with the end of its transcript.
pub fn all() -> Result<()> {
    Ok(())
}
