// SPDX-License-Identifier: MIT
//! Prose: Markdown, reStructuredText and plain paragraphs.
use alloc::string::String;
use alloc::vec::Vec;

use super::blocks::{Block, Builder, Line, lines};

/// The headings that the current line stands under, outermost first.
#[derive(Default)]
struct Headings(Vec<(usize, String)>);

impl Headings {
    /// Enters a heading of a level; those of the same and deeper levels end.
    fn enter(&mut self, level: usize, title: &str) {
        self.0.retain(|(other, _)| *other < level);
        self.0.push((level, title.chars().take(100).collect()));
    }

    fn path(&self) -> String {
        let titles: Vec<&str> = self.0.iter().map(|(_, title)| title.as_str()).collect();
        titles.join(" > ")
    }
}

/// Blocks between blank lines.
pub(super) fn paragraphs(text: &str) -> Vec<Block> {
    let mut builder = Builder::default();
    for line in lines(text) {
        if line.is_blank() { builder.close() } else { builder.line(&line, "") }
    }
    builder.finish()
}

/// `## Title` as (2, "Title").
fn hash_heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| (level, title.trim().trim_end_matches('#').trim_end()))
}

/// A line of one repeated punctuation character, at least `shortest` long.
fn underline(line: &str, shortest: usize) -> Option<char> {
    let first = line.chars().next()?;
    let same = line.chars().all(|c| c == first) && line.chars().count() >= shortest;
    (same && first.is_ascii_punctuation()).then_some(first)
}

/// The fence that a line opens or closes.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    ["```", "~~~"].into_iter().find(|fence| line.starts_with(fence))
}

/// The level of a heading underlined in the way of Markdown.
fn setext_level(next: Option<&Line<'_>>) -> Option<usize> {
    match underline(next?.text, 3)? {
        '=' => Some(1),
        '-' => Some(2),
        _ => None,
    }
}

/// Markdown: headings, fences as one block each, paragraphs and lists.
pub(super) fn markdown(text: &str) -> Vec<Block> {
    let (mut builder, mut headings) = (Builder::default(), Headings::default());
    let mut open_fence = None;
    let mut all = lines(text).peekable();
    while let Some(line) = all.next() {
        let starts_paragraph = !builder.is_open() && !line.is_blank();
        let setext = setext_level(all.peek()).filter(|_| starts_paragraph && open_fence.is_none());
        let heading = hash_heading(line.text).or(setext.map(|level| (level, line.text)));
        if let Some(opened) = open_fence {
            builder.line(&line, &headings.path());
            if fence(line.text) == Some(opened) {
                open_fence = None;
                builder.close();
            }
        } else if let Some((level, title)) = heading {
            headings.enter(level, title);
            builder.begin(&line, &headings.path(), true);
            if setext.is_some() && hash_heading(line.text).is_none() {
                all.next().inspect(|rule| builder.line(rule, ""));
            }
        } else if line.is_blank() {
            builder.close();
        } else {
            open_fence = fence(line.text);
            builder.line(&line, &headings.path());
        }
    }
    builder.finish()
}

/// reStructuredText: titles are underlined; each new kind of underline is one level deeper.
pub(super) fn rst(text: &str) -> Vec<Block> {
    let (mut builder, mut headings) = (Builder::default(), Headings::default());
    let mut styles: Vec<char> = Vec::new();
    let mut all = lines(text).peekable();
    while let Some(line) = all.next() {
        let length = line.text.chars().count().max(3);
        let is_title = line.is_flush_left() && underline(line.text, 1).is_none();
        let style = all.peek().filter(|_| is_title).and_then(|next| underline(next.text, length));
        if let Some(style) = style {
            let level = styles.iter().position(|other| *other == style).unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            headings.enter(level + 1, line.text);
            builder.begin(&line, &headings.path(), true);
            all.next().inspect(|rule| builder.line(rule, ""));
        } else if line.is_blank() {
            builder.close();
        } else {
            builder.line(&line, &headings.path());
        }
    }
    builder.finish()
}
