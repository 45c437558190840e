//! Which code a build for a protection domain or the kernel has: `#[cfg(…)]` with the answers of that build.
//!
//! Limit: what a crate's build script sets is not known; such code counts.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;

/// Flags that no image is built with.
const NEVER: [&str; 12] = [
    "test",
    "unix",
    "windows",
    "miri",
    "loom",
    "fuzzing",
    "docsrs",
    "doc",
    "doctest",
    "debug_assertions",
    "kani",
    "cloister_pd",
];

/// One build of one crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cfg {
    /// Features of the crate.
    pub features: BTreeSet<String>,
    /// Whether SIMD registers may be used.
    pub simd: bool,
}

impl Cfg {
    /// Whether a condition holds; `None` where that is not known.
    pub fn holds(&self, condition: TokenStream) -> Option<bool> {
        let tokens: Vec<TokenTree> = condition.into_iter().collect();
        match &tokens[..] {
            [TokenTree::Ident(name), TokenTree::Group(group)]
                if group.delimiter() == Delimiter::Parenthesis =>
            {
                self.combined(&name.to_string(), group.stream())
            }
            [TokenTree::Ident(key), TokenTree::Punct(_), TokenTree::Literal(value)] => {
                self.is(&key.to_string(), value.to_string().trim_matches('"'))
            }
            [TokenTree::Ident(flag)] => NEVER.contains(&flag.to_string().as_str()).then_some(false),
            _ => None,
        }
    }

    fn combined(&self, name: &str, list: TokenStream) -> Option<bool> {
        let parts: Vec<Option<bool>> = split(list).into_iter().map(|part| self.holds(part)).collect();
        let has = |value| parts.contains(&value);
        match name {
            "not" => parts.first().copied().flatten().map(|holds| !holds),
            "all" if has(Some(false)) => Some(false),
            "any" if has(Some(true)) => Some(true),
            "all" | "any" if has(None) => None,
            "all" => Some(true),
            "any" => Some(false),
            _ => None,
        }
    }

    fn is(&self, key: &str, value: &str) -> Option<bool> {
        Some(match key {
            "feature" => self.features.contains(value),
            "target_arch" => value == "aarch64",
            "target_os" => value == "none",
            "target_pointer_width" => value == "64",
            "target_endian" => value == "little",
            "target_vendor" => value == "unknown",
            "target_family" | "target_env" => false,
            "target_feature" => self.simd && value == "neon",
            "panic" => value == "abort",
            _ => return None,
        })
    }
}

/// The parts of a list between its commas.
fn split(list: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in list {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => parts.push(TokenStream::new()),
            token => parts.iter_mut().last().into_iter().for_each(|part| part.extend([token.clone()])),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_have_the_answers_of_an_image() {
        let cfg = Cfg { features: ["image".to_owned()].into(), simd: true };
        for (condition, holds) in [
            ("test", Some(false)),
            ("not(test)", Some(true)),
            ("feature = \"image\"", Some(true)),
            ("all(feature = \"image\", target_arch = \"x86_64\")", Some(false)),
            ("any(unix, target_os = \"none\")", Some(true)),
            ("from_a_build_script", None),
            ("all(test, from_a_build_script)", Some(false)),
            ("not(from_a_build_script)", None),
        ] {
            assert_eq!(cfg.holds(condition.parse().unwrap()), holds, "{condition}");
        }
    }
}
