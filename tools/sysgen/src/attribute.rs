//! Reads the attributes of one element as numbers, booleans, names and permissions.
//!
//! One design rule: a wrong value is noted with its place and what would be right, and reading goes on with the
//! default, so one run reports every attribute. Numbers as in Microkit: decimal or 0x…, underscores allowed, but ids
//! and interrupt numbers decimal only.

use crate::model::Permissions;
use crate::problem::{Place, Problems};
use crate::xml::Element;
use std::ops::RangeInclusive;

/// Reads one element's attributes.
pub struct Reader<'a> {
    /// The element.
    pub element: &'a Element,
    /// Where problems are noted.
    pub problems: &'a mut Problems,
}

impl<'a> Reader<'a> {
    /// Notes a problem with an attribute of this element.
    pub fn wrong(&mut self, attribute: &str, message: impl AsRef<str>) {
        let text = format!("<{}> attribute '{attribute}': {}", self.element.tag, message.as_ref());
        self.problems.at(self.element.place_of(attribute), text);
    }

    /// A required attribute's text; it may not be empty.
    pub fn text(&mut self, attribute: &str) -> Option<&'a str> {
        match self.element.value(attribute) {
            None => {
                self.wrong(attribute, "is missing; it is required");
                None
            }
            Some("") => {
                self.wrong(attribute, "is empty; give it a value");
                None
            }
            Some(text) => Some(text),
        }
    }

    /// An optional attribute's text.
    pub fn optional(&self, attribute: &str) -> Option<&'a str> {
        self.element.value(attribute)
    }

    /// A number, decimal or hexadecimal, or `None` where it is absent or wrong.
    pub fn number(&mut self, attribute: &str) -> Option<u64> {
        let text = self.optional(attribute)?;
        let digits = text.replace('_', "");
        let parsed = match digits.strip_prefix("0x") {
            Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16).ok(),
            None if !digits.starts_with('+') => digits.parse().ok(),
            _ => None,
        };
        if parsed.is_none() {
            let text = shorten(text);
            self.wrong(attribute, format!("'{text}' is not a number; write decimal or 0x… below 2^64"));
        }
        parsed
    }

    /// A required number.
    pub fn required_number(&mut self, attribute: &str) -> Option<u64> {
        self.text(attribute)?;
        self.number(attribute)
    }

    /// An optional number within a range.
    pub fn within(&mut self, attribute: &str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let Some(number) = self.number(attribute) else { return default };
        if range.contains(&number) {
            return number;
        }
        self.wrong(attribute, format!("is {number}; it must be {} to {}", range.start(), range.end()));
        default
    }

    /// A required decimal number of at most `max`.
    pub fn decimal(&mut self, attribute: &str, max: u32) -> Option<u32> {
        let text = self.text(attribute)?;
        let parsed = text.parse::<u32>().ok().filter(|n| *n <= max && !text.starts_with('+'));
        if parsed.is_none() {
            let text = shorten(text);
            self.wrong(attribute, format!("is '{text}'; it must be a decimal number from 0 to {max}"));
        }
        parsed
    }

    /// An optional boolean.
    pub fn boolean(&mut self, attribute: &str, default: bool) -> bool {
        self.choice(attribute, ["false", "true"], usize::from(default)) == 1
    }

    /// An optional choice among words: its index.
    pub fn choice<const N: usize>(&mut self, attribute: &str, words: [&str; N], default: usize) -> usize {
        let Some(text) = self.optional(attribute) else { return default };
        if let Some(index) = words.iter().position(|word| *word == text) {
            return index;
        }
        self.wrong(attribute, format!("is '{}'; it must be '{}'", shorten(text), words.join("' or '")));
        default
    }

    /// The permissions of a map; read-write where none are given.
    pub fn permissions(&mut self) -> Permissions {
        let text = self.optional("perms").unwrap_or("rw");
        let has = |letter| text.contains(letter);
        let permissions = Permissions { read: has('r'), write: has('w'), execute: has('x') };
        if text.is_empty() || !text.chars().all(|c| "rwx".contains(c)) {
            self.wrong("perms", format!("is '{}'; use letters of r, w and x", shorten(text)));
        } else if !permissions.read {
            self.wrong("perms", format!("is '{text}': a mapping must be readable; add r"));
        } else if permissions.write && permissions.execute {
            self.wrong("perms", "is writable and executable (W^X); drop w or x");
        }
        permissions
    }

    /// Where the element begins.
    pub fn place(&self) -> Place {
        self.element.place.clone()
    }
}

/// Enough of a wrong value to recognise it.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}
