// SPDX-License-Identifier: MIT
//! Which part of a sentence answers a question: from the first word that the question names to the sentence's end.
//!
//! A small model begins an answer most surely with a word of the question, and goes on from where that word stands in
//! the passage. The part holds the fact, or the whole sentence is taken.

/// Words that are in most questions and choose no sentence.
const COMMON: &str = " the a an of is was are were be been being am does did do what who whom whose when where which why \
    how much many in on at to for by from with it its he she they his her their this that these those and or not no \
    has have had can could may might must should will would there here one you i we me my your our us if as about \
    into than then so after before during out up down off over under again all any each ";
/// Words that belong to what follows them.
const LEADING: &str = " the a an his her its their our your my this that every each no dr. king general ";

/// The part of `sentence` from the first word of `question` on, if `fact` is in it.
pub fn from_question<'a>(sentence: &'a str, question: &str, fact: &str) -> &'a str {
    let asked: Vec<String> = question.split_whitespace().map(bare).filter(|word| !is_common(word)).collect();
    let Some(limit) = sentence.find(fact) else { return sentence };
    let mut before: Option<(usize, &str)> = None;
    for (at, word) in words(sentence) {
        if at > limit {
            break;
        }
        if asked.iter().any(|asked| alike(asked, &bare(word))) {
            let leading = |(_, word): &(usize, &str)| LEADING.contains(&format!(" {} ", word.to_lowercase()));
            let start = before.filter(leading).map_or(at, |(at, _)| at);
            return &sentence[start..];
        }
        before = Some((at, word));
    }
    sentence
}

/// Words with their places.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let begin = text.as_ptr() as usize;
    text.split_whitespace().map(move |word| (word.as_ptr() as usize - begin, word))
}

fn is_common(word: &str) -> bool {
    word.is_empty() || COMMON.contains(&format!(" {word} "))
}

/// In small letters, without punctuation around it.
fn bare(word: &str) -> String {
    let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
    word.strip_suffix("'s").unwrap_or(word).to_lowercase()
}

/// The same word, or forms of one: "climb" and "climbed".
fn alike(a: &str, b: &str) -> bool {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let longest = a.len().max(b.len());
    a == b || shared >= 4 && shared + 3 >= longest && a.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_begin_with_what_the_question_names() {
        let fire = "In 1871 the town of Brackwater was destroyed by a fire.";
        assert_eq!(
            from_question(fire, "What destroyed the town?", "a fire"),
            "the town of Brackwater was destroyed by a fire."
        );
        assert_eq!(from_question(fire, "When was the town destroyed?", "1871"), fire);
        let climb = "It was first climbed in 1887 by Anton.";
        assert_eq!(from_question(climb, "Who climbed it?", "Anton"), "climbed in 1887 by Anton.");
        assert_eq!(from_question(climb, "Who went up?", "Anton"), climb);
        assert_eq!(from_question("Anton owns it.", "Who owns it?", "Anton"), "Anton owns it.");
    }
}
