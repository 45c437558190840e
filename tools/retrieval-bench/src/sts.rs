// SPDX-License-Identifier: MIT
//! STS-B: how well cosines order pairs of sentences as people do (Spearman's rank correlation).
use std::path::Path;

use anyhow::{Context, Result, ensure};
use retrieval::index::{dequantize, quantize};

use crate::embedding::Embedding;

/// A pair of sentences and people's score.
#[derive(Debug, PartialEq)]
pub struct Pair {
    pub first: String,
    pub second: String,
    pub score: f64,
}

/// Fields of one line of comma-separated values, with quotes where a field holds commas.
fn fields(line: &str) -> Vec<String> {
    let (mut all, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    all.push(field);
    all
}

/// Reads lines of `sentence,sentence,score`.
///
/// # Errors
/// A file that cannot be read; a line of another form.
pub fn read(path: &Path) -> Result<Vec<Pair>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let pair = |(number, line): (usize, &str)| {
        let fields = fields(line);
        let place = || format!("{}, line {}", path.display(), number + 1);
        ensure!(fields.len() == 3, "{}: {} columns, not 3", place(), fields.len());
        let score = fields[2].trim().parse().with_context(place)?;
        Ok(Pair { first: fields[0].clone(), second: fields[1].clone(), score })
    };
    text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(pair).collect()
}

/// Ranks from 1, equal values sharing the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let below = order.partition_point(|index| values[*index] < values[group[0]]);
        group.iter().for_each(|index| ranks[*index] = below as f64 + (group.len() + 1) as f64 / 2.0);
    }
    ranks
}

/// Spearman's rank correlation.
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() + 1) as f64 / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let product = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt().max(f64::MIN_POSITIVE)
}

/// What a vector is after it has been stored as Q8.
fn stored(vector: &[f32]) -> Vec<f32> {
    let (mut bytes, mut back) = (vec![0; vector.len()], vec![0.0; vector.len()]);
    let scale = quantize(vector, &mut bytes);
    dequantize(&bytes, scale, &mut back);
    back
}

/// (with exact vectors, with Q8 vectors).
///
/// # Errors
/// As [`Embedding::embed_all`].
pub fn measure(pairs: &[Pair], embedding: &Embedding) -> Result<(f64, f64)> {
    let texts: Vec<&str> =
        pairs.iter().flat_map(|pair| [pair.first.as_str(), pair.second.as_str()]).collect();
    let vectors = embedding.embed_all("sentences", &texts)?;
    let quantized: Vec<Vec<f32>> = vectors.iter().map(|vector| stored(vector)).collect();
    let scores: Vec<f64> = pairs.iter().map(|pair| pair.score).collect();
    let of = |vectors: &[Vec<f32>]| {
        let cosines: Vec<f64> = vectors.chunks_exact(2).map(|pair| cosine(&pair[0], &pair[1])).collect();
        spearman(&cosines, &scores)
    };
    Ok((of(&vectors), of(&quantized)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_of_known_orders() {
        assert!((spearman(&[1.0, 2.0, 3.0], &[10.0, 20.0, 90.0]) - 1.0).abs() < 1e-12);
        assert!((spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [2.5, 1.0, 2.5]);
    }

    #[test]
    fn quoted_fields() {
        assert_eq!(fields(r#""a, ""b""",c,1.5"#), ["a, \"b\"", "c", "1.5"]);
    }
}
