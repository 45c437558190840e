// SPDX-License-Identifier: MIT
//! Agreement with llama.cpp: greedy tokens, and mean, length and the eight largest of the logits at each step.
//!
//! Tolerances: a step is compared while both saw the same tokens. A greedy token may differ only where llama.cpp's two
//! best logits lie closer than its own rounding moves them: 2e-3 of the logits' length per element for F32, 2e-2 for
//! quantised types, where llama.cpp also rounds activations. The relative error is estimated from the eight logits
//! that are known: the root of their squared differences over the root of their squares.

mod common;

use std::path::Path;

use common::Host;
use inference_gguf::Gguf;
use inference_model::{CacheKind, Config, CpuFeatures, Engine, Kernels, Model};
use serde_json::Value;
use tests_fixtures::shared;

fn tokens(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|t| t.as_u64().unwrap() as u32).collect()
}

struct Report {
    steps: usize,
    worst: f64,
    differing: Vec<String>,
}

/// Relative error of the known logits of one step.
fn relative_error(ours: &[f32], step: &Value) -> f64 {
    let (mut difference, mut length) = (0.0, 0.0);
    for pair in step["top"].as_array().unwrap() {
        let (id, theirs) = (pair[0].as_u64().unwrap() as usize, pair[1].as_f64().unwrap());
        difference += (f64::from(ours[id]) - theirs).powi(2);
        length += theirs * theirs;
    }
    let l2 = ours.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let theirs = step["logits_l2"].as_f64().unwrap();
    (difference / length).sqrt().max((l2 - theirs).abs() / theirs)
}

fn best(logits: &[f32]) -> u32 {
    let mut at = 0;
    for (i, x) in logits.iter().enumerate() {
        if *x > logits[at] {
            at = i;
        }
    }
    at as u32
}

fn run_case(engine: &mut Engine<'_, '_>, case: &Value, tolerance: f64, report: &mut Report) {
    let prompt = tokens(&case["prompt_tokens"]);
    engine.clear().unwrap();
    engine.advance(&prompt, &mut |_| true).unwrap();
    for (i, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        let expected = step["token"].as_u64().unwrap() as u32;
        let logits = engine.logits();
        report.worst = report.worst.max(relative_error(logits, step));
        report.steps += 1;
        let ours = best(logits);
        if ours != expected {
            let gap = step["top"][0][1].as_f64().unwrap() - step["top"][1][1].as_f64().unwrap();
            let rounding = tolerance * step["top"][0][1].as_f64().unwrap().abs();
            report
                .differing
                .push(format!("{} step {i}: {ours} for {expected}, gap {gap:.5}", case["prompt"]));
            assert!(gap < rounding, "{}", report.differing.last().unwrap());
            return;
        }
        if engine.push(expected).is_err() {
            return;
        }
    }
}

fn compare(file: &Path, golden: &Path, tolerance: f64) -> Report {
    let bytes = std::fs::read(file).unwrap();
    // The texts hold bytes that are not UTF-8 and lone surrogates, which JSON readers refuse; they are not compared here.
    let golden = String::from_utf8_lossy(&std::fs::read(golden).unwrap()).replace("\\ud", "\\u0");
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let gguf = Gguf::parse(&bytes).unwrap();
    let model = Model::bind(&gguf).unwrap();
    let config =
        Config { context: model.hyper.context.min(512), batch: 8, workers: 1, cache: CacheKind::F32 };
    let mut report = Report { steps: 0, worst: 0.0, differing: Vec::new() };
    Host::new(&model, config).run(Kernels::select(CpuFeatures::detect()), |engine| {
        for case in golden["cases"].as_array().unwrap() {
            run_case(engine, case, tolerance, &mut report);
        }
    });
    println!("{}: {} steps, error {:.2e}", file.display(), report.steps, report.worst);
    report.differing.iter().for_each(|line| println!("  {line}"));
    assert!(report.worst <= tolerance, "{}: relative error {}", file.display(), report.worst);
    report
}

/// Compares every file of a folder that has golden data.
fn compare_folder(folder: &str, tolerance: impl Fn(&str) -> f64) {
    let Some(shared) = shared("golden") else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(shared.join("models").join(folder)).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_string();
        let golden = shared.join("golden").join(format!("{name}.json"));
        if golden.exists() {
            compare(&file, &golden, tolerance(&name));
            compared += 1;
        }
    }
    assert!(compared > 0, "no golden data for {folder}");
}

#[test]
fn stories_continue_as_llama_cpp_continues_them() {
    compare_folder("stories", |name| if name.ends_with("f32") { 1e-3 } else { 2e-2 });
}

#[test]
fn every_architecture_agrees() {
    compare_folder("architectures", |_| 1e-3);
}

#[test]
fn every_type_agrees() {
    compare_folder("quants", |_| 2e-2);
}
