// SPDX-License-Identifier: MIT
//! The model, as the supervisor and compute describe it together.

use crate::language::Language;
use crate::session::{Session, text};
use alloc::format;
use alloc::string::String;
use ipc_protocol::Name;
use ipc_protocol::console_session::ToConsole;
use ipc_protocol::session_compute::ModelFacts;
use ipc_protocol::signing::Signed;
use ipc_protocol::supervisor_compute::Sealed;

/// How a model is given to the system.
const HOW: &str = "put a .gguf file on the disk (cargo xtask run --model FILE.gguf); /models lists what is there, /load NAME loads it";

/// What is known of the model.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// Its file.
    pub name: Name,
    /// First bytes of its hash.
    pub hash: [u8; 8],
    /// Who signed it.
    pub signed: Option<Signed>,
    /// Where it lies.
    pub sealed: Option<Sealed>,
    /// Its text side.
    pub language: Option<Language>,
    /// What compute makes of it.
    pub facts: Option<ModelFacts>,
    /// The supervisor said that there is none.
    pub absent: bool,
    /// Why there is none, for people.
    pub why: String,
    /// The hash of the model that the conversation was had with.
    pub talked_with: Option<[u8; 8]>,
    /// The last model that could be used, to go back to.
    pub last_good: Option<Name>,
    /// What the console was told.
    pub told: Option<ToConsole>,
}

impl Model {
    /// Whether a trusted key signed it, and which, for people.
    pub fn origin(&self) -> String {
        let Some(signed) = &self.signed else { return "not signed".into() };
        let (identity, signer) = (text(signed.identity.as_slice()), text(signed.signer.as_slice()));
        format!("signed by {signer} as {identity}, version {}", signed.version)
    }

    /// The same, with the key.
    pub fn origin_in_full(&self) -> String {
        let key = self.signed.as_ref().map(|signed| hex(&signed.key));
        key.map_or_else(|| self.origin(), |key| format!("{} (key {key}...)", self.origin()))
    }
}

/// As digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Session {
    /// Why nothing can be answered; `None` when there is a model.
    pub(crate) fn why_no_model(&self) -> Option<String> {
        let model = &self.model;
        match (&model.language, model.facts, model.absent) {
            (Some(_), Some(_), _) => None,
            (Some(_), None, _) => {
                Some("compute is not ready yet; try again in a moment, /status shows the servers".into())
            }
            (None, _, true) if model.why.is_empty() => Some(format!("no model is loaded: {HOW}")),
            (None, _, true) => Some(format!("no model is loaded ({}): {HOW}", model.why)),
            (None, _, false) => Some("the model is still being loaded; try again in a moment".into()),
        }
    }

    /// Tells the console about the model, when that is news.
    pub(crate) fn tell_model(&mut self) {
        let Some(news) = self.description().filter(|news| self.model.told.as_ref() != Some(news)) else {
            return;
        };
        self.model.told = Some(news.clone());
        self.console.push(news);
    }

    /// What the console should know; `None` while that is not clear.
    fn description(&self) -> Option<ToConsole> {
        if self.model.absent {
            let (name, description) = (Name::default(), Name::default());
            return Some(ToConsole::Model { name, description, context: 0, cache_bytes: 0, workers: 0 });
        }
        let (language, facts, sealed) =
            (self.model.language.as_ref()?, self.model.facts?, self.model.sealed.as_ref()?);
        (facts.generation == sealed.generation).then(|| ToConsole::Model {
            name: self.model.name.clone(),
            description: Name::new(language.description().as_bytes()),
            context: facts.context,
            cache_bytes: facts.cache_bytes,
            workers: facts.workers,
        })
    }
}
