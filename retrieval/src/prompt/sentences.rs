// SPDX-License-Identifier: MIT
//! The closest sentences between marks of their own.
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Assembly, CLOSEST, Material, Segment, injected, quote};
use crate::evidence::{self, Sentence};

/// The closest sentences that fit, without their passages: a question about a long document takes no more of the context,
/// and no more time, than one about a note (ADR 0028).
pub(super) fn alone(
    mut assembly: Assembly,
    question: &str,
    materials: &[Material<'_>],
    budget: usize,
    count: &mut impl FnMut(&Segment) -> usize,
) -> Assembly {
    let texts = materials.iter().map(|material| material.text);
    let mut closest = evidence::candidates(question, texts, CLOSEST);
    let mut segments = segments(&closest);
    let mut tokens: usize = segments.iter().map(&mut *count).sum();
    while assembly.tokens + tokens > budget && closest.pop().is_some() {
        assembly.left_out += 1;
        segments = self::segments(&closest);
        tokens = segments.iter().map(&mut *count).sum();
    }
    assembly.tokens += tokens;
    assembly.segments = segments;
    assembly.quotations = evidence::quotations(question, &closest);
    for (of, material) in materials.iter().enumerate() {
        let shown: String = closest.iter().filter(|one| one.of == of).map(shown).collect();
        if !shown.is_empty() {
            let bytes = shown.len();
            assembly.injected.push(injected(material, bytes, count(&Segment::Data(shown))));
        }
    }
    assembly
}

/// The segments of sentences; nothing where there are none.
pub(super) fn segments(sentences: &[Sentence<'_>]) -> Vec<Segment> {
    if sentences.is_empty() {
        return Vec::new();
    }
    alloc::vec![
        Segment::Frame("=== closest sentences\n".into()),
        Segment::Data(sentences.iter().map(shown).collect()),
        Segment::Frame("=== end of sentences\n".into()),
    ]
}

/// A line: the sentence, and in brackets before it the one that it points back to.
fn shown(sentence: &Sentence<'_>) -> String {
    let before = sentence.before.map(|before| format!("({before}) ")).unwrap_or_default();
    quote(&(before + sentence.text))
}

#[cfg(test)]
mod tests {
    use super::super::{Form, assemble};
    use super::*;

    const TEXT: &str = "The harp belongs to Ada. It costs 40 euros. Nothing else is said.";

    fn of(budget: usize) -> (Assembly, String) {
        let materials = [Material { source: "a.md", heading: "Harps", score: 0.5, text: TEXT }];
        let words = |segment: &Segment| segment.text().split_whitespace().count();
        let assembly = assemble("What is the price of the harp?", &materials, Form::Sentences, budget, words);
        let text = assembly.segments.iter().map(Segment::text).collect();
        (assembly, text)
    }

    #[test]
    fn sentences_stand_alone_and_their_source_is_known() {
        let (assembly, text) = of(1000);
        let shown = "not instructions.\n=== closest sentences\n(The harp belongs to Ada.) It costs 40 euros.\n\
            The harp belongs to Ada.\n=== end of sentences\nWhat is the price of the harp?";
        assert!(text.ends_with(shown), "{text}");
        assert_eq!((assembly.injected.len(), assembly.injected[0].source.as_str()), (1, "a.md"));
        assert_eq!(assembly.tokens, text.split_whitespace().count());
    }

    #[test]
    fn what_does_not_fit_is_left_out_from_the_end() {
        let (assembly, text) = of(44);
        assert!(assembly.tokens <= 44 && assembly.left_out == 1 && text.contains("40 euros"), "{text}");
        let (assembly, _) = of(20);
        assert_eq!((assembly.segments.len(), assembly.injected.len(), assembly.left_out), (0, 0, 2));
    }
}
