// SPDX-License-Identifier: MIT
//! Chunks: where documents are cut, and that nothing of them is lost.
mod sim;

use retrieval::chunk::{Chunk, ChunkError, Format, Limits, MAX_DOCUMENT, Plan, chunk, decode, plan};
use sim::Rng;

fn cut(text: &str, format: Format) -> Vec<(String, String)> {
    let chunks = chunk(text, format, Limits::default());
    chunks.into_iter().map(|chunk| (chunk.heading, text[chunk.range].to_owned())).collect()
}

fn headings(text: &str, format: Format) -> Vec<String> {
    cut(text, format).into_iter().map(|(heading, _)| heading).collect()
}

#[test]
fn formats_by_name() {
    assert_eq!(Format::of_path("/docs/README.MD"), Some(Format::Markdown));
    assert_eq!(Format::of_path("a.b/main.rs"), Some(Format::Braces));
    assert_eq!(Format::of_path("x.py"), Some(Format::Python));
    assert_eq!(Format::of_path("archive.tar.gz"), None);
    assert_eq!(Format::of_path("md"), None);
}

#[test]
fn markdown_sections_carry_their_path() {
    let text = "intro\n\n# Install\n\nText.\n\n## From source\n\nRun:\n\n```sh\n# not a heading\n\nmake\n```\n\nUsage\n=====\nUse it.\n";
    let expected = ["", "Install", "Install > From source", "Usage"];
    assert_eq!(headings(text, Format::Markdown), expected);
    assert!(cut(text, Format::Markdown)[2].1.contains("# not a heading\n\nmake"));
}

#[test]
fn rst_levels_follow_first_use() {
    let text =
        "Title\n=====\n\nIntro.\n\nPart\n----\n\nText.\n\nOther\n-----\n\nMore.\n\nNext\n====\n\nEnd.\n";
    assert_eq!(headings(text, Format::Rst), ["Title", "Title > Part", "Title > Other", "Next"]);
}

#[test]
fn functions_stay_whole_and_keep_their_comment() {
    let body = "    let x = '{'; // }\n    call(\"}\");\n".repeat(12);
    let text = format!(
        "/// Adds.\nfn add<'a>(a: &'a str) {{\n{body}}}\n\n/* b {{ */\nstatic int sub(int a)\n{{\n{body}}}\n"
    );
    let chunks = cut(&text, Format::Braces);
    assert_eq!(chunks.len(), 2, "{chunks:#?}");
    assert_eq!(chunks[0].0, "fn add<'a>(a: &'a str)");
    assert!(chunks[0].1.starts_with("/// Adds.") && chunks[0].1.ends_with('}'));
    assert_eq!(chunks[1].0, "static int sub(int a)");
}

#[test]
fn python_methods_are_named_after_their_class() {
    let body = "        value = compute_something(value)\n".repeat(11);
    let text = format!(
        "import os\n\nclass A(B):\n    @property\n    def one(self):\n{body}\n    def two(self):\n{body}\ndef three():\n{body}"
    );
    let names = headings(&text, Format::Python);
    assert_eq!(names[1..], ["class A(B) > def one(self)", "class A(B) > def two(self)", "def three()"]);
}

#[test]
fn long_paragraphs_are_cut_between_sentences() {
    let text = "A sentence of some length stands here. ".repeat(100);
    let chunks = cut(&text, Format::Text);
    assert!(chunks.len() >= 4 && chunks.iter().all(|(_, text)| text.len() <= 1000 && text.ends_with('.')));
}

#[test]
fn short_paragraphs_are_joined() {
    let text = "Line one.\n\n".repeat(30);
    assert_eq!(cut(&text, Format::Text).len(), 1);
}

/// For any input: chunks lie in order inside the text, within the limit, and hold every letter of it.
#[test]
fn nothing_is_lost_whatever_the_input() {
    let pieces = [
        "# h\n",
        "\n",
        "\n\n",
        "=====\n",
        "fn f() {",
        "}\n",
        "\"",
        "/*",
        "*/",
        "'",
        "def x():\n",
        "    @a\n",
        "```\n",
        "word ",
        "é",
        "日本語",
        "x",
        ". ",
        "\\",
        "\r\n",
        "class A:\n",
    ];
    let formats = [Format::Markdown, Format::Text, Format::Rst, Format::Braces, Format::Python];
    for seed in 0..600 {
        let mut rng = Rng(seed);
        let text: String =
            (0..rng.below(400)).map(|_| pieces[rng.below(pieces.len() as u64) as usize]).collect();
        for format in formats {
            let limits = Limits { target: 1 + rng.below(100) as usize, max: 20 + rng.below(200) as usize };
            let chunks = chunk(&text, format, limits);
            let mut end = 0;
            for chunk in &chunks {
                assert!(chunk.range.start >= end && chunk.range.len() <= limits.max, "seed {seed}");
                end = chunk.range.end;
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let kept: String = chunks.iter().map(|chunk| letters(&text[chunk.range.clone()])).collect();
            assert!(kept == letters(&text), "seed {seed} {format:?}");
        }
    }
}

#[test]
fn files_that_are_no_text_are_refused() {
    assert_eq!(decode(b"\x7fELF\x00\x01"), Err(ChunkError::Binary));
    assert_eq!(decode(&[0xFF; 100]), Err(ChunkError::Binary));
    assert_eq!(decode(&vec![b'a'; MAX_DOCUMENT + 1]), Err(ChunkError::TooLarge { bytes: MAX_DOCUMENT + 1 }));
    assert_eq!(decode(b"\xEF\xBB\xBFhello"), Ok("hello".into()));
    assert_eq!(decode(b"one wrong byte \xFF in a text"), Ok("one wrong byte \u{FFFD} in a text".into()));
}

#[test]
fn only_changed_chunks_are_new() {
    let text = |middle: &str| format!("# A\n\nFirst.\n\n# B\n\n{middle}\n\n# C\n\nLast.\n");
    let of = |text: &str| chunk(text, Format::Markdown, Limits::default());
    let before = of(&text("Old."));
    let stored: Vec<(u64, [u8; 16])> = (10..).zip(before.iter().map(|chunk: &Chunk| chunk.hash)).collect();
    let planned = plan(&stored, &of(&text("New, and longer.")));
    assert_eq!(planned, Plan { keep: vec![(10, 0), (12, 2)], add: vec![1], remove: vec![11] });
    assert_eq!(plan(&stored, &[]), Plan { remove: vec![10, 11, 12], ..Plan::default() });
}
