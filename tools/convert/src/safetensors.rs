// SPDX-License-Identifier: MIT
//! The safetensors format: 8 bytes of header length, a JSON header, then the tensors.
//!
//! Source: the format's own description (huggingface/safetensors, README). Every offset is checked against the file.
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The format's own limit of its header.
const MAX_HEADER: u64 = 100_000_000;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [usize; 2],
}

/// A parsed file.
pub struct SafeTensors<'a> {
    entries: BTreeMap<String, Entry>,
    data: &'a [u8],
}

/// One tensor: shape as stored (outermost first) and its values.
pub struct Tensor {
    /// Outermost dimension first.
    pub shape: Vec<u64>,
    /// Row by row.
    pub values: Vec<f32>,
}

impl<'a> SafeTensors<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// A header that is cut off, too long, or no JSON of the right form.
    pub fn parse(file: &'a [u8]) -> Result<Self> {
        let (length, rest) = file.split_first_chunk::<8>().context("shorter than a safetensors header")?;
        let length = u64::from_le_bytes(*length);
        ensure!(length <= MAX_HEADER, "the safetensors header claims {length} bytes");
        let Some((header, data)) = rest.split_at_checked(length as usize) else {
            bail!("the safetensors header claims {length} bytes, the file has {}", rest.len());
        };
        let mut raw: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(header).context("the safetensors header is no JSON object")?;
        raw.remove("__metadata__");
        let entry = |(name, value)| {
            let entry =
                serde_json::from_value(value).with_context(|| format!("tensor {name} in the header"))?;
            Ok((name, entry))
        };
        Ok(Self { entries: raw.into_iter().map(entry).collect::<Result<_>>()?, data })
    }

    /// Names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// A tensor's values as F32.
    ///
    /// # Errors
    /// A tensor that is missing, of a type other than F32, F16 or BF16, or whose size contradicts its shape.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let entry = self.entries.get(name).with_context(|| format!("tensor {name} is missing"))?;
        let [start, end] = entry.data_offsets;
        let bytes =
            self.data.get(start..end).with_context(|| format!("tensor {name} lies beyond the file's end"))?;
        let values: Vec<f32> = match entry.dtype.as_str() {
            "F32" => bytes.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect(),
            "F16" => halves(bytes).map(inference_kernels::f16_to_f32).collect(),
            "BF16" => halves(bytes).map(inference_kernels::bf16_to_f32).collect(),
            other => bail!("tensor {name} has type {other}: F32, F16 and BF16 are read"),
        };
        let elements = entry.shape.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent));
        let width = if entry.dtype == "F32" { 4 } else { 2 };
        let fits = elements == Some(values.len() as u64) && bytes.len() == values.len() * width;
        ensure!(
            fits,
            "tensor {name} has {} bytes, which its shape {:?} contradicts",
            bytes.len(),
            entry.shape
        );
        Ok(Tensor { shape: entry.shape.clone(), values })
    }
}

fn halves(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|value| u16::from_le_bytes(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
    }

    #[test]
    fn tensors_of_three_types() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
            "b":{"dtype":"F16","shape":[1],"data_offsets":[8,10]},"c":{"dtype":"BF16","shape":[1],"data_offsets":[10,12]}}"#;
        let data = [&1.5f32.to_le_bytes()[..], &(-2f32).to_le_bytes(), &[0x00, 0x3C], &[0x80, 0x3F]].concat();
        let bytes = file(header, &data);
        let tensors = SafeTensors::parse(&bytes).expect("valid");
        assert_eq!(tensors.tensor("a").expect("a").values, [1.5, -2.0]);
        assert_eq!(tensors.tensor("a").expect("a").shape, [1, 2]);
        assert_eq!(tensors.tensor("b").expect("b").values, [1.0]);
        assert_eq!(tensors.tensor("c").expect("c").values, [1.0]);
    }

    #[test]
    fn lies_are_errors() {
        let error = |header: &str| {
            let bytes = file(header, &[0; 8]);
            let result = SafeTensors::parse(&bytes).and_then(|tensors| tensors.tensor("a"));
            result.err().map(|error| format!("{error:#}")).unwrap_or_default()
        };
        assert!(error("{}").contains("a is missing"));
        assert!(error("[]").contains("no JSON object"));
        assert!(error(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99]}}"#).contains("beyond"));
        assert!(error(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[9,1]}}"#).contains("beyond"));
        assert!(error(r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#).contains("contradicts"));
        assert!(
            error(r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#)
                .contains("contra")
        );
        assert!(error(r#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#).contains("I64"));
        assert!(SafeTensors::parse(&u64::MAX.to_le_bytes()).is_err());
        assert!(SafeTensors::parse(b"abc").is_err());
    }
}
