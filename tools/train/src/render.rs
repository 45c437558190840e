// SPDX-License-Identifier: MIT
//! From texts and conversations to tokens, as the running system makes them, with a mark at those that are to be learnt.

use anyhow::{Context, Result, bail, ensure};
use inference_template::{Family, Message, Role, encode, recognise, render};
use inference_tokenizer::Tokenizer;
use serde::Deserialize;
use training::Document;

/// A line of a data file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    text: Option<String>,
    prompt: Option<String>,
    completion: Option<String>,
    messages: Option<Vec<Turn>>,
    /// Which tokens of a conversation count.
    loss: Option<Loss>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Loss {
    All,
    Assistant,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    role: String,
    content: String,
}

impl Turn {
    fn role(&self) -> Result<Role> {
        Ok(match self.role.as_str() {
            "system" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            other => bail!("role `{other}` is not known: use system, user or assistant"),
        })
    }
}

/// Makes documents of lines.
pub struct Renderer<'t, 'a> {
    tokenizer: &'t Tokenizer<'a>,
    family: Family,
    end: u32,
}

impl<'t, 'a> Renderer<'t, 'a> {
    /// For a vocabulary and the chat template that came with it.
    pub fn new(tokenizer: &'t Tokenizer<'a>, template: Option<&str>) -> Result<Self> {
        let end = tokenizer.special().eos.or_else(|| tokenizer.ends().first().copied());
        let end =
            end.context("the vocabulary has no token that ends a text (tokenizer.ggml.eos_token_id)")?;
        Ok(Self { tokenizer, family: recognise(template)?, end })
    }

    /// The tokens of a line.
    pub fn document(&self, line: &Line) -> Result<Document> {
        match line {
            Line { text: Some(text), prompt: None, completion: None, messages: None, .. } => self.text(text),
            Line { text: None, prompt: Some(prompt), completion: Some(answer), messages: None, .. } => {
                self.completion(prompt, answer)
            }
            Line { text: None, prompt: None, completion: None, messages: Some(turns), .. } => {
                let mut document = self.conversation(turns)?;
                if line.loss == Some(Loss::All) {
                    document.counted.fill(true);
                }
                Ok(document)
            }
            _ => bail!("a line has either `text`, or `prompt` and `completion`, or `messages`"),
        }
    }

    fn text(&self, text: &str) -> Result<Document> {
        let mut tokens = Vec::new();
        self.tokenizer.encode(text, true, false, &mut tokens)?;
        self.finish(&mut tokens);
        Ok(Document { counted: vec![true; tokens.len()], tokens })
    }

    fn completion(&self, prompt: &str, answer: &str) -> Result<Document> {
        let (mut before, mut tokens) = (Vec::new(), Vec::new());
        self.tokenizer.push_begin(&mut before)?;
        tokens.extend_from_slice(&before);
        self.tokenizer.encode(prompt, false, false, &mut before)?;
        self.tokenizer.encode(&format!("{prompt}{answer}"), false, false, &mut tokens)?;
        self.finish(&mut tokens);
        let known = common(&before, &tokens);
        Ok(Document { counted: (0..tokens.len()).map(|i| i >= known).collect(), tokens })
    }

    /// Counts what is new in each answer against the prompt that asks for it.
    fn conversation(&self, turns: &[Turn]) -> Result<Document> {
        ensure!(self.family != Family::None, "the vocabulary has no chat template, which `messages` need");
        let messages = turns.iter().map(|turn| Ok(Message { role: turn.role()?, text: &turn.content }));
        let messages: Vec<Message<'_>> = messages.collect::<Result<_>>()?;
        let tokens = self.turns(&messages, false)?;
        let mut counted = vec![false; tokens.len()];
        for (at, message) in messages.iter().enumerate().filter(|(_, m)| m.role == Role::Assistant) {
            ensure!(!message.text.trim().is_empty(), "an answer is empty");
            let asked = self.turns(&messages[..at], true)?;
            let answered = self.turns(&messages[..=at], false)?;
            let end = common(&answered, &tokens);
            counted[common(&asked, &tokens).min(end)..end].fill(true);
        }
        Ok(Document { tokens, counted })
    }

    fn turns(&self, messages: &[Message<'_>], generate: bool) -> Result<Vec<u32>> {
        let (mut segments, mut tokens) = (Vec::new(), Vec::new());
        render(self.family, messages, generate, &mut segments)?;
        encode(self.tokenizer, self.family, &segments, &mut tokens)?;
        Ok(tokens)
    }

    fn finish(&self, tokens: &mut Vec<u32>) {
        if tokens.last() != Some(&self.end) {
            tokens.push(self.end);
        }
    }
}

/// Tokens that both begin with.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
