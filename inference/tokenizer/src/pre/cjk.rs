// SPDX-License-Identifier: MIT
//! DeepSeek's stages over explicit lists of characters.

use super::Step;
use super::class::{first, is_space, run, run_up_to};

/// Letters that have case, as DeepSeek-LLM lists them: pairs of first and last character.
const CASED: &str = "AZazµµÀÖØöøƺƼƿǄʓʕʯͰͳͶͷͻͽͿͿΆΆΈΊΌΌΎΡΣϵϷҁҊԯԱՖႠჅᎠᏽᏸᏽᲐᲺᲽᲿᴀᴫᵫᵷᵹᶚḀἕἘἝἠὅὈὍὐὗὙὙὛὛὝὝὟώᾀᾴᾶᾼιιῂῄῆῌῐΐῖΊῠῬῲῴῶῼℂℂℇℇℊℓℕℕℙℝℤℤΩΩℨℨKℭℯℴℹℹℼℿⅅⅉⅎⅎↃↄⰀⱻⱾⳤⳫⳮⳲⳳꙀꙭꚀꚛꜢꝯꝱꞇꞋꞎꭰꮿﬀﬆﬓﬗＡＺａｚ𐐀𐑏𐒰𐓓𐓘𐓻𐲀𐲲𐳀𐳲𑢠𑣟𞤀𞥃";

fn is_cased(c: char) -> bool {
    let mut bounds = CASED.chars();
    core::iter::from_fn(|| Some((bounds.next()?, bounds.next()?)))
        .any(|(low, high)| (low..=high).contains(&c))
}

/// `\s?[A-Za-zµÀ-Ö…]+`
pub(crate) fn spaced_cased_letters(text: &str) -> Step {
    spaced(text, |c| c.is_ascii_alphabetic() || (!c.is_ascii() && is_cased(c)))
}

/// `\s?[!-/:-~！-／：-～‘-‟　-。]+`
pub(crate) fn spaced_marks(text: &str) -> Step {
    spaced(
        text,
        |c| matches!(c, '!'..='/' | ':'..='~' | '！'..='／' | '：'..='～' | '\u{2018}'..='\u{201f}' | '\u{3000}'..='\u{3002}'),
    )
}

/// `\s?` and a run of `of`; where `of` has white space in it, the run may begin there.
fn spaced(text: &str, of: impl Fn(char) -> bool) -> Step {
    let space = run_up_to(text, 1, is_space);
    let after = run(&text[space..], &of);
    match (after, run(text, &of)) {
        (0, 0) => Step::Gap(first(text).len_utf8()),
        (0, length) => Step::Match(length),
        (length, _) => Step::Match(space + length),
    }
}

/// `[一-龥ࠀ-一가-퟿]+`
pub(crate) fn han_and_hangul(text: &str) -> Step {
    listed(text, |c| matches!(c, '\u{800}'..='\u{9fa5}' | '\u{ac00}'..='\u{d7ff}'))
}

/// `[一-龥぀-ゟ゠-ヿ]+`
pub(crate) fn han_and_kana(text: &str) -> Step {
    listed(text, |c| matches!(c, '\u{4e00}'..='\u{9fa5}' | '\u{3040}'..='\u{309f}' | '\u{30a0}'..='\u{30ff}'))
}

fn listed(text: &str, of: impl Fn(char) -> bool) -> Step {
    match run(text, &of) {
        0 => Step::Gap(run(text, |c| !of(c))),
        length => Step::Match(length),
    }
}
