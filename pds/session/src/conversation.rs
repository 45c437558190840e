// SPDX-License-Identifier: MIT
//! What was said.
//!
//! One design rule: bounded, and what is forgotten on purpose is overwritten.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use inference_template::{Message, Role};

/// Most bytes of text in a conversation.
pub const MOST_BYTES: usize = 256 * 1024;

/// A message and, unless it is still being made, its answer.
#[derive(Debug)]
pub struct Turn {
    /// What the user said.
    pub message: String,
    /// The message with passages before it; put to the model while this is the last turn.
    pub whole: Option<String>,
    /// What the model said.
    pub answer: Option<String>,
}

impl Turn {
    fn bytes(&self) -> usize {
        let more = self.whole.iter().chain(&self.answer).map(String::len).sum::<usize>();
        self.message.len() + more
    }

    fn erase(self) {
        erase(self.message);
        self.whole.into_iter().for_each(erase);
        self.answer.into_iter().for_each(erase);
    }
}

/// A conversation; the system prompt outlives its turns.
#[derive(Debug, Default)]
pub struct Conversation {
    /// The system prompt, empty where there is none.
    pub system: String,
    turns: VecDeque<Turn>,
}

impl Conversation {
    /// The turns, oldest first.
    pub fn turns(&self) -> &VecDeque<Turn> {
        &self.turns
    }

    /// Adds a message; returns how many old turns had to go because there is no room to remember them.
    pub fn say(&mut self, message: String) -> usize {
        self.say_as(message, None)
    }

    /// As [`say`](Self::say); the model is given `whole`, the message with passages before it. Those of earlier turns go.
    pub fn say_as(&mut self, message: String, whole: Option<String>) -> usize {
        for turn in &mut self.turns {
            turn.whole.take().into_iter().for_each(erase);
        }
        self.turns.push_back(Turn { message, whole, answer: None });
        let mut dropped = 0;
        while self.bytes() > MOST_BYTES && self.drop_oldest() {
            dropped += 1;
        }
        dropped
    }

    fn bytes(&self) -> usize {
        self.turns.iter().map(Turn::bytes).sum()
    }

    /// Keeps the answer to the last message.
    pub fn answer(&mut self, text: String) {
        if let Some(turn) = self.turns.back_mut() {
            turn.answer = Some(text);
        }
    }

    /// Forgets the answer to the last message; whether there is a message to be answered again.
    pub fn reopen(&mut self) -> bool {
        let Some(turn) = self.turns.back_mut() else { return false };
        turn.answer.take().into_iter().for_each(erase);
        true
    }

    /// Forgets the last message, which was refused.
    pub fn take_back(&mut self) {
        self.turns.pop_back().into_iter().for_each(Turn::erase);
    }

    /// Forgets the oldest turn, if it is not the last one; whether it did.
    pub fn drop_oldest(&mut self) -> bool {
        let more = self.turns.len() > 1;
        if more {
            self.turns.pop_front().into_iter().for_each(Turn::erase);
        }
        more
    }

    /// Forgets all turns.
    pub fn clear(&mut self) {
        self.turns.drain(..).for_each(Turn::erase);
    }

    /// The messages as a template takes them, all of them or only the last.
    pub fn messages(&self, all: bool) -> Vec<Message<'_>> {
        let skip = if all { 0 } else { self.turns.len().saturating_sub(1) };
        let system = Some(self.system.as_str()).filter(|text| !text.is_empty());
        let mut messages: Vec<_> =
            system.map(|text| Message { role: Role::System, text }).into_iter().collect();
        for turn in self.turns.iter().skip(skip) {
            let text = turn.whole.as_ref().unwrap_or(&turn.message);
            messages.push(Message { role: Role::User, text });
            messages.extend(turn.answer.iter().map(|text| Message { role: Role::Assistant, text }));
        }
        messages
    }
}

/// Overwrites a text before its memory is given back.
pub fn erase(text: String) {
    let mut bytes = text.into_bytes();
    bytes.fill(0);
    // Keeps the compiler from leaving out stores that nobody reads.
    core::hint::black_box(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(conversation: &Conversation, all: bool) -> Vec<&str> {
        conversation.messages(all).iter().map(|message| message.text).collect()
    }

    #[test]
    fn the_system_prompt_outlives_everything() {
        let mut c = Conversation { system: "be brief".into(), ..Conversation::default() };
        c.say("one".into());
        c.answer("1".into());
        c.say("two".into());
        assert_eq!(texts(&c, true), ["be brief", "one", "1", "two"]);
        assert_eq!(texts(&c, false), ["be brief", "two"]);
        assert!(c.drop_oldest() && !c.drop_oldest());
        assert_eq!(texts(&c, true), ["be brief", "two"]);
        c.clear();
        assert_eq!(texts(&c, true), ["be brief"]);
    }

    #[test]
    fn the_last_message_can_be_answered_again_or_taken_back() {
        let mut c = Conversation::default();
        assert!(!c.reopen());
        c.say("one".into());
        c.answer("1".into());
        assert!(c.reopen());
        assert_eq!(texts(&c, true), ["one"]);
        c.take_back();
        assert!(texts(&c, true).is_empty());
    }

    #[test]
    fn its_memory_is_bounded() {
        let mut c = Conversation::default();
        let dropped: usize = (0..10).map(|_| c.say("x".repeat(64 * 1024))).sum();
        assert_eq!((dropped, c.turns().len()), (6, 4));
    }
}
