//! A data partition of 1 MiB, and documents that do not fit it.

use super::{KEPT, write};
use crate::options::SystemOptions;
use crate::qemu::Running;
use crate::script::{self, ask, expect, passed};
use crate::{disk, shell, system};
use anyhow::{Result, bail, ensure};
use tools_disk::{Addition, Sizes};

/// Notes after which even a small one must have been refused.
const NOTES: u32 = 200;

/// What does not fit is refused in one line, what was kept is found, and after a removal there is room again.
///
/// # Errors
/// What is missing in the transcript.
pub fn refuses_and_goes_on() -> Result<()> {
    let path = disk::fresh("full")?;
    tools_disk::create(&path, Sizes { files: 40 << 20, data: 1 << 20 }, &volumes()?, &mut |_, _| ())?;
    let options = SystemOptions { disk: Some(path), ..SystemOptions::standard() };
    let machine = system::prepare(&options)?.machine;
    let mut running = script::boot(&machine)?;
    expect(&ask(&mut running, "/rag scan")?, &["the store is full: "])?;
    expect(&fill(&mut running)?, &["the note is not kept: the store is full: "])?;
    expect(&ask(&mut running, "/rag find part 3 of volume 1")?, &["docs/volume1.txt"])?;
    expect(&ask(&mut running, "/rag remove docs/volume1.txt")?, &["is forgotten"])?;
    expect(&ask(&mut running, "/rag add the queen is marked with blue paint")?, &[KEPT])?;
    drop(running);
    let mut running = script::boot(&machine)?;
    expect(&ask(&mut running, "/rag scan")?, &["the store is full: "])?;
    expect(&ask(&mut running, "/rag find queen blue paint")?, &["is marked with blue paint"])?;
    let transcript = String::from_utf8_lossy(&running.transcript).into_owned();
    ensure!(!transcript.contains("fault in"), "a full disk is no fault:\n{transcript}");
    passed("a full data partition is said, loses nothing, and has room again after a removal");
    Ok(())
}

fn volumes() -> Result<Vec<Addition>> {
    let folder = shell::root().join("target/test/volumes");
    let words = "The hive hums in the garden. ".repeat(25);
    let one = |volume: u32| {
        let part = |part| format!("Part {part} of volume {volume} tells of bees. {words}\n\n");
        let text: String = (0..500).map(part).collect();
        Ok(Addition::document(write(&folder, &format!("volume{volume}.txt"), &text)?))
    };
    (1..=3).map(one).collect()
}

/// Adds notes until one is refused; what was said then.
fn fill(running: &mut Running) -> Result<String> {
    for number in 0..NOTES {
        let answer = ask(running, &format!("/rag add note {number} says that bees like clover"))?;
        if !answer.contains(KEPT) {
            return Ok(answer);
        }
    }
    bail!("{NOTES} notes are kept on a full disk")
}
