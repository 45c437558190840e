// SPDX-License-Identifier: MIT
//! `/show`: the model's facts, the parameters, the system prompt, the template, the licence.

use crate::language::count;
use crate::session::{Session, text};
use crate::settings::NAMES;
use alloc::format;
use alloc::string::String;
use ipc_protocol::console_session::{Level, Show};

impl Session {
    /// Shows something.
    pub(crate) fn show(&mut self, what: Show) {
        let shown = match what {
            Show::Info => self.info(),
            Show::Parameters => self.parameters(),
            Show::System if self.conversation.system.is_empty() => {
                "there is no system prompt; /set system TEXT sets one".into()
            }
            Show::System => self.conversation.system.clone(),
            Show::Template => self.template(),
            Show::License => self.license(),
        };
        self.say(Level::Plain, &shown);
    }

    fn info(&self) -> String {
        let (Some(language), Some(facts)) = (self.model.language.as_ref(), self.model.facts) else {
            return self.why_no_model().unwrap_or_default();
        };
        format!(
            "file:          {} (SHA-256 {}...)\n\
             origin:        {}\n\
             architecture:  {}, {} weights, mostly {}\n\
             context:       {} tokens in use; the cache holds {}, the model was trained with {}\n\
             cache:         {} bytes for the whole context\n\
             vocabulary:    {} tokens\n\
             template:      {}\n\
             workers:       {}",
            text(self.model.name.as_slice()),
            self.shown_hash(),
            self.model.origin_in_full(),
            language.architecture(),
            count(language.weights()),
            language.quantisation(),
            self.context(),
            facts.context,
            facts.trained_context,
            facts.cache_bytes,
            language.tokenizer.len(),
            language.family.map_or("unknown", |family| family.name()),
            facts.workers,
        )
    }

    fn parameters(&self) -> String {
        let settable = NAMES.iter().filter(|name| **name != "template");
        let lines = settable.map(|name| format!("{name:<15} {}\n", self.settings.value(name)));
        lines.collect()
    }

    fn template(&self) -> String {
        let Some(language) = self.model.language.as_ref() else {
            return self.why_no_model().unwrap_or_default();
        };
        match (&language.family, &language.unknown) {
            (Some(family), _) if language.has_turns() => format!("{family}"),
            (Some(_), _) => "none: the model continues a text, and each message is a text of its own".into(),
            (None, Some(why)) => format!("{why}; /set template NAME chooses one"),
            (None, None) => "unknown".into(),
        }
    }

    fn license(&self) -> String {
        let Some(language) = self.model.language.as_ref() else {
            return self.why_no_model().unwrap_or_default();
        };
        match language.license() {
            lines if lines.is_empty() => "the model's file states no licence".into(),
            lines => lines.join("\n"),
        }
    }
}
