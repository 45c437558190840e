// SPDX-License-Identifier: MIT
//! One spelling for each command.

use alloc::string::{String, ToString};

use crate::NONE;
use crate::find::{after, find};

/// Other spellings that the console takes: what a line begins with, and what the table writes.
const ALIASES: [(&str, &str); 20] = [
    ("/? keys", "/? shortcuts"),
    ("/help shortcuts", "/? shortcuts"),
    ("/help keys", "/? shortcuts"),
    ("/?", "/help"),
    ("help", "/help"),
    ("/servers", "/status"),
    ("servers", "/status"),
    ("status", "/status"),
    ("perf", "/perf"),
    ("mem", "/mem"),
    ("models", "/models"),
    ("/benchmark", "/bench"),
    ("benchmark", "/bench"),
    ("clear", "/clear"),
    ("version", "/version"),
    ("exit", "/bye"),
    ("/exit", "/bye"),
    ("/quit", "/bye"),
    ("/switch", "/load"),
    ("/set parameter", "/set"),
];
/// Spellings with `model`, before and after.
const MODEL: [(&str, &str); 5] = [
    ("model load", "/load"),
    ("model switch", "/load"),
    ("model unload", "/unload"),
    ("model list", "/models"),
    ("model", "/models"),
];

/// `line` in the table's spelling; `None` for what is no command of the table. `none` stays.
///
/// ```
/// # use inference_commands::canonical;
/// assert_eq!(canonical("mem").as_deref(), Some("/mem"));
/// assert_eq!(canonical(" /model  load a.gguf ").as_deref(), Some("/load a.gguf"));
/// assert_eq!(canonical("rm -rf /"), None);
/// ```
#[must_use]
pub fn canonical(line: &str) -> Option<String> {
    let line = line.split_whitespace().collect::<alloc::vec::Vec<_>>().join(" ");
    if line == NONE {
        return Some(line);
    }
    let line = aliased(&line);
    find(&line).map(|_| line)
}

fn aliased(line: &str) -> String {
    if find(line).is_some() {
        return line.to_string();
    }
    for (spelling, written) in ALIASES {
        if let Some(rest) = after(line, spelling) {
            return written.to_string() + rest;
        }
    }
    let plain = line.strip_prefix('/').unwrap_or(line);
    for (spelling, written) in MODEL {
        if let Some(rest) = after(plain, spelling) {
            return written.to_string() + rest;
        }
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TABLE;

    #[test]
    fn spellings_become_one() {
        for (line, expected) in [
            ("status", Some("/status")),
            ("/servers", Some("/status")),
            ("model load x.gguf", Some("/load x.gguf")),
            ("/model unload", Some("/unload")),
            ("/set parameter top_k 5", Some("/set top_k 5")),
            ("/set  temperature   0.5", Some("/set temperature 0.5")),
            ("/?", Some("/help")),
            ("/? shortcuts", Some("/? shortcuts")),
            ("/? keys", Some("/? shortcuts")),
            ("/? keys", Some("/? shortcuts")),
            ("none", Some("none")),
            ("/load", None),
            ("/mem all", None),
            ("/set temperature hot", None),
            ("/restart everything", None),
            ("memory", None),
        ] {
            assert_eq!(canonical(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn no_two_entries_have_the_same_words() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert!(entry.words.starts_with('/'));
            assert!(TABLE[..at].iter().all(|other| other.words != entry.words), "{}", entry.words);
        }
    }

    #[test]
    fn what_loses_something_says_so() {
        for line in ["/bye", "/clear", "/stop compute", "/fact forget 3", "/learn forget"] {
            assert!(find(line).unwrap().destructive.is_some(), "{line}");
        }
        assert_eq!(find("/mem").unwrap().destructive, None);
    }
}
