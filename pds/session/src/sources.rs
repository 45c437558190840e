// SPDX-License-Identifier: MIT
//! What people see of passages.

use crate::library::Found;
use alloc::format;
use alloc::string::String;
use retrieval::prompt::Injected;

/// Bytes of a passage that are shown.
const SHOWN: usize = 240;

fn place(source: &str, heading: &str) -> String {
    if heading.is_empty() { source.into() } else { format!("{source} > {heading}") }
}

/// `/rag sources`: what the last answer was given.
pub(crate) fn injected(all: &[Injected], left_out: usize) -> String {
    if all.is_empty() {
        return "the last answer was given no passages".into();
    }
    let line = |injected: &Injected| {
        let Injected { source, heading, score, bytes, tokens } = injected;
        format!("  {score:>6.3}  {bytes:>5} bytes  {tokens:>4} tokens  {}\n", place(source, heading))
    };
    let mut lines: String = all.iter().map(line).collect();
    if left_out > 0 {
        lines += &format!("  {left_out} more did not fit the context\n");
    }
    lines
}

/// `/rag find`: passages that were found.
pub(crate) fn found(all: &[Found], label: &str) -> String {
    if all.is_empty() {
        return format!("nothing fits ({label})");
    }
    let mut lines = format!("found with {label}:\n");
    for found in all {
        let shown = &found.text[..found.text.floor_char_boundary(SHOWN.min(found.text.len()))];
        let more = if shown.len() < found.text.len() { "…" } else { "" };
        let one_line: String = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        lines += &format!(
            "  {:>6.3}  {}\n          {one_line}{more}\n",
            found.score,
            place(&found.source, &found.heading)
        );
    }
    lines
}
