// SPDX-License-Identifier: MIT
//! Any bytes as a GGUF file, whole and as a prefix: what the reader accepts can be read to the end.
#![no_main]

use inference_gguf::{Gguf, GgufError, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(GgufError::NeedMore { at_least }) = Gguf::parse_prefix(bytes, u64::MAX) {
        assert!(at_least > bytes.len() as u64);
    }
    let Ok(gguf) = Gguf::parse(bytes) else { return };
    for tensor in gguf.tensors() {
        assert_eq!(gguf.tensor_data(tensor).unwrap().len() as u64, tensor.size);
        assert!(gguf.tensor(tensor.name).is_some());
    }
    for entry in gguf.entries() {
        if let Value::Array(array) = entry.value {
            let strings = array.strings().map(|s| s.count());
            assert!(strings.is_none_or(|n| n == array.len()));
            let _ = (array.integers().map(|i| i.count()), array.reals().map(|r| r.count()));
        }
    }
});
