// SPDX-License-Identifier: MIT
//! all-MiniLM-L6-v2 against its F32 reference: the same token ids, cosine at least 0.999 (0.995 for Q8_0).
//!
//! The weights are not in the repository: `CLOISTER_MINILM` names a GGUF made by `cloister-convert-bert`.

use inference_embedding::{Encoder, EncoderModel};
use inference_gguf::Gguf;
use inference_kernels::{CpuFeatures, Kernels};
use serde_json::Value;
use tests_fixtures::shared;

#[test]
fn minilm_equals_its_reference() {
    let Some(shared) = shared("golden/minilm.json") else { return };
    let Some(file) = std::env::var_os("CLOISTER_MINILM") else {
        println!("skipped: CLOISTER_MINILM names no GGUF of all-MiniLM-L6-v2");
        return;
    };
    let golden: Value =
        serde_json::from_slice(&std::fs::read(shared.join("golden/minilm.json")).unwrap()).unwrap();
    let bytes = std::fs::read(file).unwrap();
    let gguf = Gguf::parse(&bytes).unwrap();
    let model = EncoderModel::bind(&gguf).unwrap();
    let needs = model.needs().unwrap();
    let (mut cache, mut scratch) = (vec![0; needs.cache], vec![0.0; needs.scratch]);
    let kernels = Kernels::select(CpuFeatures::detect());
    let mut encoder = Encoder::new(&model, kernels, &mut cache, &mut scratch).unwrap();
    let mut worst = 1.0f32;
    let limit = if model.label().ends_with("Q8_0") { 0.995 } else { 0.999 };
    for case in golden["cases"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let expected: Vec<u32> =
            case["tokens"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
        let mut tokens = Vec::new();
        model.tokens(text, &mut tokens).unwrap();
        assert_eq!(tokens, expected, "{text:?}");
        let mut ours = vec![0.0; model.dims()];
        encoder.embed(text, &mut ours).unwrap();
        let theirs = case["embedding"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32);
        let cosine: f32 = ours.iter().zip(theirs).map(|(a, b)| a * b).sum();
        worst = worst.min(cosine);
        assert!(cosine >= limit, "{text:?}: cosine {cosine}");
    }
    println!("{}: worst cosine {worst:.6}", model.label());
}
