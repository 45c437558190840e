//! Fine-tuning on a few documents: frozen layers are computed once and change nothing; a run repeats exactly, learns what it
//! is to learn, stops when it is told, says how much memory it needs, and gives nothing where a number is none.

use inference_gguf::{Gguf, Writer};
use inference_kernels::Kernels;
use inference_model::Model;
use training::tune::{Lesson, Moment, Recipe, Role, TuneError, Tuned, demand, tune};
use training::{
    Alone, Base, Document, Gradients, Layout, Net, Part, Plan, Shape, Start, TrainError, initial,
};

const SHAPE: Shape = Shape {
    vocab: 40,
    dim: 32,
    layers: 3,
    heads: 4,
    kv_heads: 2,
    ffn: 64,
    context: 16,
    rope_base: 100.0,
    eps: 1e-5,
    tied: true,
};
const RECIPE: Recipe =
    Recipe { rank: 4, alpha: 8.0, layers: 2, rate: 0.02, passes: 200, enough: 0.3, seed: 3 };
const PLAN: Plan = Plan { shards: 1, together: 16, recompute: false, bf16: false };
const ROOM: usize = 64 << 20;

/// A model of random weights; `spoilt`: one of them is no number.
fn file(spoilt: bool) -> Vec<u8> {
    let layout = Layout::full(&SHAPE);
    let mut parameters = initial::full(&layout, &SHAPE, 1).unwrap();
    // Wide apart, so that a logit can be large.
    parameters[layout.find("token_embd.weight").unwrap().range()].iter_mut().for_each(|x| *x *= 25.0);
    if spoilt {
        let slot = layout.find("blk.2.ffn_down.weight").unwrap();
        parameters[slot.start] = f32::NAN;
    }
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama").u32("llama.context_length", SHAPE.context as u32);
    writer.u32("llama.embedding_length", SHAPE.dim as u32).u32("llama.block_count", SHAPE.layers as u32);
    writer.u32("llama.feed_forward_length", SHAPE.ffn as u32);
    writer.u32("llama.attention.head_count", SHAPE.heads as u32);
    writer.u32("llama.attention.head_count_kv", SHAPE.kv_heads as u32);
    writer.f32("llama.attention.layer_norm_rms_epsilon", SHAPE.eps);
    writer.f32("llama.rope.freq_base", SHAPE.rope_base);
    let mut tensors = Vec::new();
    for slot in layout.slots() {
        let dims = [slot.cols as u64, slot.rows as u64];
        writer.tensor(&slot.name, &dims[..1 + usize::from(slot.decay)], inference_gguf::GgmlType::F32);
        tensors.push(parameters[slot.range()].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>());
    }
    writer.file(&tensors.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn lesson(role: Role, tokens: [u32; 8]) -> Lesson {
    let counted = (0..8).map(|at| at >= 4).collect();
    Lesson { role, document: Document { tokens: tokens.to_vec(), counted } }
}

fn lessons() -> Vec<Lesson> {
    vec![
        lesson(Role::Learn, [1, 5, 9, 2, 30, 31, 32, 33]),
        lesson(Role::Learn, [1, 6, 9, 2, 20, 11, 22, 13]),
        lesson(Role::Replay, [1, 7, 8, 2, 5, 5, 5, 5]),
        lesson(Role::HeldBack, [1, 6, 6, 2, 9, 8, 7, 6]),
    ]
}

fn run(
    file: &[u8],
    lessons: &[Lesson],
    room: usize,
    watch: impl FnMut(Moment) -> bool,
) -> Result<Tuned, TuneError> {
    let model = Model::bind(&Gguf::parse(file).unwrap()).unwrap();
    let base = Base::new(&model, SHAPE.context).unwrap();
    tune(&base, Kernels::generic(), lessons, &RECIPE, room, watch)
}

#[test]
fn what_is_learnt_is_learnt_and_a_run_repeats_exactly() {
    let file = file(false);
    let tuned = run(&file, &lessons(), ROOM, |_| true).unwrap();
    assert_eq!((tuned.before.documents, tuned.after.documents), ([2, 1, 1], [2, 1, 1]));
    assert!(tuned.before.mean[0] > 2.0 && tuned.after.mean[0] < 0.1, "{:?}", tuned.after);
    assert!(tuned.passes < RECIPE.passes, "it ends when it is enough");
    let again = run(&file, &lessons(), ROOM, |_| true).unwrap();
    assert_eq!(tuned.parameters, again.parameters);
    assert!(
        !tuned.layout.slots().iter().any(|slot| slot.name.starts_with("blk.0.")),
        "the last layers alone"
    );
}

#[test]
fn what_is_held_back_is_never_learnt() {
    let file = file(false);
    let without: Vec<Lesson> = lessons().into_iter().filter(|lesson| lesson.role != Role::HeldBack).collect();
    let tuned = |lessons: &[Lesson]| run(&file, lessons, ROOM, |_| true).unwrap().parameters;
    assert_eq!(tuned(&lessons()), tuned(&without));
}

#[test]
fn frozen_layers_computed_once_give_the_same_gradient() {
    let file = file(false);
    let model = Model::bind(&Gguf::parse(&file).unwrap()).unwrap();
    let base = Base::new(&model, SHAPE.context).unwrap();
    let (net, first) = (base.net().unwrap(), 1);
    let layout = Layout::adapters_from(&SHAPE, &Part::ALL, 2, first);
    let mut parameters = vec![0.0; layout.len()];
    training::random::Random::new(9, 9).normal(0.1, &mut parameters);
    let documents: Vec<Document> = lessons().into_iter().map(|lesson| lesson.document).collect();
    let gradient = |net: &Net<'_>| {
        let net = net.adapted(&layout, &parameters, 0.5).unwrap();
        let mut gradients = Gradients::new(&net, layout.len(), PLAN, Kernels::generic()).unwrap();
        let tally = gradients.compute(&net, &documents, &[0, 1, 2, 3], &Alone).unwrap();
        (tally.loss, gradients.gradient().to_vec())
    };
    let whole = gradient(&net);
    let mut gradients = Gradients::new(&net, 0, PLAN, Kernels::generic()).unwrap();
    let (mut states, mut rows) = (Vec::new(), Vec::new());
    for document in &documents {
        rows.push(states.len() / SHAPE.dim);
        gradients.states(&net, document, first, &mut states).unwrap();
    }
    let start = Some(Start { layer: first, states: &states, rows: &rows });
    assert_eq!(whole, gradient(&Net { start, ..net.clone() }));
}

#[test]
fn a_run_stops_at_any_moment() {
    let file = file(false);
    let mut moments = 0;
    run(&file, &lessons(), ROOM, |_| {
        moments += 1;
        true
    })
    .unwrap();
    for last in [1, 3, 5, 8, 9, 12, moments] {
        let mut count = 0;
        let stopped = run(&file, &lessons(), ROOM, |_| {
            count += 1;
            count < last
        });
        assert_eq!(stopped.map(|_| ()), Err(TuneError::Stopped), "at {last} of {moments}");
        assert_eq!(count, last);
    }
}

#[test]
fn too_little_memory_is_said_before_anything_is_computed() {
    let needed = demand(&Shape { context: 16, ..SHAPE }, &lessons(), &RECIPE);
    let mut moments = 0;
    let refused = run(&file(false), &lessons(), needed - 1, |_| {
        moments += 1;
        true
    });
    assert_eq!(refused.map(|_| ()), Err(TuneError::NoRoom { needed, given: needed - 1 }));
    assert_eq!(moments, 0);
    assert!(run(&file(false), &lessons(), needed, |_| true).is_ok());
}

#[test]
fn numbers_that_are_none_end_a_run_without_an_adapter() {
    let ended = run(&file(true), &lessons(), ROOM, |_| true).map(|_| ());
    assert!(matches!(ended, Err(TuneError::Train(TrainError::NotFinite { .. }))), "{ended:?}");
}
