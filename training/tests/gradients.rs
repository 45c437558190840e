//! Gradients against finite differences of a plain forward pass in `f64`, and what must not change them.

mod common;

use common::{SHAPE, documents, loss};
use inference_kernels::{CpuFeatures, Kernels};
use training::random::Random;
use training::{Alone, Gradients, Layout, Net, Plan, Shape, initial};

const PLAN: Plan = Plan { shards: 2, together: 96, recompute: false, bf16: false };

/// Loss and gradient by the crate.
fn ours(shape: Shape, parameters: &[f32], plan: Plan, kernels: Kernels) -> (f64, Vec<f32>) {
    let layout = Layout::full(&shape);
    let net = Net::dense(shape, &layout, parameters).unwrap();
    let documents = documents(&shape);
    let all: Vec<usize> = (0..documents.len()).collect();
    let mut gradients = Gradients::new(&net, layout.len(), plan, kernels).unwrap();
    let tally = gradients.compute(&net, &documents, &all, &Alone).unwrap();
    (tally.mean(), gradients.gradient().to_vec())
}

/// Parameters large enough that every part of the model matters.
fn parameters(shape: &Shape) -> Vec<f32> {
    let layout = Layout::full(shape);
    let mut out = initial::full(&layout, shape, 1).unwrap();
    let mut noise = vec![0.0; out.len()];
    Random::new(3, 3).normal(0.1, &mut noise);
    out.iter_mut().zip(noise).for_each(|(p, n)| *p = 2.0 * *p + n);
    out
}

fn check(shape: Shape) {
    let (layout, start) = (Layout::full(&shape), parameters(&shape));
    let (our_loss, gradient) = ours(shape, &start, PLAN, Kernels::select(CpuFeatures::detect()));
    let mut p: Vec<f64> = start.iter().map(|p| f64::from(*p)).collect();
    let all = documents(&shape);
    assert!((our_loss - loss(&shape, &layout, &p, &all)).abs() < 1e-5);
    let (mut random, step) = (Random::new(5, 5), 1e-5);
    for slot in layout.slots() {
        let largest = gradient[slot.range()].iter().fold(0f32, |m, g| m.max(g.abs()));
        assert!(largest > 0.0, "{} has no gradient", slot.name);
        for _ in 0..6 {
            let at = slot.start + random.below(slot.rows * slot.cols);
            let was = p[at];
            p[at] = was + step;
            let above = loss(&shape, &layout, &p, &all);
            p[at] = was - step;
            let below = loss(&shape, &layout, &p, &all);
            p[at] = was;
            let difference = ((above - below) / (2.0 * step) - f64::from(gradient[at])).abs();
            assert!(difference < 1e-4 * f64::from(largest) + 1e-8, "{} at {at}: {difference}", slot.name);
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    check(SHAPE);
}

#[test]
fn gradients_of_an_untied_model_are_too() {
    check(Shape { tied: false, kv_heads: 4, ..SHAPE });
}

#[test]
fn recomputing_activations_changes_no_bit() {
    let (start, kernels) = (parameters(&SHAPE), Kernels::select(CpuFeatures::detect()));
    let kept = ours(SHAPE, &start, PLAN, kernels);
    assert_eq!(kept, ours(SHAPE, &start, Plan { recompute: true, ..PLAN }, kernels));
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let start = parameters(&SHAPE);
    let oracle = ours(SHAPE, &start, PLAN, Kernels::generic());
    for features in [CpuFeatures::detect(), CpuFeatures::detect() - CpuFeatures::AVX512_VNNI] {
        let kernels = Kernels::select(features);
        assert!(ours(SHAPE, &start, PLAN, kernels) == oracle, "{}", kernels.name());
    }
}

#[test]
fn products_in_bf16_point_in_the_same_direction() {
    let (start, kernels) = (parameters(&SHAPE), Kernels::select(CpuFeatures::detect()));
    let (loss, exact) = ours(SHAPE, &start, PLAN, kernels);
    let (rounded_loss, rounded) = ours(SHAPE, &start, Plan { bf16: true, ..PLAN }, kernels);
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let cosine = dot(&exact, &rounded) / (dot(&exact, &exact) * dot(&rounded, &rounded)).sqrt();
    assert!(cosine > 0.99 && (loss - rounded_loss).abs() < 0.02, "{cosine}, {loss}, {rounded_loss}");
    assert_eq!(exact == rounded, !kernels.has_bf16());
}
