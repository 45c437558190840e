//! Loss and gradients against PyTorch's for the same weights (`tests/data/torch_reference.py golden`).

mod common;

use common::SHAPE;
use inference_kernels::{CpuFeatures, Kernels};
use serde_json::Value;
use training::random::Random;
use training::{Alone, Document, Gradients, Layout, Net, Plan, initial};

#[test]
fn gradients_are_those_of_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("data/torch_gradients.json")).unwrap();
    let layout = Layout::full(&SHAPE);
    let mut parameters = initial::full(&layout, &SHAPE, 1).unwrap();
    for slot in layout.slots().iter().filter(|slot| slot.decay) {
        parameters[slot.range()].iter_mut().for_each(|p| *p *= 4.0);
    }
    let mut random = Random::new(7, 0);
    let document = Document {
        tokens: (0..91).map(|_| random.below(SHAPE.vocab) as u32).collect(),
        counted: (0..91).map(|i| i % 3 != 1).collect(),
    };
    let net = Net::dense(SHAPE, &layout, &parameters).unwrap();
    let plan = Plan { shards: 1, together: 96, recompute: false, bf16: false };
    let kernels = Kernels::select(CpuFeatures::detect());
    let mut gradients = Gradients::new(&net, layout.len(), plan, kernels).unwrap();
    let tally = gradients.compute(&net, &[document], &[0], &Alone).unwrap();
    assert!((tally.mean() - golden["loss"].as_f64().unwrap()).abs() < 1e-5);
    for slot in layout.slots() {
        let expected: Vec<f64> =
            golden["gradients"][&slot.name].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        let ours = &gradients.gradient()[slot.range()];
        let squares: f64 = ours.iter().map(|x| f64::from(*x).powi(2)).sum();
        assert!(
            (squares - expected[0]).abs() < 1e-4 * expected[0],
            "{}: {squares}, {}",
            slot.name,
            expected[0]
        );
        let largest = expected[0].sqrt();
        for (ours, expected) in ours.iter().zip(&expected[1..]) {
            assert!(
                (f64::from(*ours) - expected).abs() < 1e-4 * largest,
                "{}: {ours}, {expected}",
                slot.name
            );
        }
    }
}
