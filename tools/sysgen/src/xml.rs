//! An editable XML tree that remembers where each element and attribute was written.
//!
//! One design rule: overlays edit this tree, the checks read it and [`Element::to_xml`] writes it, so the resolved
//! description that is checked is exactly the one that is written out.
//! Limits: 1 MiB of text, 32 levels, no DTD, no text between elements (the format has none).

use crate::problem::{Place, Problems};
use std::fmt::Write;
use std::sync::Arc;

const MAX_TEXT: usize = 1 << 20;
const MAX_DEPTH: usize = 32;

/// An attribute as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// Value, entities resolved.
    pub value: String,
    /// Where it was written; an overlay's attribute points into the overlay.
    pub place: Place,
}

/// What an element may contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// A comment, kept for the people who read the resolved file.
    Comment(String),
    /// A processing instruction `<?target text?>`.
    Directive {
        /// Whom it is for.
        target: String,
        /// What it says.
        text: String,
        /// Where.
        place: Place,
    },
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Tag.
    pub tag: String,
    /// Attributes in the order written.
    pub attributes: Vec<Attribute>,
    /// Contents in the order written.
    pub children: Vec<Node>,
    /// Where its start tag begins.
    pub place: Place,
}

impl Element {
    /// Parses a file's text; `file` is its name for messages.
    ///
    /// # Errors
    /// Not XML, too large, too deep, or text between elements.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        let file: Arc<str> = file.into();
        let start = Place { file: file.clone(), line: 1, column: 1 };
        if text.len() > MAX_TEXT {
            return Err(Problems::one_at(
                &start,
                "the file is larger than 1 MiB; is it a system description?",
            ));
        }
        let document = roxmltree::Document::parse(text).map_err(|error| {
            let place = Place { line: error.pos().row, column: error.pos().col, ..start };
            Problems::one_at(&place, format!("this is not well-formed XML: {error}"))
        })?;
        let mut problems = Problems::default();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let root = Converter { file, lines }.element(document.root_element(), 0, &mut problems);
        problems.or(root)
    }

    /// An attribute's value.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.attribute(name).map(|attribute| attribute.value.as_str())
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Where an attribute was written, or else the element.
    pub fn place_of(&self, attribute: &str) -> &Place {
        self.attribute(attribute).map_or(&self.place, |attribute| &attribute.place)
    }

    /// Replaces or adds an attribute.
    pub fn set(&mut self, name: &str, value: &str, place: &Place) {
        let new = Attribute { name: name.into(), value: value.into(), place: place.clone() };
        match self.attributes.iter_mut().find(|attribute| attribute.name == name) {
            Some(attribute) => *attribute = new,
            None => self.attributes.push(new),
        }
    }

    /// Child elements.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(Node::element)
    }

    /// Child elements, to edit.
    pub fn elements_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        self.children.iter_mut().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            _ => None,
        })
    }

    /// The element as an XML document.
    pub fn to_xml(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        let indent = "    ".repeat(depth);
        let _ = write!(out, "{indent}<{}", self.tag);
        for attribute in &self.attributes {
            let _ = write!(out, " {}=\"{}\"", attribute.name, escape(&attribute.value));
        }
        if self.children.is_empty() {
            out.push_str(" />\n");
            return;
        }
        out.push_str(">\n");
        for child in &self.children {
            child.write(out, depth + 1);
        }
        let _ = writeln!(out, "{indent}</{}>", self.tag);
    }
}

impl Node {
    /// The element, if it is one.
    pub fn element(&self) -> Option<&Element> {
        match self {
            Self::Element(element) => Some(element),
            _ => None,
        }
    }

    fn write(&self, out: &mut String, depth: usize) {
        let indent = "    ".repeat(depth);
        match self {
            Self::Element(element) => element.write(out, depth),
            Self::Comment(text) => {
                let _ = writeln!(out, "{indent}<!--{text}-->");
            }
            Self::Directive { target, text, .. } => {
                let _ = writeln!(out, "{indent}<?{target} {text}?>");
            }
        }
    }
}

fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\r' | '\t' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

/// Knows where each line begins: roxmltree's own positions take a walk from the file's start each.
struct Converter {
    file: Arc<str>,
    lines: Vec<usize>,
}

impl Converter {
    fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).unwrap_or(&0);
        Place { file: self.file.clone(), line: line as u32, column: (offset - start + 1) as u32 }
    }

    fn element(&self, node: roxmltree::Node<'_, '_>, depth: usize, problems: &mut Problems) -> Element {
        let attributes = node.attributes().map(|attribute| Attribute {
            name: attribute.name().into(),
            value: attribute.value().into(),
            place: self.place(attribute.range().start),
        });
        let mut element = Element {
            tag: node.tag_name().name().into(),
            attributes: attributes.collect(),
            children: Vec::new(),
            place: self.place(node.range().start),
        };
        if depth == MAX_DEPTH {
            problems
                .at(&element.place, "elements are nested more than 32 deep; close the ones that are done");
            return element;
        }
        for child in node.children() {
            element.children.extend(self.node(child, &element.tag, depth + 1, problems));
        }
        element
    }

    fn node(
        &self,
        node: roxmltree::Node<'_, '_>,
        parent: &str,
        depth: usize,
        problems: &mut Problems,
    ) -> Option<Node> {
        let place = self.place(node.range().start);
        if node.is_element() {
            return Some(Node::Element(self.element(node, depth, problems)));
        }
        if node.is_comment() {
            return Some(Node::Comment(node.text().unwrap_or_default().into()));
        }
        if let Some(pi) = node.pi() {
            let text = pi.value.unwrap_or_default().into();
            return Some(Node::Directive { target: pi.target.into(), text, place });
        }
        let raw = node.text().unwrap_or_default();
        let text = raw.trim();
        if !text.is_empty() {
            let place = self.place(node.range().start + (raw.len() - raw.trim_start().len()));
            let start: String = text.chars().take(20).collect();
            problems.at(
                &place,
                format!("<{parent}> contains the text '{start}'; remove it or make it a comment"),
            );
        }
        None
    }
}
