// SPDX-License-Identifier: MIT
//! What can be wrong with a file. Each message says what, where, and what the person who owns the file can do.

use alloc::string::String;
use core::fmt;

/// Why a GGUF file was refused. Names are cut to 64 characters, so an error has a bounded size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GgufError {
    /// The window given to [`crate::Gguf::parse_prefix`] ends inside the header: call again with at least this many
    /// bytes from the start of the file.
    NeedMore { at_least: u64 },
    /// The file does not start with `GGUF`: it is another kind of file.
    NotGguf,
    /// Version 1, a later one than 3, or a big-endian file: convert it anew.
    UnsupportedVersion { version: u32 },
    /// The file ends inside `what`: download or copy it again.
    Truncated { what: &'static str, needed: u64, file_len: u64 },
    /// A count in the header cannot fit into the file.
    ImpossibleCount { what: &'static str, count: u64 },
    /// There was no memory for `count` items of the directory: a smaller model, or a larger heap.
    OutOfMemory { what: &'static str, count: u64 },
    /// A key or a name is empty, too long or not UTF-8.
    BadName { what: &'static str, index: u64 },
    /// The key occurs twice.
    DuplicateKey { key: String },
    /// The tensor occurs twice.
    DuplicateTensor { tensor: String },
    /// The key's value has an unknown type number.
    UnknownValueType { key: String, id: u32 },
    /// The key holds an array of arrays.
    NestedArray { key: String },
    /// A boolean is neither 0 nor 1.
    BadBool { key: String },
    /// `general.alignment` is not a power of two from 8 to 1 MiB.
    BadAlignment { value: u64 },
    /// The key is needed and absent.
    MissingKey { key: String },
    /// The key is there with another type (or a value that does not fit).
    WrongType { key: String, expected: &'static str },
    /// The tensor has no dimension, more than four, an extent of 0, or more elements than fit.
    BadShape { tensor: String },
    /// The tensor's rows are not a whole number of blocks of its type.
    PartialBlock { tensor: String, row: u64, block: u32 },
    /// The tensor's type is not one this engine computes with: quantise the model to another.
    UnsupportedType { tensor: String, id: u32 },
    /// The tensor's offset is not a multiple of the alignment.
    Misaligned { tensor: String, offset: u64 },
    /// The tensor's data ends behind the end of the file: the file is cut short.
    PastEnd { tensor: String, end: u64, file_len: u64 },
    /// Two tensors share bytes.
    Overlap { first: String, second: String },
    /// The tensor is needed and absent.
    MissingTensor { tensor: String },
}

/// A name as it goes into an error: at most 64 characters.
pub(crate) fn named(name: &str) -> String {
    name.chars().take(64).collect()
}

impl fmt::Display for GgufError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedMore { at_least } => write!(f, "the header goes on: read at least {at_least} bytes"),
            Self::NotGguf => {
                write!(f, "not a GGUF file (it does not start with \"GGUF\"): give a .gguf model")
            }
            Self::UnsupportedVersion { version } => {
                write!(
                    f,
                    "GGUF version {version:#x} is not supported (2 and 3, little-endian, are): convert the model anew"
                )
            }
            Self::Truncated { what, needed, file_len } => write!(
                f,
                "the file ends inside {what} (it has {file_len} bytes, at least {needed} are needed): copy or download it again"
            ),
            Self::ImpossibleCount { what, count } => {
                write!(
                    f,
                    "the header announces {count} {what}, more than the file can hold: the file is damaged"
                )
            }
            Self::OutOfMemory { what, count } => write!(f, "no memory for a directory of {count} {what}"),
            Self::BadName { what, index } => {
                write!(f, "the name of {what} {index} is empty, too long or not UTF-8: the file is damaged")
            }
            _ => self.fmt_key_or_tensor(f),
        }
    }
}

impl GgufError {
    fn fmt_key_or_tensor(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateKey { key } => write!(f, "key `{key}` occurs twice"),
            Self::UnknownValueType { key, id } => write!(f, "key `{key}` has the unknown value type {id}"),
            Self::NestedArray { key } => {
                write!(f, "key `{key}` is an array of arrays, which is not supported")
            }
            Self::BadBool { key } => write!(f, "key `{key}` is a boolean that is neither 0 nor 1"),
            Self::BadAlignment { value } => {
                write!(f, "general.alignment is {value}; it must be a power of two from 8 to 1048576")
            }
            Self::MissingKey { key } => {
                write!(f, "key `{key}` is missing: this is not a complete model file")
            }
            Self::WrongType { key, expected } => write!(f, "key `{key}` is not {expected}"),
            _ => self.fmt_tensor(f),
        }
    }

    fn fmt_tensor(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateTensor { tensor } => write!(f, "tensor `{tensor}` occurs twice"),
            Self::BadShape { tensor } => {
                write!(
                    f,
                    "tensor `{tensor}` needs one to four dimensions, none of them 0, and a size that fits"
                )
            }
            Self::PartialBlock { tensor, row, block } => {
                write!(
                    f,
                    "tensor `{tensor}` has rows of {row} elements, which blocks of {block} do not divide"
                )
            }
            Self::UnsupportedType { tensor, id } => write!(
                f,
                "tensor `{tensor}` has type {} ({id}), which is not supported: use a model in Q4_K_M, Q8_0 or F16",
                crate::GgmlType::name_of(*id)
            ),
            Self::Misaligned { tensor, offset } => {
                write!(f, "tensor `{tensor}` starts at offset {offset}, which is not aligned")
            }
            Self::PastEnd { tensor, end, file_len } => write!(
                f,
                "tensor `{tensor}` ends at byte {end} but the file has {file_len}: copy or download it again"
            ),
            Self::Overlap { first, second } => write!(f, "tensors `{first}` and `{second}` overlap"),
            Self::MissingTensor { tensor } => {
                write!(f, "tensor `{tensor}` is missing: this is not a complete model file")
            }
            _ => Ok(()),
        }
    }
}

impl core::error::Error for GgufError {}
