// SPDX-License-Identifier: MIT
//! Which entry of the table a line uses.

use crate::table::{Argument, Entry, TABLE};

/// What follows `words` in `line`: nothing, or a space and more.
pub(crate) fn after<'a>(line: &'a str, words: &str) -> Option<&'a str> {
    line.strip_prefix(words).filter(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// The entry that `line`, in the table's spelling, is a use of.
#[must_use]
pub fn find(line: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| after(line, entry.words).is_some_and(|rest| fits(entry.argument, rest)))
}

fn fits(argument: Argument, rest: &str) -> bool {
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    match argument {
        Argument::Nothing => rest.is_empty(),
        Argument::Word => !rest.is_empty() && !rest.contains(' '),
        Argument::Number => rest.parse::<f64>().is_ok_and(f64::is_finite),
        Argument::Text => !rest.is_empty(),
        Argument::One(choices) => choices.contains(&rest),
    }
}
