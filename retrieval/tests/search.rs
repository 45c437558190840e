// SPDX-License-Identifier: MIT
//! Search against the obvious way to compute the same, while passages come and go.
mod sim;

use std::collections::BTreeMap;

use retrieval::index::{
    Bm25, Bm25Parameters, Entry, Filter, Hit, IndexError, PortableDots, VectorFormat, VectorIndex,
    dequantize, quantize,
};
use sim::Rng;

const DIMS: usize = 48;

fn unit_vector(rng: &mut Rng) -> Vec<f32> {
    let vector: Vec<f32> = (0..DIMS).map(|_| rng.below(2001) as f32 / 1000.0 - 1.0).collect();
    let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter().map(|value| value / norm).collect()
}

fn entry(id: u64) -> Entry {
    Entry { id, source: id % 5, time: 1000 + id }
}

fn brute_force(all: &BTreeMap<u64, Vec<f32>>, query: &[f32], filter: &Filter<'_>) -> Vec<Hit> {
    let admitted = all.iter().filter(|(id, _)| filter.admits(&entry(**id)));
    let dot = |vector: &[f32]| vector.iter().zip(query).map(|(a, b)| a * b).sum();
    let mut hits: Vec<Hit> = admitted.map(|(id, vector)| Hit { id: *id, score: dot(vector) }).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits
}

/// Scores within `tolerance` of the exact ones at every rank, and each hit's own score right.
fn assert_close(found: &[Hit], exact: &[Hit], tolerance: f32) {
    for (found, expected) in found.iter().zip(exact) {
        assert!((found.score - expected.score).abs() <= tolerance, "{found:?} {expected:?}");
        let own = exact.iter().find(|hit| hit.id == found.id).expect("the hit is admitted");
        assert!((own.score - found.score).abs() <= tolerance);
    }
}

#[test]
fn vector_search_is_exact_while_passages_come_and_go() {
    for (format, tolerance) in
        [(VectorFormat::F32, 1e-6), (VectorFormat::F16, 1e-3), (VectorFormat::Q8, 0.02)]
    {
        let mut rng = Rng(7);
        let mut index = VectorIndex::new(DIMS, format, 300);
        let mut all = BTreeMap::new();
        for round in 0..1500 {
            let id = rng.below(350);
            if rng.one_in(3) {
                assert_eq!(index.remove(id), all.remove(&id).is_some());
            } else {
                let vector = unit_vector(&mut rng);
                match index.insert(entry(id), &vector) {
                    Ok(()) => drop(all.insert(id, vector)),
                    Err(error) => assert_eq!((error, all.len()), (IndexError::Full { limit: 300 }, 300)),
                }
            }
            assert_eq!(index.len(), all.len());
            if round % 50 == 0 {
                let query = unit_vector(&mut rng);
                let one = [3];
                let some = Filter { sources: Some(&one), since: Some(1100), until: Some(1300) };
                for filter in [Filter::default(), some] {
                    let exact = brute_force(&all, &query, &filter);
                    let found = index.search(&query, 10, &filter, &PortableDots).expect("search");
                    assert_eq!(found.len(), exact.len().min(10));
                    assert_close(&found, &exact, tolerance);
                }
            }
        }
    }
}

#[test]
fn reranking_with_exact_vectors_repairs_what_quantising_lost() {
    let mut rng = Rng(3);
    let all: BTreeMap<u64, Vec<f32>> = (0..2000).map(|id| (id, unit_vector(&mut rng))).collect();
    let mut index = VectorIndex::new(DIMS, VectorFormat::Q8, 2000);
    all.iter().for_each(|(id, vector)| index.insert(entry(*id), vector).expect("room"));
    for _ in 0..20 {
        let query = unit_vector(&mut rng);
        let mut hits = index.search(&query, 40, &Filter::default(), &PortableDots).expect("search");
        VectorIndex::rerank(&query, &mut hits, |id, out| {
            out.clone_from(&all[&id]);
            true
        });
        let exact: Vec<u64> =
            brute_force(&all, &query, &Filter::default()).iter().take(10).map(|hit| hit.id).collect();
        assert_eq!(hits.iter().take(10).map(|hit| hit.id).collect::<Vec<_>>(), exact);
    }
}

#[test]
fn bad_vectors_are_refused() {
    let mut index = VectorIndex::new(DIMS, VectorFormat::Q8, 10);
    let wrong = IndexError::WrongDimensions { expected: DIMS, found: 3 };
    assert_eq!(index.insert(entry(1), &[0.0; 3]), Err(wrong));
    assert_eq!(index.insert_q8(entry(1), &[0; 3], 1.0), Err(wrong));
    assert_eq!(index.insert(entry(1), &[f32::NAN; DIMS]), Err(IndexError::NotFinite));
    assert_eq!(index.insert_q8(entry(1), &[1; DIMS], f32::INFINITY), Err(IndexError::NotFinite));
    index.insert(entry(1), &[0.0; DIMS]).expect("zeros are a vector");
    assert_eq!(index.search(&[0.0; 3], 5, &Filter::default(), &PortableDots), Err(wrong));
    let hits = index.search(&[1.0; DIMS], 5, &Filter::default(), &PortableDots).expect("search");
    assert_eq!(hits, [Hit { id: 1, score: 0.0 }]);
}

#[test]
fn quantising_errs_by_half_a_step_at_most() {
    let vector = unit_vector(&mut Rng(9));
    let mut bytes = [0; DIMS];
    let mut back = [0.0; DIMS];
    let scale = quantize(&vector, &mut bytes);
    dequantize(&bytes, scale, &mut back);
    assert!(vector.iter().zip(back).all(|(a, b)| (a - b).abs() <= scale * 0.501));
    assert!(bytes.iter().any(|byte| byte.unsigned_abs() == 127));
}

const WORDS: [&str; 12] = [
    "kernel", "panic", "timer", "disk", "boot", "region", "channel", "fault", "model", "token", "cache",
    "ring",
];

fn text(rng: &mut Rng) -> String {
    (0..1 + rng.below(30)).map(|_| WORDS[rng.below(12) as usize]).collect::<Vec<_>>().join(" ")
}

/// BM25 straight from its formula.
fn bm25_score(all: &BTreeMap<u64, String>, query: &str, id: u64) -> f32 {
    let count = |text: &str, word: &str| text.split(' ').filter(|other| *other == word).count() as f32;
    let average = all.values().map(|text| text.split(' ').count() as f32).sum::<f32>() / all.len() as f32;
    let length = all[&id].split(' ').count() as f32;
    let term = |word: &str| {
        let with = all.values().filter(|text| count(text, word) > 0.0).count() as f32;
        let idf = (1.0 + (all.len() as f32 - with + 0.5) / (with + 0.5)).ln();
        let tf = count(&all[&id], word);
        idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / average))
    };
    query.split(' ').map(term).sum()
}

#[test]
fn bm25_equals_its_formula_while_passages_come_and_go() {
    let mut rng = Rng(11);
    let mut index = Bm25::new(200, Bm25Parameters::default());
    let mut all: BTreeMap<u64, String> = BTreeMap::new();
    for round in 0..2000 {
        let id = rng.below(220);
        if rng.one_in(2) {
            assert_eq!(index.remove(id), all.remove(&id).is_some());
        } else {
            let text = text(&mut rng);
            index.insert(entry(id), &text).expect("room");
            all.insert(id, text);
        }
        if round % 100 == 99 {
            let query = format!("{} {}", WORDS[rng.below(6) as usize], WORDS[6 + rng.below(6) as usize]);
            for hit in index.search(&query, 20, &Filter::default()) {
                let expected = bm25_score(&all, &query, hit.id);
                assert!((hit.score - expected).abs() < 1e-3, "{hit:?} {expected}");
            }
            let best = all.keys().map(|id| bm25_score(&all, &query, *id)).fold(0.0, f32::max);
            let found = index.search(&query, 1, &Filter::default()).first().map_or(0.0, |hit| hit.score);
            assert!((best - found).abs() < 1e-3);
        }
    }
    assert_eq!(index.len(), all.len());
    for id in 0..220 {
        index.remove(id);
    }
    assert!(index.is_empty() && index.search("kernel", 5, &Filter::default()).is_empty());
}
