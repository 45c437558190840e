// SPDX-License-Identifier: MIT
//! Grammars, right and wrong, and texts.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Whether `text` is a whole text of `grammar`, byte by byte as at once.
fn matches(grammar: &str, text: &str) -> bool {
    let grammar = Grammar::parse(grammar).unwrap_or_else(|error| panic!("{error}\n{grammar}"));
    let mut at_once = Matcher::new(&grammar).unwrap();
    let whole = at_once.accept(text.as_bytes()).is_ok() && at_once.is_complete();
    let mut matcher = Matcher::new(&grammar).unwrap();
    let bytewise = text.bytes().all(|byte| {
        let allowed = matcher.allows(&[byte]);
        assert_eq!(matcher.accept(&[byte]).is_ok(), allowed);
        allowed
    });
    assert_eq!(bytewise && matcher.is_complete(), whole, "{text}");
    whole
}

fn check(grammar: &str, good: &[&str], bad: &[&str]) {
    good.iter().for_each(|text| assert!(matches(grammar, text), "{grammar} should match {text:?}"));
    bad.iter().for_each(|text| assert!(!matches(grammar, text), "{grammar} should not match {text:?}"));
}

#[test]
fn literals_classes_and_alternatives() {
    check("root ::= \"yes\" | \"no\"", &["yes", "no"], &["", "y", "yesno", "n"]);
    check("root ::= [a-c_] [^a-c] .", &["adx", "_é🦙"], &["aax", "dxx", "ad"]);
    check("root ::= [-x] [a-] [\\]\\\\]", &["-a]", "x-\\"], &["ya]"]);
    check(r#"root ::= "\"\\\n\x41\u00e9\U0001F999""#, &["\"\\\nAé🦙"], &["\""]);
    check("root ::= | \"a\"", &["", "a"], &["aa"]);
    check("root ::= [^]", &["a", "\n"], &["", "aa"]);
}

#[test]
fn repetition() {
    check("root ::= \"ab\"*", &["", "ab", "abab"], &["a", "aba", "abb"]);
    check("root ::= \"a\"+ \"b\"?", &["a", "aab"], &["", "b", "abb"]);
    check("root ::= [0-9]{2}", &["12"], &["1", "123"]);
    check("root ::= [0-9]{2,}", &["12", "12345"], &["1"]);
    check("root ::= [0-9]{1, 3}", &["1", "123"], &["", "1234"]);
    check("root ::= (\"a\" | \"b\" \"c\"){0,2} \"d\"", &["d", "ad", "bcad"], &["aaad", "bd"]);
    check("root ::= \"\"* \"x\"{0}", &[""], &["x"]);
}

#[test]
fn lines_comments_and_rules() {
    let grammar = "# a comment\nroot ::= item # one\n  | (item\n      \",\" # inside a group\n   item)\n";
    // A line break ends a rule outside of groups, so the first `|` must end its line.
    assert!(Grammar::parse(&format!("{grammar}item ::= [a-z]")).is_err());
    let grammar =
        "root ::= item |\n (item\n \",\" # inside a group\n item)\n\nitem-1_x ::= \"z\"\nitem ::=\n [a-z]";
    check(grammar, &["a", "a,b"], &["a,", ",b"]);
}

const JSON: &str = r#"
root   ::= value
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws (string ":" ws value ("," ws string ":" ws value)*)? "}" ws
array  ::= "[" ws (value ("," ws value)*)? "]" ws
string ::= "\"" ([^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt/] | "u" [0-9a-fA-F]{4}))* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [1-9] [0-9]{0,15})? ws
ws     ::= | " " | "\n" [ \t]{0,20}
"#;

#[test]
fn json_is_followed() {
    let good = [
        "{}",
        "[1, 2, {\"a\": [true, null]}]",
        "\"é\\u00e9\\\"🦙\"",
        "-1.5e+10",
        "{\"a\":\n  \"b\", \"c\": {}}",
    ];
    check(JSON, &good, &["{", "[1,]", "{a: 1}", "\"\n\"", "01", "nul", "1 2"]);
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    assert!(matches(JSON, &deep));
}

#[test]
fn characters_may_arrive_in_parts() {
    let grammar = Grammar::parse("root ::= [é-ü] [^a] \"🦙\"").unwrap();
    let mut matcher = Matcher::new(&grammar).unwrap();
    for (bytes, allowed) in [
        (&b"\xc3"[..], true),
        (b"\xc4", false),
        (b"\xc3\xa9", true),
        (b"\xc3\xbf", false),
        (b"\xc3\xa9\xe2\x82", true),
        (b"\xc3\xa9b\xf0\x9f", true),
        (b"\xc3\xa9b\xf0\x9e", false),
        (b"\xc0", false),
        (b"\x80", false),
        (b"\xff", false),
    ] {
        assert_eq!(matcher.allows(bytes), allowed, "{bytes:x?}");
    }
    matcher.accept(b"\xc3").unwrap();
    assert!(!matcher.is_complete() && !matcher.allows(b"a") && matcher.allows(b"\xa9"));
}

#[test]
fn sets_know_their_holes() {
    let set = Set { negated: true, ranges: [('b', 'd'), ('f', 'z')].to_vec() };
    let meets = |low: char, high: char| set.meets(low.into(), high.into());
    assert!(meets('a', 'b') && meets('d', 'e') && meets('z', '{') && meets('e', 'e'));
    assert!(!meets('b', 'd') && !meets('g', 'h') && !meets('c', 'c'));
}

#[test]
fn other_tokens_are_masked() {
    let grammar = Grammar::parse("root ::= \"ab\" | \"b\"").unwrap();
    let mut matcher = Matcher::new(&grammar).unwrap();
    let pieces = ["a", "b", "ab", "abc", "", "<end>"];
    let piece = |token: u32, out: &mut Vec<u8>| out.extend_from_slice(pieces[token as usize].as_bytes());
    let masked = |matcher: &mut Matcher<'_>| {
        let mut logits = [1.0; 6];
        matcher.mask(&mut logits, piece, |token| token == 5);
        logits.map(|logit| logit == f32::NEG_INFINITY)
    };
    assert_eq!(masked(&mut matcher), [false, false, false, true, true, true]);
    matcher.accept(b"a").unwrap();
    assert_eq!(masked(&mut matcher), [true, false, true, true, true, true]);
    matcher.accept(b"b").unwrap();
    assert_eq!(masked(&mut matcher), [true, true, true, true, true, false]);
}

#[test]
fn errors_say_what_and_where() {
    for (grammar, line, column, problem) in [
        ("", 1, 1, Problem::NoRoot),
        ("root = \"a\"", 1, 6, Problem::Expected("'::='")),
        ("root ::= \"a", 1, 12, Problem::Expected("the end of the literal or class in the same line")),
        ("root ::= \"a\\q\"", 1, 12, Problem::BadEscape),
        ("root ::= \"\\uD800\"", 1, 11, Problem::BadEscape),
        ("root ::= \"\\U00110000\"", 1, 11, Problem::BadEscape),
        ("root ::= [z-a]", 1, 11, Problem::EmptyRange),
        ("root ::= []", 1, 10, Problem::EmptyClass),
        ("root ::= * \"a\"", 1, 10, Problem::NothingToRepeat),
        ("root ::= \"a\"**", 1, 14, Problem::NothingToRepeat),
        ("root ::= \"a\"{3,2}", 1, 13, Problem::BadCount),
        ("root ::= \"a\"{1001}", 1, 13, Problem::BadCount),
        ("root ::= \"a\"{99999999999}", 1, 13, Problem::BadCount),
        ("root ::= \"a\"{1", 1, 13, Problem::BadCount),
        ("root ::= (\"a\"", 1, 14, Problem::Expected("')', '|' or an item of the group")),
        ("root ::= \"a\")", 1, 13, Problem::Expected("'|', an item or the end of the line")),
        ("\n\nroot ::= a\n\nb ::= \"é\" c", 3, 10, Problem::UndefinedRule),
        ("root ::= a\na ::= \"é\" c", 2, 11, Problem::UndefinedRule),
        ("root ::= \"a\"\nroot ::= \"b\"", 2, 1, Problem::DuplicateRule),
        ("root ::= root \"a\" | \"b\"", 1, 1, Problem::LeftRecursion),
        ("root ::= a\na ::= b\nb ::= \"x\"? a", 2, 1, Problem::LeftRecursion),
        ("::= \"a\"", 1, 1, Problem::Expected("a rule's name")),
    ] {
        let error = Grammar::parse(grammar).unwrap_err();
        assert_eq!(error, GrammarError { line, column, problem }, "{grammar}");
        assert!(error.to_string().starts_with(&format!("grammar:{line}:{column}: ")), "{error}");
    }
}

#[test]
fn repeating_what_may_be_empty_is_left_recursion() {
    let error = Grammar::parse("root ::= (\"a\"?)*").unwrap_err();
    assert_eq!(error.problem, Problem::LeftRecursion);
}

#[test]
fn sizes_are_limited() {
    let deep = format!("root ::= {}\"a\"{}", "(".repeat(65), ")".repeat(65));
    assert_eq!(Grammar::parse(&deep).unwrap_err().problem, Problem::TooDeep);
    let large = "root ::= (((\"a\"{1000}){1000}){1000}){1000}";
    check_small(large);
    let wide = format!("root ::= \"{}\"", "a".repeat(70_000));
    assert_eq!(Grammar::parse(&wide).unwrap_err().problem, Problem::TooLarge);
    let many: String = (0..9000).map(|rule| format!("r{rule} ::= \"a\"\n")).collect();
    assert_eq!(Grammar::parse(&many).unwrap_err().problem, Problem::TooLarge);
}

/// Nested repetitions do not multiply in memory: each level is a rule.
fn check_small(text: &str) {
    let grammar = Grammar::parse(text).unwrap();
    assert!(grammar.elements.len() < 5000, "{}", grammar.elements.len());
}

#[test]
fn ambiguity_is_limited() {
    let grammar = Grammar::parse("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"a\"").unwrap();
    let mut matcher = Matcher::new(&grammar).unwrap();
    let result = (0..100_000).try_for_each(|_| matcher.accept(b"a"));
    assert_eq!(result, Err(MatchError::TooAmbiguous));
    assert!(matcher.nodes.len() <= 8192);
}

proptest! {
    #[test]
    fn any_text_is_a_grammar_or_an_error(text in "(root|a| |::=|\"a\"|\\[|\\]|a-z|\\^|\\(|\\)|\\*|\\?|\\+|\\{1,2\\}|\\||\n|\\\\|\"|#|\\.){0,30}") {
        if let Ok(grammar) = Grammar::parse(&text)
            && let Ok(mut matcher) = Matcher::new(&grammar)
        {
            let _ = matcher.accept("a".as_bytes());
        }
        let _ = Grammar::parse(&format!("root ::= {text}"));
    }

    #[test]
    fn any_bytes_are_allowed_exactly_if_accepted(pieces in prop::collection::vec("[\\[\\]{}\",:0-9a-z \\\\é🦙-]{1,4}", 0..20)) {
        let grammar = Grammar::parse(JSON).unwrap();
        let mut matcher = Matcher::new(&grammar).unwrap();
        for piece in pieces {
            let allowed = matcher.allows(piece.as_bytes());
            if !allowed {
                prop_assert!(matcher.accept(piece.as_bytes()).is_err());
                break;
            }
            prop_assert!(matcher.accept(piece.as_bytes()).is_ok());
        }
    }
}
