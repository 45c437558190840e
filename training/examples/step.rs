//! Measures training steps of a model with about six million parameters: 16 documents of 256 tokens, every token counts.
//! The partner of `tests/data/torch_reference.py speed`. Arguments: threads (1), `f32` or `bf16`, steps (10).
#![forbid(unsafe_code)]

use std::time::Instant;

use inference_kernels::{CpuFeatures, Kernels};
use training::random::Random;
use training::{AdamW, Document, Gradients, Layout, Net, Plan, Settings, Shape, Workers, initial};

const SHAPE: Shape = Shape {
    vocab: 2048,
    dim: 256,
    layers: 7,
    heads: 8,
    kv_heads: 8,
    ffn: 704,
    context: 256,
    rope_base: 10_000.0,
    eps: 1e-5,
    tied: true,
};

/// As many threads as there are items are started for every call.
struct Threads(usize);

impl Workers for Threads {
    fn each<T: Send>(&self, items: &mut [T], job: impl Fn(usize, &mut T) + Sync) {
        let part = items.len().div_ceil(self.0).max(1);
        std::thread::scope(|scope| {
            for (index, items) in items.chunks_mut(part).enumerate() {
                let job = &job;
                scope.spawn(move || {
                    items.iter_mut().enumerate().for_each(|(i, item)| job(index * part + i, item));
                });
            }
        });
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let threads = Threads(arguments.next().map_or(Ok(1), |n| n.parse())?);
    let bf16 = arguments.next().is_some_and(|kind| kind == "bf16");
    let steps = arguments.next().map_or(Ok(10), |n| n.parse())?;
    let (layout, kernels) = (Layout::full(&SHAPE), Kernels::select(CpuFeatures::detect()));
    let mut parameters = initial::full(&layout, &SHAPE, 1)?;
    let mut random = Random::new(1, 1);
    let mut document = || Document {
        tokens: (0..257).map(|_| random.below(SHAPE.vocab) as u32).collect(),
        counted: vec![true; 257],
    };
    let documents: Vec<Document> = (0..16).map(|_| document()).collect();
    let batch: Vec<usize> = (0..16).collect();
    let plan = Plan { shards: 2, together: 512, recompute: false, bf16 };
    let mut gradients =
        Gradients::new(&Net::dense(SHAPE, &layout, &parameters)?, layout.len(), plan, kernels)?;
    let mut optimizer = AdamW::new(Settings::default(), layout.len())?;
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..steps {
        let begun = Instant::now();
        let net = Net::dense(SHAPE, &layout, &parameters)?;
        gradients.compute(&net, &documents, &batch, &threads)?;
        let norm = gradients.norm()?;
        let vectors = (&mut parameters[..], gradients.gradient());
        optimizer.update(kernels, &layout, vectors, (1e-3, norm), &threads)?;
        times.push(begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    println!(
        "parameters {:.2} million, {} kernels, {threads} threads",
        layout.len() as f64 / 1e6,
        kernels.name(),
        threads = threads.0
    );
    println!("step: median {:.3} s, best {:.3} s", times[times.len() / 2], times[0]);
    Ok(())
}
