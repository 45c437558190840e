// SPDX-License-Identifier: MIT
//! Hostile and honest files. Each attack class on GGUF readers is one test.

use std::string::ToString;
use std::vec::Vec;

use proptest::prelude::*;

use crate::{GgmlType, Gguf, GgufError, Value, ValueType, Writer};

fn small() -> Vec<u8> {
    let mut w = Writer::new();
    w.str("general.architecture", "llama").u32("llama.block_count", 2).f32("llama.eps", 1e-5);
    w.bool("flag", true)
        .strings("tokens", &["a", "", "ccc"])
        .f32s("scores", &[0.5, -1.0])
        .i32s("types", &[-1, 3]);
    let a = w.tensor("a", &[64, 2], GgmlType::Q8_0);
    let b = w.tensor("b", &[3], GgmlType::F32);
    w.file(&[&std::vec![7; a as usize], &std::vec![9; b as usize]])
}

/// A header with the given counts followed by `rest`.
fn raw(version: u32, tensors: u64, entries: u64, rest: &[u8]) -> Vec<u8> {
    let mut out = b"GGUF".to_vec();
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&tensors.to_le_bytes());
    out.extend_from_slice(&entries.to_le_bytes());
    out.extend_from_slice(rest);
    out
}

fn tensor_info(name: &str, dims: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let mut out = (name.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(&(dims.len() as u32).to_le_bytes());
    dims.iter().for_each(|d| out.extend_from_slice(&d.to_le_bytes()));
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&offset.to_le_bytes());
    out
}

fn with_tensors(infos: &[Vec<u8>], data: usize) -> Vec<u8> {
    let mut out = raw(3, infos.len() as u64, 0, &infos.concat());
    out.resize(out.len().next_multiple_of(32) + data, 0);
    out
}

fn entry(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    let mut out = (key.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(value);
    out
}

fn error(bytes: &[u8]) -> GgufError {
    Gguf::parse(bytes).expect_err("the file must be refused")
}

#[test]
fn written_file_reads_back() {
    let file = small();
    let gguf = Gguf::parse(&file).unwrap();
    assert_eq!(gguf.str("general.architecture"), Ok(Some("llama")));
    assert_eq!(gguf.u32("llama.block_count"), Ok(Some(2)));
    assert_eq!(gguf.f32("llama.eps"), Ok(Some(1e-5)));
    assert_eq!(gguf.bool("flag"), Ok(Some(true)));
    let tokens: Vec<&[u8]> = gguf.strings("tokens").unwrap().unwrap().collect();
    assert_eq!(tokens, [b"a" as &[u8], b"", b"ccc"]);
    let types: Vec<i64> = gguf.array("types").unwrap().unwrap().integers().unwrap().collect();
    assert_eq!(types, [-1, 3]);
    let scores: Vec<f32> = gguf.array("scores").unwrap().unwrap().reals().unwrap().collect();
    assert_eq!(scores, [0.5, -1.0]);
    assert_eq!(gguf.tensor_data(gguf.tensor("a").unwrap()).unwrap(), [7; 136]);
    assert_eq!(gguf.tensor_data(gguf.tensor("b").unwrap()).unwrap(), [9; 12]);
    assert!(gguf.tensor("c").is_none() && gguf.get("c").is_none());
}

#[test]
fn wrong_type_names_the_key() {
    let file = small();
    let gguf = Gguf::parse(&file).unwrap();
    let message = gguf.u32("general.architecture").unwrap_err().to_string();
    assert!(message.contains("general.architecture"), "{message}");
    assert!(gguf.strings("scores").is_err());
    assert_eq!(gguf.require("x.y", gguf.u32("x.y")), Err(GgufError::MissingKey { key: "x.y".into() }));
}

#[test]
fn truncation_at_every_byte_is_an_error_and_never_a_panic() {
    let file = small();
    let required = Gguf::parse(&file).unwrap().required_len() as usize;
    for len in 0..required {
        assert!(Gguf::parse(&file[..len]).is_err(), "{len} bytes were accepted");
    }
}

#[test]
fn a_prefix_asks_for_more_until_the_header_is_complete() {
    let file = small();
    let data = Gguf::parse(&file).unwrap().data_offset() as usize;
    for len in 0..file.len() {
        match Gguf::parse_prefix(&file[..len], file.len() as u64) {
            Err(GgufError::NeedMore { at_least }) => {
                assert!(at_least > len as u64 && at_least <= data as u64)
            }
            Ok(gguf) => {
                assert!(len + 32 > data, "accepted with {len} of {data} bytes");
                let found = gguf.tensor_data(gguf.tensor("b").unwrap());
                assert!(
                    matches!(found, Err(GgufError::NeedMore { .. })) || len >= gguf.required_len() as usize
                );
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn other_files_and_versions_are_named() {
    assert_eq!(error(b"PK\x03\x04 and so on"), GgufError::NotGguf);
    for version in [0, 1, 4, 3u32.swap_bytes()] {
        assert_eq!(error(&raw(version, 0, 0, &[])), GgufError::UnsupportedVersion { version });
    }
    assert!(Gguf::parse(&raw(2, 0, 0, &[0; 8])).is_ok());
}

#[test]
fn counts_beyond_the_file_are_refused_before_memory_is_reserved() {
    for count in [2, u64::from(u32::MAX), u64::MAX / 2, u64::MAX] {
        assert!(matches!(
            error(&raw(3, count, 0, &[0; 40])),
            GgufError::ImpossibleCount { what: "tensors", .. }
        ));
        assert!(matches!(error(&raw(3, 0, count, &[0; 20])), GgufError::ImpossibleCount { .. }));
    }
}

#[test]
fn string_and_array_lengths_beyond_the_file_are_refused() {
    for len in [100, u64::MAX - 7, u64::MAX] {
        let long = entry("k", 8, &len.to_le_bytes());
        assert!(matches!(error(&raw(3, 0, 1, &long)), GgufError::Truncated { .. }));
        for kind in [0u32, 4, 8, 12] {
            let array = entry("k", 9, &[&kind.to_le_bytes()[..], &len.to_le_bytes()].concat());
            assert!(matches!(error(&raw(3, 0, 1, &array)), GgufError::ImpossibleCount { .. }));
        }
    }
    let key = [&u64::MAX.to_le_bytes()[..], &[b'k'; 20]].concat();
    assert!(matches!(error(&raw(3, 0, 1, &key)), GgufError::BadName { .. }));
}

#[test]
fn nested_arrays_and_unknown_types_are_refused() {
    let nested = entry("k", 9, &[&9u32.to_le_bytes()[..], &1u64.to_le_bytes(), &[0; 16]].concat());
    assert_eq!(error(&raw(3, 0, 1, &nested)), GgufError::NestedArray { key: "k".into() });
    let unknown = entry("k", 13, &[0; 8]);
    assert_eq!(error(&raw(3, 0, 1, &unknown)), GgufError::UnknownValueType { key: "k".into(), id: 13 });
    assert_eq!(error(&raw(3, 0, 1, &entry("k", 7, &[2]))), GgufError::BadBool { key: "k".into() });
}

#[test]
fn duplicates_are_refused() {
    let twice = [entry("k", 0, &[1]), entry("k", 0, &[2])].concat();
    assert_eq!(error(&raw(3, 0, 2, &twice)), GgufError::DuplicateKey { key: "k".into() });
    let t = |offset| tensor_info("t", &[8], 0, offset);
    assert_eq!(error(&with_tensors(&[t(0), t(32)], 64)), GgufError::DuplicateTensor { tensor: "t".into() });
}

#[test]
fn bad_shapes_are_refused() {
    let shapes: [&[u64]; 6] = [&[], &[0], &[1, 0], &[1; 5], &[u64::MAX / 2, 8], &[1 << 32, 1 << 32, 1 << 32]];
    for dims in shapes {
        let found = error(&with_tensors(&[tensor_info("t", dims, 0, 0)], 64));
        assert_eq!(found, GgufError::BadShape { tensor: "t".into() }, "{dims:?}");
    }
    let partial = error(&with_tensors(&[tensor_info("t", &[33], 8, 0)], 64));
    assert!(matches!(partial, GgufError::PartialBlock { row: 33, block: 32, .. }));
}

#[test]
fn unsupported_tensor_types_are_named() {
    let message = error(&with_tensors(&[tensor_info("t", &[256], 16, 0)], 512)).to_string();
    assert!(message.contains("IQ2_XXS") && message.contains('t'), "{message}");
}

#[test]
fn tensor_ranges_must_be_aligned_inside_and_apart() {
    let t = |name, offset| tensor_info(name, &[16], 0, offset);
    assert!(matches!(error(&with_tensors(&[t("a", 4)], 128)), GgufError::Misaligned { offset: 4, .. }));
    assert!(matches!(error(&with_tensors(&[t("a", 96)], 128)), GgufError::PastEnd { .. }));
    let far = u64::MAX - 31;
    assert!(matches!(error(&with_tensors(&[t("a", far)], 128)), GgufError::PastEnd { .. }));
    assert!(matches!(error(&with_tensors(&[t("a", 32), t("b", 0)], 128)), GgufError::Overlap { .. }));
    assert!(Gguf::parse(&with_tensors(&[t("a", 64), t("b", 0)], 128)).is_ok());
}

#[test]
fn alignment_must_be_a_sane_power_of_two() {
    for value in [0u32, 1, 4, 24, 1 << 21, u32::MAX] {
        let file = raw(3, 0, 1, &entry("general.alignment", 4, &value.to_le_bytes()));
        assert_eq!(error(&file), GgufError::BadAlignment { value: u64::from(value) });
    }
    let text = raw(3, 0, 1, &entry("general.alignment", 8, &[0; 8]));
    assert!(matches!(error(&text), GgufError::WrongType { .. }));
}

#[test]
fn names_must_be_utf8_and_bounded() {
    let long = "x".repeat(65);
    assert!(matches!(error(&with_tensors(&[tensor_info(&long, &[8], 0, 0)], 64)), GgufError::BadName { .. }));
    let mut bad = entry("kk", 0, &[1]);
    bad[8] = 0xff;
    assert!(matches!(error(&raw(3, 0, 1, &bad)), GgufError::BadName { .. }));
}

#[test]
fn a_vocabulary_of_200000_entries_and_keys_parses_in_linear_time() {
    let tokens: Vec<std::string::String> = (0..200_000).map(|i| std::format!("t{i}")).collect();
    let mut w = Writer::new();
    w.strings("tokenizer.ggml.tokens", &tokens);
    (0..20_000).for_each(|i| {
        w.u32(&std::format!("k{i}"), i);
    });
    let file = w.file(&[]);
    let gguf = Gguf::parse(&file).unwrap();
    assert_eq!(gguf.u32("k19999"), Ok(Some(19_999)));
    assert_eq!(gguf.strings("tokenizer.ggml.tokens").unwrap().unwrap().last(), Some(&b"t199999"[..]));
}

#[test]
fn integers_are_range_checked() {
    let entries =
        [entry("big", 10, &u64::MAX.to_le_bytes()), entry("neg", 5, &(-1i32).to_le_bytes())].concat();
    let file = raw(3, 0, 2, &entries);
    let gguf = Gguf::parse(&file).unwrap();
    assert!(gguf.u32("big").is_err() && gguf.u32("neg").is_err());
    assert_eq!(gguf.u64("big"), Ok(Some(u64::MAX)));
    assert!(matches!(gguf.get("neg"), Some(Value::Integer(-1))));
    let _ = ValueType::U8;
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic(at in 0usize..600, value in any::<u8>(), cut in 0usize..700) {
        let mut file = small();
        let len = file.len();
        file[at % len] = value;
        if let Ok(gguf) = Gguf::parse(&file[..cut.min(len)]) {
            for tensor in gguf.tensors() {
                prop_assert!(gguf.tensor_data(tensor).is_ok());
            }
            for entry in gguf.entries() {
                if let Value::Array(array) = entry.value {
                    let n = array.strings().map_or(0, Iterator::count)
                        + array.integers().map_or(0, Iterator::count)
                        + array.reals().map_or(0, Iterator::count);
                    prop_assert!(n == array.len() || array.kind() == ValueType::Bool);
                }
            }
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Gguf::parse(&raw(3, 1, 1, &bytes));
    }
}
