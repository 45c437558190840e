// SPDX-License-Identifier: MIT
//! Answers that are quotations (ADR 0027).
use alloc::string::String;
use alloc::vec::Vec;

use super::Sentence;
use super::words::{asked_terms, covers};

/// A model file's key that says how the model was taught to answer from passages.
pub const ANSWERS: &str = "cloister.answers";
/// Its value where answers are sentences of the passages, word for word.
pub const QUOTATIONS: &str = "quotations";
/// What a model that answers by quotations says when there is none.
pub const NOT_SAID: &str = "The passage does not say.";

/// What may be answered with a quotation: a grammar (GBNF) whose texts are the closest sentences, with one space before
/// or without, and [`NOT_SAID`]. `None` where no sentence is close.
///
/// Where the closest one has two thirds of the question's words, without those that only say of which kind the answer is,
/// there is no [`NOT_SAID`]: of the held-out questions of that sort the passage answers 97 of 100 (models/README.md).
pub fn quotations(question: &str, closest: &[Sentence<'_>]) -> Option<String> {
    let first = closest.first()?;
    let refusal = Some(NOT_SAID).filter(|_| !covers(&asked_terms(question), first.text));
    let literals: Vec<String> =
        closest.iter().map(|sentence| sentence.text).chain(refusal).map(literal).collect();
    Some(alloc::format!("root ::= \" \"? ({})\n", literals.join(" | ")))
}

/// A text in quotation marks. `inference/commands` has the same: sharing it would bring the whole sampler into the
/// retriever's trusted base.
fn literal(text: &str) -> String {
    let mut literal = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(if c.is_control() { ' ' } else { c });
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::super::closest;
    use super::*;

    const TEXT: &str =
        "The museum opened at 3.30 pm in 1962; a ticket costs 5.50 euros. Its head is M. Osei!\nNo dogs.";

    #[test]
    fn a_sentence_with_the_questions_words_covers_it() {
        let of = |question| covers(&asked_terms(question), closest(question, [TEXT], 1)[0].text);
        assert!(of("How much does a ticket cost?"));
        assert!(!of("Which tickets cost nothing for children?"));
    }

    #[test]
    fn quotations_are_close_sentences_and_a_refusal_where_none_covers_the_question() {
        let text = "He said \"no\".\tBye.";
        let of = |question| quotations(question, &closest(question, [text], 2));
        assert_eq!(of("who said no").unwrap(), "root ::= \" \"? (\"He said \\\"no\\\".\")\n");
        let expected = "root ::= \" \"? (\"Bye.\" | \"The passage does not say.\")\n";
        assert_eq!(of("bye bye blue bird").unwrap(), expected);
        assert_eq!(of("hello"), None);
    }
}
