//! The checks of a file's header, on the bytes that have been read so far.

use crate::LoadError;
use crate::error::cut;
use alloc::string::ToString;
use inference_gguf::{Gguf, GgufError};
use inference_model::{Family, Hyper, ModelError};

/// What is known of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// At least so many bytes of the file are needed.
    More(u64),
    /// Usable; it takes so many bytes, and tensor data begin there.
    Complete(u64),
}

/// Checks the header of the file `name` of `size` bytes, of which `prefix` is read.
pub(crate) fn check(name: &str, prefix: &[u8], size: u64) -> Result<Header, LoadError> {
    let name = || cut(name, 64).to_string();
    let gguf = match Gguf::parse_prefix(prefix, size) {
        Ok(gguf) => gguf,
        Err(GgufError::NeedMore { at_least }) => return Ok(Header::More(at_least)),
        Err(error) => return Err(LoadError::Model { name: name(), error: error.into() }),
    };
    if gguf.tensors().is_empty() {
        return Err(LoadError::NoTensors { name: name() });
    }
    let family = family(&gguf).map_err(|error| LoadError::Model { name: name(), error })?;
    if family.encoder {
        return Err(LoadError::Encoder { name: name() });
    }
    let end = gguf.data_offset();
    Ok(if end > prefix.len() as u64 { Header::More(end) } else { Header::Complete(end) })
}

/// The architecture, with hyperparameters that make sense.
fn family(gguf: &Gguf<'_>) -> Result<&'static Family, ModelError> {
    let key = "general.architecture";
    let name = gguf.require(key, gguf.str(key))?;
    let unknown = || ModelError::UnsupportedArchitecture { name: cut(name, 64).to_string() };
    let family = Family::named(name).ok_or_else(unknown)?;
    Hyper::read(gguf, family).map(|_| family)
}
