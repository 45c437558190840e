//! Counting one crate: lines that hold code, and what is `unsafe` in them.
//!
//! One design rule: what counts is what the compiler gets. A line counts if a token of it is no comment and no
//! documentation, and if no `#[cfg(…)]` takes it away; modules are followed from the crate's root. Limits: code that a
//! build script or a macro makes is counted where it is written, not where it ends up.

use super::attribute::{Attribute, attribute, skip_item};
use super::cfg::Cfg;
use super::count::Count;
use anyhow::{Context, Result, anyhow};
use proc_macro2::{Group, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Counts the crate whose root is this file.
///
/// # Errors
/// A file that cannot be read or is no Rust.
pub fn count(root: &Path, cfg: &Cfg) -> Result<Count> {
    let folder = root.parent().unwrap_or(Path::new("."));
    let mut walk = Walk { cfg, folder, count: Count::default(), seen: BTreeSet::new() };
    walk.file(root, folder)?;
    Ok(walk.count)
}

struct Walk<'a> {
    cfg: &'a Cfg,
    /// Of the crate's root.
    folder: &'a Path,
    count: Count,
    seen: BTreeSet<PathBuf>,
}

impl Walk<'_> {
    /// Counts a file whose modules lie in `folder`.
    fn file(&mut self, path: &Path, folder: &Path) -> Result<()> {
        if !self.seen.insert(path.to_path_buf()) {
            return Ok(());
        }
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let tokens: TokenStream =
            text.parse().map_err(|error| anyhow!("{}: not Rust: {error}", path.display()))?;
        let mut lines = BTreeSet::new();
        self.tokens(tokens, folder, &mut lines)?;
        self.count.lines += lines.len();
        Ok(())
    }

    fn tokens(&mut self, stream: TokenStream, folder: &Path, lines: &mut BTreeSet<usize>) -> Result<()> {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let (mut at, mut path) = (0, None);
        while at < tokens.len() {
            if let Some(attribute) = attribute(&tokens, at) {
                let gone = attribute.name == "cfg" && self.is_gone(&attribute);
                match attribute.name.as_str() {
                    "cfg" if gone && attribute.inner => return Ok(()),
                    "cfg" if gone => at = skip_item(&tokens, attribute.end),
                    name => {
                        if name != "doc" {
                            tokens[at..attribute.end].iter().for_each(|token| mark(token, lines));
                        }
                        path = attribute.path().or(path);
                        at = attribute.end;
                    }
                }
                continue;
            }
            self.count.add_unsafe(&tokens[at..]);
            at = self.token(&tokens, at, folder, &mut path, lines)?;
        }
        Ok(())
    }

    fn is_gone(&self, attribute: &Attribute) -> bool {
        match attribute.rest.first() {
            Some(TokenTree::Group(condition)) => self.cfg.holds(condition.stream()) == Some(false),
            _ => false,
        }
    }

    /// Counts a token, with what belongs to it; the next one is the result.
    fn token(
        &mut self,
        tokens: &[TokenTree],
        at: usize,
        folder: &Path,
        path: &mut Option<String>,
        lines: &mut BTreeSet<usize>,
    ) -> Result<usize> {
        if !matches!(tokens[at], TokenTree::Group(_)) {
            mark(&tokens[at], lines);
        }
        match &tokens[at..] {
            [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(end), ..]
                if *word == "mod" && end.as_char() == ';' =>
            {
                self.module(&name.to_string(), path.take(), folder)?;
                Ok(at + 3)
            }
            [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(group), ..]
                if *word == "mod" =>
            {
                path.take();
                self.group(group, &folder.join(name.to_string()), lines)?;
                Ok(at + 3)
            }
            [TokenTree::Group(group), ..] => self.group(group, folder, lines).map(|()| at + 1),
            _ => Ok(at + 1),
        }
    }

    fn group(&mut self, group: &Group, folder: &Path, lines: &mut BTreeSet<usize>) -> Result<()> {
        lines.extend([group.span_open().start().line, group.span_close().end().line]);
        self.tokens(group.stream(), folder, lines)
    }

    /// Follows `mod NAME;`. A module that is not there belongs to a macro or to another target.
    fn module(&mut self, name: &str, path: Option<String>, folder: &Path) -> Result<()> {
        let name = name.trim_start_matches("r#");
        if let Some(path) = path {
            let file = folder.join(path);
            let modules = file.parent().unwrap_or(folder).to_path_buf();
            return self.found(&file, &modules).map(|_| ());
        }
        // A macro may declare the modules of the crate's root in a file of its own.
        for folder in [folder, self.folder] {
            let nested = folder.join(name);
            let found = self.found(&folder.join(format!("{name}.rs")), &nested)?
                || self.found(&nested.join("mod.rs"), &nested)?;
            if found {
                break;
            }
        }
        Ok(())
    }

    /// Counts a file if it is there.
    fn found(&mut self, file: &Path, folder: &Path) -> Result<bool> {
        let there = file.is_file();
        if there {
            self.file(file, folder)?;
        }
        Ok(there)
    }
}

/// The lines of a token, with everything in it.
fn mark(token: &TokenTree, lines: &mut BTreeSet<usize>) {
    match token {
        TokenTree::Group(group) => {
            lines.extend([group.span_open().start().line, group.span_close().end().line]);
            group.stream().into_iter().for_each(|token| mark(&token, lines));
        }
        token => lines.extend(token.span().start().line..=token.span().end().line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(files: &[(&str, &str)]) -> Count {
        let name = format!("cloister-tcb-{}-{}", std::process::id(), files.len());
        let folder = std::env::temp_dir().join(name);
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let cfg = Cfg { features: ["on".to_owned()].into(), simd: false };
        let count = count(&folder.join("lib.rs"), &cfg).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        count
    }

    #[test]
    fn comments_blank_lines_tests_and_other_targets_do_not_count() {
        let text = "//! Crate.\n\n/* a\n b */\n/// Doc.\n#[inline]\nfn f() -> u8 {\n    // no\n    1\n}\n\
            #[cfg(test)]\nmod tests {\n    fn g() {}\n}\n#[cfg(target_arch = \"x86_64\")]\nfn h<A, B>(_: A, _: B) -> [u8; 2] {\n    [1, 2]\n}\n\
            struct S {\n    #[cfg(feature = \"off\")]\n    a: u8,\n    b: u8,\n}\n";
        assert_eq!(counted(&[("lib.rs", text)]).lines, 4 + 3);
    }

    #[test]
    fn modules_are_followed_as_the_compiler_does() {
        let lib = "mod a;\nmod b {\n    mod c;\n}\n#[path = \"other.rs\"]\nmod d;\n#[cfg(feature = \"off\")]\nmod e;\nm! { mod f; }\n";
        let files = [
            ("lib.rs", lib),
            ("a/mod.rs", "mod g;\n"),
            ("a/g.rs", "fn g() {}\n"),
            ("b/c.rs", "fn c() {}\n"),
            ("other.rs", "fn d() {}\n"),
            ("e.rs", "fn e() {}\nfn e() {}\n"),
            ("f.rs", "fn f() {}\n"),
        ];
        assert_eq!(counted(&files).lines, 7 + 1 + 1 + 1 + 1 + 1);
    }

    #[test]
    fn every_kind_of_unsafe_is_counted_once() {
        let text = "unsafe fn a() { unsafe { b() } }\nunsafe extern \"C\" fn c() {}\nunsafe impl T for S {}\n\
            unsafe trait U {}\nunsafe extern \"C\" { fn d(); }\ntype F = unsafe fn(u8);\n#[unsafe(no_mangle)]\nfn e() {}\n\
            #[cfg(test)]\nunsafe fn t() {}\n";
        assert_eq!(
            counted(&[("lib.rs", text), ("x", "")]),
            Count { lines: 8, blocks: 1, functions: 2, others: 3 }
        );
    }
}
