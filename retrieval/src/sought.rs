// SPDX-License-Identifier: MIT
//! What sort of answer a question asks for, and whether a sentence has something of that sort: by words alone.
//!
//! Source: answer types, as question answering has used them since TREC (Voorhees, "The TREC-8 Question Answering Track",
//! 1999).
use alloc::string::String;
use alloc::vec::Vec;

/// A sort of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// "How many", "how far", "what price": something with digits or a word for a number.
    Number,
    /// "When", "which year".
    Time,
    /// "Who", "which company": something with a capital within the sentence.
    Name,
    /// "Why".
    Reason,
    /// "Where", "which town".
    Place,
}

/// Measures after "how".
const MEASURES: [&str; 18] = [
    "many", "much", "long", "far", "old", "high", "heavy", "hot", "deep", "wide", "tall", "large", "big",
    "fast", "often", "cold", "thick", "strong",
];
/// Names of quantities.
const QUANTITIES: [&str; 15] = [
    "number",
    "amount",
    "price",
    "cost",
    "phone",
    "temperature",
    "weight",
    "length",
    "height",
    "depth",
    "width",
    "speed",
    "percentage",
    "age",
    "budget",
];
/// What is asked for with "which" or "what".
const TIMES: [&str; 9] = ["time", "year", "day", "date", "month", "century", "weekday", "hour", "season"];
const BEARERS: [&str; 5] = ["person", "company", "firm", "man", "woman"];
const PLACES: [&str; 7] = ["city", "town", "country", "place", "room", "street", "floor"];

const NUMERALS: [&str; 22] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "twenty", "thirty", "forty", "fifty", "hundred", "thousand", "million", "half", "dozen", "twice",
];
const MOMENTS: [&str; 44] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "noon",
    "midnight",
    "morning",
    "evening",
    "afternoon",
    "night",
    "spring",
    "summer",
    "autumn",
    "winter",
    "today",
    "yesterday",
    "tomorrow",
    "o'clock",
    "daily",
    "weekly",
    "after",
    "before",
    "during",
    "since",
    "until",
    "every",
    "while",
    "when",
    "soon",
];
const CAUSES: [&str; 9] = ["because", "since", "so", "due", "owing", "reason", "therefore", "as", "to"];
const WHEREABOUTS: [&str; 18] = [
    "in", "at", "on", "near", "behind", "under", "between", "beside", "above", "below", "inside", "outside",
    "opposite", "from", "to", "into", "by", "next",
];

/// The sort of answer that a question asks for, where its words say it.
pub fn sought(question: &str) -> Option<Sought> {
    let words = words(question);
    let has = |word: &str| words.iter().any(|other| other == word);
    let after = |firsts: &[&str], seconds: &[&str]| {
        let pair = |two: &[String]| firsts.contains(&two[0].as_str()) && seconds.contains(&two[1].as_str());
        words.windows(2).any(pair)
    };
    let which = |of: &[&str]| after(&["which", "what"], of);
    if after(&["how"], &MEASURES) || QUANTITIES.iter().any(|word| has(word)) {
        Some(Sought::Number)
    } else if has("when") || has("date") || which(&TIMES) || after(&["how"], &["late", "early"]) {
        Some(Sought::Time)
    } else if ["who", "whom", "whose"].iter().any(|word| has(word)) || which(&BEARERS) {
        Some(Sought::Name)
    } else if has("why") || after(&["what"], &["for"]) {
        Some(Sought::Reason)
    } else if has("where") || which(&PLACES) {
        Some(Sought::Place)
    } else {
        None
    }
}

impl Sought {
    /// Whether a sentence has something of this sort.
    pub fn is_in(self, sentence: &str) -> bool {
        let has = |of: &[&str]| words(sentence).iter().any(|word| of.contains(&word.as_str()));
        let digits = |word: &str| word.contains(|c: char| c.is_ascii_digit());
        match self {
            Self::Number => {
                sentence.split_whitespace().any(|word| digits(word) && !is_year(word)) || has(&NUMERALS)
            }
            Self::Time => digits(sentence) || has(&MOMENTS),
            Self::Name => sentence.split_whitespace().skip(1).any(begins_with_capital),
            Self::Reason => has(&CAUSES),
            Self::Place => has(&WHEREABOUTS),
        }
    }
}

/// Four digits from 1500 to 2099: who asks "how many" seldom asks for these.
fn is_year(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
    bare.len() == 4 && bare.parse().is_ok_and(|year| (1500..2100).contains(&year))
}

fn begins_with_capital(word: &str) -> bool {
    word.trim_start_matches(['"', '\'', '(']).starts_with(char::is_uppercase)
}

/// The words of a text, in small letters.
fn words(text: &str) -> Vec<String> {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_is_sought() {
        let all = [
            ("How many guests came?", Some(Sought::Number)),
            ("what is the PRICE of it", Some(Sought::Number)),
            ("Since when is it open?", Some(Sought::Time)),
            ("In which year was it built?", Some(Sought::Time)),
            ("By whom?", Some(Sought::Name)),
            ("Why is it closed?", Some(Sought::Reason)),
            ("Where does it stand?", Some(Sought::Place)),
            ("What does it eat?", None),
            ("", None),
        ];
        for (question, sort) in all {
            assert_eq!(sought(question), sort, "{question}");
        }
    }

    #[test]
    fn sentences_have_it_or_not() {
        assert!(Sought::Number.is_in("It holds twenty people."));
        assert!(!Sought::Number.is_in("It holds many people."));
        assert!(!Sought::Number.is_in("It was built in 1912."));
        assert!(Sought::Number.is_in("It holds 1,912 people."));
        assert!(Sought::Time.is_in("It opens on Monday."));
        assert!(Sought::Name.is_in("It belongs to Ada."));
        assert!(!Sought::Name.is_in("The owner is unknown."));
        assert!(Sought::Reason.is_in("It is closed because of rain."));
        assert!(!Sought::Place.is_in("It stands."));
    }
}
