// SPDX-License-Identifier: MIT
//! How people write: politeness, capitals, punctuation, typing mistakes.

use crate::made::{capital, one};

/// Before a request that begins with a verb.
const BEFORE_VERBS: [&str; 16] = [
    "please",
    "please",
    "can you",
    "could you",
    "could you please",
    "can you please",
    "would you",
    "will you",
    "i want you to",
    "i'd like you to",
    "now",
    "just",
    "go and",
    "kindly",
    "you should",
    "i need you to",
];
/// Before any request.
const BEFORE: [&str; 8] = ["hey,", "hello,", "ok,", "cloister,", "so,", "well,", "hi,", "computer,"];
const AFTER: [&str; 8] =
    ["please", ", please", "now", "for me", ", thanks", ", thank you", "right now", "if you can"];
/// Verbs that requests begin with.
const VERBS: &str = " show list print give display tell set change make use take load switch open explain turn put \
    start stop run measure test check answer try generate repeat redo regenerate forget clear erase delete wipe reset \
    remove add index import include search look find read scan remember note store save restart reboot kill halt shut \
    power quit exit leave end close drop release unload free limit restrict keep raise lower increase reduce recall \
    learn train undo revert roll correct enable disable activate deactivate install remind report describe let bring \
    reload relaunch replace swap wrap break hide begin consult ignore fix pin choose format write do play send call \
    book order create compile translate connect mount throw get exclude refresh update collect fine-tune collect ";

/// A request as somebody might type it. `exact`: parts that must stay as they are.
pub fn typed(text: &str, exact: &[String], rng: &mut fastrand::Rng) -> String {
    let mut text = polite(text, exact, rng);
    if rng.u8(..100) < 12 {
        text = mistyped(&text, exact, rng);
    }
    match rng.u8(..10) {
        0..5 => text,
        5..7 => punctuated(&text, exact, rng),
        7..9 => punctuated(&headed(&text.replace(" i ", " I "), exact), exact, rng),
        _ => headed(&text, exact),
    }
}

/// With a capital at its head, unless a part that must stay as it is stands there.
fn headed(text: &str, exact: &[String]) -> String {
    if exact.iter().any(|part| text.starts_with(part.as_str())) { text.to_string() } else { capital(text) }
}

fn polite(text: &str, exact: &[String], rng: &mut fastrand::Rng) -> String {
    let mut out = text.to_string();
    if rng.u8(..100) < 30 {
        let first = text.split(' ').next().unwrap_or_default();
        let verb = VERBS.split_whitespace().any(|verb| verb == first);
        let before = if verb && text.contains(' ') { one(&BEFORE_VERBS, rng) } else { one(&BEFORE, rng) };
        out = format!("{before} {out}");
    }
    // After a free text, words of politeness would belong to the text.
    if rng.u8(..100) < 12 && !exact.iter().any(|part| part.contains(' ') && text.ends_with(part.as_str())) {
        let after = one(&AFTER, rng);
        let gap = if after.starts_with(',') { "" } else { " " };
        out = format!("{out}{gap}{after}");
    }
    out
}

fn punctuated(text: &str, exact: &[String], rng: &mut fastrand::Rng) -> String {
    if exact.iter().any(|part| text.ends_with(part.as_str())) || text.ends_with(['.', '?', '!']) {
        return text.to_string();
    }
    const ASKING: &str = " how what which who whose where when why is are was were do does did has have can could \
        would will may am ";
    let first = text.split([' ', ',']).next().unwrap_or_default().to_lowercase();
    let asks = ASKING.split_whitespace().any(|word| word == first);
    let mark = match (asks, rng.u8(..10)) {
        (true, 0..9) => "?",
        (false, 0..8) => ".",
        _ => "!",
    };
    format!("{text}{mark}")
}

/// One typing mistake in a word that does not have to stay as it is.
fn mistyped(text: &str, exact: &[String], rng: &mut fastrand::Rng) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_string).collect();
    let at = rng.usize(..words.len());
    let word: Vec<char> = words[at].chars().collect();
    let may = word.len() > 3
        && word.iter().all(|c| c.is_ascii_alphabetic())
        && !exact.iter().any(|part| part.contains(&words[at]));
    if may {
        words[at] = mistake(word, rng);
    }
    words.join(" ")
}

fn mistake(mut word: Vec<char>, rng: &mut fastrand::Rng) -> String {
    let at = rng.usize(1..word.len() - 1);
    match rng.u8(..4) {
        0 => word.swap(at, at + 1),
        1 => drop(word.remove(at)),
        2 => word.insert(at, word[at]),
        _ => word[at] = char::from(b'a' + rng.u8(..26)),
    }
    word.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_parts_stay() {
        let mut rng = fastrand::Rng::with_seed(7);
        let exact = ["my cat is on the roof".to_string()];
        for _ in 0..500 {
            let text = typed("remember that my cat is on the roof", &exact, &mut rng);
            assert!(text.ends_with(&exact[0]), "{text}");
        }
    }

    #[test]
    fn exact_parts_at_the_head_stay() {
        let mut rng = fastrand::Rng::with_seed(7);
        let exact = ["atlas.md".to_string()];
        for _ in 0..500 {
            let text = typed("atlas.md is not needed", &exact, &mut rng);
            assert!(text.contains(&exact[0]), "{text}");
        }
    }
}
