//! The default model in QEMU: a request in English, decided by a person, and a polite answer.

use crate::options::SystemOptions;
use crate::script::{self, ask};
use crate::shell;
use crate::transcripts::{expect, machine, passed};
use anyhow::Result;

/// The conversation.
///
/// # Errors
/// When something is missing in it, with what came instead.
pub fn transcript() -> Result<()> {
    let model = shell::root().join("models/cloister-base.gguf");
    let mut running = script::boot(&machine(Some(&model), SystemOptions::standard(), "cloister-base")?)?;
    expect(&ask(&mut running, "? how much memory is free")?, &["/mem", "y runs it"])?;
    expect(&ask(&mut running, "y")?, &["weights", "KV cache"])?;
    expect(&ask(&mut running, "? shut down the system")?, &["/bye", "careful: the system stops"])?;
    expect(&ask(&mut running, "n")?, &["not run"])?;
    expect(&ask(&mut running, "?")?, &["run        /mem", "not run    /bye"])?;
    ask(&mut running, "/set temperature 0")?;
    expect(&ask(&mut running, "thank you")?, &["stop: eos"])?;
    passed("the default model proposes commands, and they run on y alone");
    Ok(())
}
