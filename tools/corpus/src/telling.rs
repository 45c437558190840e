// SPDX-License-Identifier: MIT
//! How events are told, and how is asked about their parts.

use crate::events::{Event, Verb};
use crate::made::{capital, one};

/// A sentence that tells an event. `again`: the one before was about the same person.
pub fn told(event: &Event, again: bool, rng: &mut fastrand::Rng) -> String {
    let Verb([_, past, participle]) = &event.verbs[0];
    let what = thing(event, true, rng);
    let who = match again && rng.bool() {
        true => one(&["he", "she", "they", "he also", "she also"], rng).to_string(),
        false => event.who.clone(),
    };
    let (place, time) = (spaced(&event.place), spaced(&event.time));
    let why = event.why.as_ref().map_or(String::new(), |why| format!(" because {why}"));
    let was = if event.count.is_some() { "were" } else { "was" };
    match rng.u8(..8) {
        0 if !time.is_empty() => format!("{}, {who} {past} {what}{place}{why}.", capital(time.trim())),
        1 if !place.is_empty() => format!("{}, {who} {past} {what}{time}{why}.", capital(place.trim())),
        2 | 3 => format!("{what} {was} {participle} by {}{place}{time}{why}.", event.who),
        4 => format!("{who} {past} {what}{time}{place}{why}."),
        5 if !again => format!("it was {who} who {past} {what}{place}{time}{why}."),
        _ => format!("{who} {past} {what}{place}{time}{why}."),
    }
}

fn spaced(part: &Option<String>) -> String {
    part.as_ref().map_or(String::new(), |part| format!(" {part}"))
}

/// "14 old lanterns", "an old lantern"; in a question "the old lanterns".
fn thing(event: &Event, told: bool, rng: &mut fastrand::Rng) -> String {
    let article = match event.one.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => "an",
        false => "a",
    };
    match &event.count {
        Some(count) if told => format!("{count} {}", event.many),
        Some(_) => format!("the {}", event.many),
        None if told && rng.bool() => format!("{article} {}", event.one),
        None => format!("the {}", event.one),
    }
}

/// Questions about an event.
pub struct Ask<'a> {
    event: &'a Event,
    verb: Verb,
    what: String,
}

impl<'a> Ask<'a> {
    /// Often with another verb of the same meaning.
    fn new(event: &'a Event, rng: &mut fastrand::Rng) -> Self {
        let verb = event.verbs[if rng.bool() { 0 } else { rng.usize(..event.verbs.len()) }].clone();
        Self { event, verb, what: thing(event, false, rng) }
    }

    /// A question about a part that is told, and the part.
    pub fn told(event: &Event, rng: &mut fastrand::Rng) -> Option<(String, String)> {
        let ask = Ask::new(event, rng);
        Some(match rng.u8(..6) {
            0 => (ask.who(rng), event.who.clone()),
            1 => (ask.what(rng), event.count.as_ref().map_or(&event.one, |_| &event.many).clone()),
            2 => (ask.how_many(rng), event.count.clone()?),
            3 => (ask.place(rng), event.place.as_deref().map(bare)?),
            4 => (ask.time(rng), event.time.as_deref().map(bare)?),
            _ => (ask.why(), event.why.clone()?),
        })
    }

    /// A question about a part that is not told.
    pub fn untold(event: &Event, rng: &mut fastrand::Rng) -> Option<String> {
        let ask = Ask::new(event, rng);
        match rng.u8(..3) {
            0 if event.place.is_none() => Some(ask.place(rng)),
            1 if event.time.is_none() => Some(ask.time(rng)),
            2 if event.why.is_none() => Some(ask.why()),
            _ => None,
        }
    }

    /// A question that names person, verb and thing, or verb and thing.
    pub fn strange(event: &Event, rng: &mut fastrand::Rng) -> String {
        let ask = Ask::new(event, rng);
        match rng.u8(..4) {
            0 => ask.who(rng),
            1 => ask.how_many(rng),
            2 => ask.place(rng),
            _ => ask.time(rng),
        }
    }

    fn was(&self) -> &'static str {
        if self.event.count.is_some() { "were" } else { "was" }
    }

    fn who(&self, rng: &mut fastrand::Rng) -> String {
        let (Verb([_, past, participle]), what, was) = (&self.verb, &self.what, self.was());
        let place = if rng.u8(..4) == 0 { spaced(&self.event.place) } else { String::new() };
        match rng.u8(..4) {
            0 => format!("By whom {was} {what} {participle}{place}?"),
            1 => format!("Who {was} it that {past} {what}?").replace("were it", "was it"),
            _ => format!("Who {past} {what}{place}?"),
        }
    }

    fn what(&self, rng: &mut fastrand::Rng) -> String {
        let (Verb([base, _, participle]), who) = (&self.verb, &self.event.who);
        match rng.u8(..3) {
            0 => format!("What was {participle} by {who}?"),
            _ => format!(
                "What did {who} {base}{}?",
                if rng.bool() { spaced(&self.event.place) } else { String::new() }
            ),
        }
    }

    fn how_many(&self, rng: &mut fastrand::Rng) -> String {
        let (Verb([base, _, participle]), Event { who, many, .. }) = (&self.verb, self.event);
        match rng.u8(..3) {
            0 => format!("How many {many} were {participle} by {who}?"),
            1 => format!("How many {many} were {participle}?"),
            _ => format!("How many {many} did {who} {base}?"),
        }
    }

    fn place(&self, rng: &mut fastrand::Rng) -> String {
        self.asked(one(&["Where", "Where", "Where", "In which place", "At what place"], rng), rng)
    }

    fn time(&self, rng: &mut fastrand::Rng) -> String {
        self.asked(one(&["When", "When", "When", "At what time", "On what date"], rng), rng)
    }

    /// A question about the whole event.
    fn asked(&self, word: &str, rng: &mut fastrand::Rng) -> String {
        let (Verb([base, _, participle]), who, what, was) =
            (&self.verb, &self.event.who, &self.what, self.was());
        match rng.u8(..3) {
            0 => format!("{word} {was} {what} {participle}?"),
            _ => format!("{word} did {who} {base} {what}?"),
        }
    }

    fn why(&self) -> String {
        let (Verb([base, ..]), who, what) = (&self.verb, &self.event.who, &self.what);
        format!("Why did {who} {base} {what}?")
    }
}

/// Without the preposition.
fn bare(part: &str) -> String {
    part.split_once(' ').map_or(part, |(_, rest)| rest).to_string()
}
