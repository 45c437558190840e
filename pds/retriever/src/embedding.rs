// SPDX-License-Identifier: MIT
//! How texts become vectors: the model in `/system`, or hashes of words where there is none.

use crate::files::{self, FileError};
use crate::inbox::Inbox;
use crate::port::Port;
use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::cell::RefCell;
use inference_embedding::{Encoder, EncoderModel};
use inference_gguf::Gguf;
use inference_kernels::Kernels;
use ipc_pd::health;
use ipc_protocol::session_retriever;
use ipc_protocol::storage::Folder;
use retrieval::embed::{EmbedError, Embedder, HashEmbedder};

/// Files of `/system` that are looked at.
const MOST_FILES: usize = 32;

/// What may interrupt an embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Taking in documents: any message.
    Background,
    /// This request: the user.
    Request(u32),
}

/// See the module's documentation.
pub struct Embedding {
    encoder: Option<Encoder<'static, 'static>>,
    label: String,
    inbox: Rc<RefCell<Inbox>>,
    /// What it is used for now.
    pub(crate) purpose: Purpose,
}

impl Embedding {
    /// Hashes of words; `why` there is no model.
    pub(crate) fn hash(inbox: Rc<RefCell<Inbox>>, why: &str) -> Self {
        let gap = if why.is_empty() { "" } else { ": " };
        let label = format!("{}{gap}{why}", HashEmbedder::LABEL);
        Self { encoder: None, label, inbox, purpose: Purpose::Background }
    }

    /// The model, if there is one in `/system`; `weights` is where its file goes, once in the PD's life.
    pub(crate) fn find(
        inbox: Rc<RefCell<Inbox>>,
        port: &mut Port,
        weights: Option<&'static mut [u8]>,
        kernels: Kernels,
    ) -> Self {
        let encoder = weights
            .ok_or_else(|| String::from("this image has no memory for a model"))
            .and_then(|weights| load(port, weights).map_err(|error| format!("the model in /system {error}")))
            .and_then(|file| bind(file, kernels));
        match encoder {
            Ok(encoder) => {
                let label = encoder.model().label().to_string();
                Self { encoder: Some(encoder), label, inbox, purpose: Purpose::Background }
            }
            Err(why) => Self::hash(inbox, &why),
        }
    }

    /// Its kind, as session is told.
    pub(crate) fn kind(&self) -> session_retriever::Embedding {
        match self.encoder {
            Some(_) => session_retriever::Embedding::Model,
            None => session_retriever::Embedding::Hash,
        }
    }

    /// Its label; of the fallback, with the reason for it.
    pub(crate) fn description(&self) -> &str {
        &self.label
    }
}

/// Reads the first model file of `/system` into `weights`.
fn load(port: &mut Port, weights: &'static mut [u8]) -> Result<&'static [u8], FileError> {
    let found = files::list(port, Folder::System, MOST_FILES)?.files;
    let model = found.iter().find(|file| file.path.to_ascii_lowercase().ends_with(".gguf"));
    let model = model.ok_or(FileError::NotFound)?;
    let bytes = files::open(port, Folder::System, &model.path)?;
    let limit = weights.len();
    let place = weights.get_mut(..bytes as usize).ok_or(FileError::TooLarge { bytes, limit })?;
    files::read_open(port, place)?;
    Ok(place)
}

/// The model and what it works in live as long as the PD: a restart begins with an empty heap.
fn bind(file: &'static [u8], kernels: Kernels) -> Result<Encoder<'static, 'static>, String> {
    let gguf = Gguf::parse(file).map_err(|error| error.to_string())?;
    let model = EncoderModel::bind(&gguf).map_err(|error| error.to_string())?;
    let needs = model.needs().map_err(|error| error.to_string())?;
    if model.dims() != HashEmbedder::DIMS {
        return Err(format!("the model has {} values per text, not {}", model.dims(), HashEmbedder::DIMS));
    }
    let model = Box::leak(Box::new(model));
    let cache = alloc::vec![0; needs.cache].leak();
    let scratch = alloc::vec![0.0; needs.scratch].leak();
    Encoder::new(model, kernels, cache, scratch).map_err(|error| error.to_string())
}

impl Embedder for Embedding {
    fn label(&self) -> &str {
        if self.encoder.is_some() { &self.label } else { HashEmbedder::LABEL }
    }

    fn dims(&self) -> usize {
        HashEmbedder::DIMS
    }

    fn finds_meaning(&self) -> bool {
        self.encoder.is_some()
    }

    fn embed(&mut self, text: &str, out: &mut [f32]) -> Result<(), EmbedError> {
        let Some(encoder) = &mut self.encoder else { return HashEmbedder.embed(text, out) };
        let (inbox, purpose) = (&self.inbox, self.purpose);
        let mut go_on = || {
            health::beat();
            let mut inbox = inbox.borrow_mut();
            inbox.look();
            match purpose {
                Purpose::Background => !inbox.has_mail() && !inbox.is_quiet(),
                Purpose::Request(id) => !inbox.is_cancelled(id),
            }
        };
        encoder.embed_while(text, out, &mut go_on).map(drop).map_err(|_| EmbedError::Failed)
    }
}
