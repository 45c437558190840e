//! A second implementation of the forward pass, plain and in `f64`: what gradients are compared with.
#![allow(dead_code, reason = "every test file uses a part")]

use training::random::Random;
use training::{Document, Layout, Part, Shape};

pub const SHAPE: Shape = Shape {
    vocab: 40,
    dim: 24,
    layers: 2,
    heads: 4,
    kv_heads: 2,
    ffn: 36,
    context: 96,
    rope_base: 100.0,
    eps: 1e-5,
    tied: true,
};

/// Documents of several lengths, one longer than a block of queries.
pub fn documents(shape: &Shape) -> Vec<Document> {
    let mut random = Random::new(7, 0);
    [5, 30, 90, 2]
        .iter()
        .map(|len| Document {
            tokens: (0..*len).map(|_| random.below(shape.vocab) as u32).collect(),
            counted: (0..*len).map(|i| i % 3 != 1).collect(),
        })
        .collect()
}

type Rows = Vec<Vec<f64>>;

/// The mean loss of `documents`, in `f64`; `p` are parameters of [`Layout::full`].
pub fn loss(shape: &Shape, layout: &Layout, p: &[f64], documents: &[Document]) -> f64 {
    let (mut sum, mut counted) = (0.0, 0);
    for document in documents {
        let logits = logits(shape, layout, p, &document.tokens[..document.tokens.len() - 1]);
        for (at, row) in logits.iter().enumerate().filter(|(at, _)| document.counted[at + 1]) {
            let all: f64 = row.iter().map(|x| x.exp()).sum();
            sum += all.ln() - row[document.tokens[at + 1] as usize];
            counted += 1;
        }
    }
    sum / f64::from(counted)
}

fn logits(shape: &Shape, layout: &Layout, p: &[f64], tokens: &[u32]) -> Rows {
    let tensor = |name: &str| &p[layout.find(name).unwrap().range()];
    let embedding = tensor("token_embd.weight");
    let mut x: Rows =
        tokens.iter().map(|t| embedding[*t as usize * shape.dim..][..shape.dim].to_vec()).collect();
    for layer in 0..shape.layers {
        let part = |part: Part| tensor(&format!("blk.{layer}.{}.weight", part.name()));
        let n1 = norm(&x, tensor(&format!("blk.{layer}.attn_norm.weight")), shape);
        let q = rotate(times(&n1, part(Part::Q)), shape);
        let k = rotate(times(&n1, part(Part::K)), shape);
        let v = times(&n1, part(Part::V));
        add(&mut x, times(&attend(&q, &k, &v, shape), part(Part::O)));
        let n2 = norm(&x, tensor(&format!("blk.{layer}.ffn_norm.weight")), shape);
        let (gate, up) = (times(&n2, part(Part::Gate)), times(&n2, part(Part::Up)));
        let hidden = gate
            .iter()
            .zip(up)
            .map(|(g, u)| g.iter().zip(u).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect());
        let hidden: Rows = hidden.collect();
        add(&mut x, times(&hidden, part(Part::Down)));
    }
    let output = if shape.tied { embedding } else { tensor("output.weight") };
    times(&norm(&x, tensor("output_norm.weight"), shape), output)
}

fn times(x: &Rows, weight: &[f64]) -> Rows {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
    x.iter().map(|x| weight.chunks(x.len()).map(|w| dot(x, w)).collect()).collect()
}

fn add(x: &mut Rows, y: Rows) {
    x.iter_mut().zip(y).for_each(|(x, y)| x.iter_mut().zip(y).for_each(|(x, y)| *x += y));
}

fn norm(x: &Rows, weight: &[f64], shape: &Shape) -> Rows {
    let one = |x: &Vec<f64>| {
        let mean = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
        let scale = 1.0 / (mean + f64::from(shape.eps)).sqrt();
        x.iter().zip(weight).map(|(x, w)| x * scale * w).collect()
    };
    x.iter().map(one).collect()
}

fn rotate(mut x: Rows, shape: &Shape) -> Rows {
    for (position, row) in x.iter_mut().enumerate() {
        for (i, pair) in row.chunks_mut(2).enumerate() {
            let power = -2.0 * (i % (shape.head() / 2)) as f64 / shape.head() as f64;
            let (sin, cos) = (position as f64 * f64::from(shape.rope_base).powf(power)).sin_cos();
            let [a, b] = [pair[0], pair[1]];
            (pair[0], pair[1]) = (a * cos - b * sin, a * sin + b * cos);
        }
    }
    x
}

fn attend(q: &Rows, k: &Rows, v: &Rows, shape: &Shape) -> Rows {
    let size = shape.head();
    let mut out = vec![vec![0.0; shape.dim]; q.len()];
    for head in 0..shape.heads {
        let (a, b) = (head * size, head / shape.group() * size);
        for t in 0..q.len() {
            let score = |s: usize| -> f64 {
                let dot: f64 = (0..size).map(|i| q[t][a + i] * k[s][b + i]).sum();
                (dot / (size as f64).sqrt()).exp()
            };
            let weights: Vec<f64> = (0..=t).map(score).collect();
            let all: f64 = weights.iter().sum();
            for (s, w) in weights.iter().enumerate() {
                (0..size).for_each(|i| out[t][a + i] += w / all * v[s][b + i]);
            }
        }
    }
    out
}
