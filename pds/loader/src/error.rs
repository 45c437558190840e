//! Why a load fails, in words for people: what, where, and what to do.

use alloc::string::String;
use core::fmt;
use drivers_fat::FatError;
use inference_manifest::{ManifestError, Mismatch};
use inference_model::ModelError;
use ipc_protocol::storage::Outcome;
use ipc_protocol::{PIECE, Piece};

/// Why a load failed. Each message fits [`Piece`], or is cut there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The machine has no disk: start it with one.
    NoDisk,
    /// The disk has no partition for files: make a new disk image.
    NoPartition,
    /// The file system cannot be read.
    Volume(FatError),
    /// There is no model on the disk.
    NoModel,
    /// No model is called so; the text names those that exist.
    UnknownName { wanted: String, known: String },
    /// The file's chain cannot be followed.
    File { name: String, error: FatError },
    /// The file lies in more pieces than there is memory for.
    TooFragmented { name: String },
    /// The device failed to read.
    Read { sector: u64, outcome: Outcome },
    /// Storage refuses what it allowed before, or has another disk: load again.
    DiskChanged,
    /// Storage broke the protocol.
    Storage,
    /// Storage does not answer.
    NoAnswer,
    /// The header, or what it says, cannot be used.
    Model { name: String, error: ModelError },
    /// It is an embedding model.
    Encoder { name: String },
    /// The file has no tensors.
    NoTensors { name: String },
    /// The header does not fit the vocabulary region.
    HeaderTooLarge { name: String, header: u64, region: u64 },
    /// The file does not fit the weights region.
    TooLarge { name: String, bytes: u64, region: u64 },
    /// The image's policy cannot be read: build it again.
    Policy,
    /// The image takes signed models only, and there is no manifest.
    NotSigned { name: String },
    /// The manifest is longer than any.
    ManifestTooLarge { name: String, bytes: u32 },
    /// The manifest is damaged, or not signed by a trusted key.
    Manifest { name: String, error: ManifestError },
    /// The model is not the one that was signed.
    Mismatch { name: String, identity: String, error: Mismatch },
    /// An older version than the image accepts, or than was in use.
    Rollback { name: String, identity: String, version: u64, oldest: u64 },
    /// More different signed models were loaded than are kept account of.
    TooManyIdentities { name: String },
    /// The account of the versions in use cannot be read.
    NoAccount { name: String },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDisk => write!(f, "there is no disk: start with --model FILE.gguf, which makes one"),
            Self::NoPartition => write!(
                f,
                "the disk has no partition CLOISTER, or its partition table is damaged: start with --model FILE.gguf, which makes a new disk"
            ),
            Self::Volume(error) => write!(f, "partition CLOISTER {error}"),
            Self::NoModel => write!(
                f,
                "no model on the disk: put a .gguf into /models on the partition CLOISTER, or start with --model FILE.gguf"
            ),
            Self::UnknownName { wanted, known } => write!(f, "no model {wanted}; there are: {known}"),
            Self::Read { sector, outcome } => {
                let what = if *outcome == Outcome::NoDevice { "is gone" } else { "cannot read" };
                write!(
                    f,
                    "the disk {what} (sector {sector} of partition CLOISTER): check it, then load again"
                )
            }
            Self::DiskChanged => write!(f, "the disk changed while the model was read: load it again"),
            Self::Storage => write!(f, "storage broke the protocol: restart it"),
            Self::NoAnswer => write!(f, "the disk does not answer: load again, or restart storage"),
            Self::Policy => write!(f, "the image's model policy is damaged: build the image again"),
            Self::NotSigned { .. }
            | Self::ManifestTooLarge { .. }
            | Self::Manifest { .. }
            | Self::Mismatch { .. }
            | Self::Rollback { .. }
            | Self::TooManyIdentities { .. }
            | Self::NoAccount { .. } => self.fmt_signed(f),
            _ => self.fmt_file(f),
        }
    }
}

impl LoadError {
    fn fmt_file(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, error } => write!(f, "{name} {error}; copy the file again"),
            Self::TooFragmented { name } => {
                write!(f, "{name} lies in too many pieces: copy it to an empty disk")
            }
            Self::Model { name, error } => write!(f, "{name}: {error}"),
            Self::Encoder { name } => {
                write!(f, "{name} is an embedding model, which cannot chat: load another")
            }
            Self::NoTensors { name } => write!(f, "{name} has no tensors: it is not a complete model file"),
            Self::HeaderTooLarge { name, header, region } => write!(
                f,
                "{name}: its header takes {header} bytes, the vocabulary region has {region}: build the image with a larger one"
            ),
            Self::TooLarge { name, bytes, region } => write!(
                f,
                "{name} has {} MiB ({bytes} bytes), the weights region {} MiB: take a smaller model, or start with more --ram",
                bytes.div_ceil(1 << 20),
                region >> 20
            ),
            _ => Ok(()),
        }
    }

    fn fmt_signed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSigned { name } => write!(
                f,
                "{name} is not signed: there is no .sig file beside it, and this image takes signed models only"
            ),
            Self::ManifestTooLarge { name, bytes } => {
                write!(f, "{name}.sig is not a manifest: {bytes} bytes are more than any has")
            }
            Self::Manifest { name, error } => write!(f, "{name}.sig {error}"),
            Self::Mismatch { name, identity, error } => {
                write!(f, "{name} is not the model {identity} that was signed: {error}")
            }
            Self::Rollback { name, identity, version, oldest } => write!(
                f,
                "{name} is version {version} of {identity}, older than {oldest}: rollback is refused"
            ),
            Self::TooManyIdentities { name } => write!(
                f,
                "{name}: too many different signed models were in use to guard another against rollback; docs/signed-models.md says how to begin anew"
            ),
            Self::NoAccount { name } => write!(
                f,
                "{name} is signed, but which versions were in use cannot be read from the disk: check it, then load again"
            ),
            _ => Ok(()),
        }
    }

    /// For the supervisor; cut at a character where it is too long.
    pub(crate) fn piece(&self) -> Piece {
        piece(&alloc::format!("{self}"))
    }
}

impl core::error::Error for LoadError {}

fn piece(text: &str) -> Piece {
    match text.len() {
        0..=PIECE => Piece::new(text.as_bytes()),
        _ => Piece::new(alloc::format!("{}…", cut(text, PIECE - 3)).as_bytes()),
    }
}

/// At most `bytes` bytes of `text`, whole characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
