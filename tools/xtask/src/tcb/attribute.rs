//! Attributes in a stream of tokens, and where the item behind one ends.

use proc_macro2::{Delimiter, TokenTree};

/// An attribute: where it ends, and its contents.
pub struct Attribute {
    /// Behind it.
    pub end: usize,
    /// `#![…]`.
    pub inner: bool,
    /// For example `cfg`.
    pub name: String,
    /// What follows the name.
    pub rest: Vec<TokenTree>,
}

impl Attribute {
    /// The file that `#[path = "…"]` names.
    pub fn path(&self) -> Option<String> {
        match &self.rest[..] {
            [TokenTree::Punct(_), TokenTree::Literal(text)] if self.name == "path" => {
                Some(text.to_string().trim_matches('"').to_owned())
            }
            _ => None,
        }
    }
}

/// The attribute that begins at `at`.
pub fn attribute(tokens: &[TokenTree], at: usize) -> Option<Attribute> {
    let punct = |at: usize, c| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == c);
    let inner = punct(at + 1, '!');
    let end = at + 1 + usize::from(inner);
    let Some(TokenTree::Group(group)) = tokens.get(end).filter(|_| punct(at, '#')) else { return None };
    if group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let mut contents = group.stream().into_iter();
    let name = contents.next()?.to_string();
    Some(Attribute { end: end + 1, inner, name, rest: contents.collect() })
}

/// Behind the item, statement, field or arm that begins at `at`.
pub fn skip_item(tokens: &[TokenTree], mut at: usize) -> usize {
    const ITEMS: [&str; 16] = [
        "pub",
        "fn",
        "mod",
        "impl",
        "struct",
        "enum",
        "use",
        "const",
        "static",
        "type",
        "trait",
        "unsafe",
        "extern",
        "macro_rules",
        "async",
        "let",
    ];
    while let Some(attribute) = attribute(tokens, at) {
        at = attribute.end;
    }
    let item =
        matches!(tokens.get(at), Some(TokenTree::Ident(word)) if ITEMS.iter().any(|item| *word == item));
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at,
            TokenTree::Punct(end) if end.as_char() == ';' || (end.as_char() == ',' && !item) => return at,
            _ => {}
        }
    }
    at
}
