// SPDX-License-Identifier: MIT
//! A job's work: the model is bound, the recipe chosen to fit, the adapter learnt and written down.

use crate::file;
use crate::job::Job;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use inference_gguf::Gguf;
use inference_kernels::Kernels;
use inference_model::Model;
use ipc_protocol::adapter::SLOT;
use ipc_protocol::session_trainer::Losses;
use training::tune::{self, Moment, Recipe, TuneError, tune};
use training::{Base, Layout, Part, Shape};

/// Ranks of adapters, best first; the first that fits a slot is taken.
const RANKS: [usize; 4] = [8, 4, 2, 1];

/// What came of a job.
pub(crate) struct Learnt {
    pub file: Vec<u8>,
    pub before: Losses,
    pub after: Losses,
    pub passes: u32,
}

/// How a model of this shape learns: the last third of its layers.
fn recipe(shape: &Shape, seed: u64) -> Result<Recipe, String> {
    let layers = shape.layers.div_ceil(3);
    let size =
        |rank: usize| file::size(&Layout::adapters_from(shape, &Part::ALL, rank, shape.layers - layers));
    let rank = RANKS.into_iter().find(|rank| size(*rank) <= SLOT).ok_or_else(|| {
        format!("its smallest adapter has {} KiB, there is room for {} KiB", size(1) / 1024, SLOT / 1024)
    })?;
    let alpha = 2.0 * rank as f32;
    Ok(Recipe { rank, alpha, layers, rate: 0.01, passes: 24, enough: 0.3, seed })
}

/// Learns; `go_on` is asked after every document. `heap` bytes may be used.
///
/// # Errors
/// `None` when it was stopped; else why there is no adapter, for people.
pub(crate) fn work(
    job: &Job,
    weights: &[u8],
    kernels: Kernels,
    heap: usize,
    go_on: impl FnMut(Moment, &Recipe) -> bool,
) -> Result<Learnt, Option<String>> {
    let end = job.sealed.offset.checked_add(job.sealed.length);
    let file = end.and_then(|end| weights.get(job.sealed.offset as usize..end as usize));
    let file = file.ok_or_else(|| "the model lies outside the weights region".to_string())?;
    let gguf = Gguf::parse(file).map_err(|error| error.to_string())?;
    let model = Model::bind(&gguf).map_err(|error| error.to_string())?;
    drop(gguf);
    learn(job, &model, kernels, heap, go_on)
}

fn learn(
    job: &Job,
    model: &Model<'_>,
    kernels: Kernels,
    heap: usize,
    mut go_on: impl FnMut(Moment, &Recipe) -> bool,
) -> Result<Learnt, Option<String>> {
    let longest = job.lessons.iter().map(|lesson| lesson.document.inputs()).max().unwrap_or(1);
    let base = Base::new(model, longest.next_multiple_of(16)).map_err(|error| error.to_string())?;
    let seed = u64::from_le_bytes(job.base);
    let recipe = recipe(base.shape(), seed).map_err(Some)?;
    let tuned = tune(&base, kernels, &job.lessons, &recipe, heap, |moment| go_on(moment, &recipe));
    let tuned = tuned.map_err(|error| explain(&error))?;
    let file = file::adapter(&tuned.layout, &tuned.parameters, recipe.alpha, &job.base);
    Ok(Learnt { file, before: told(&tuned.before), after: told(&tuned.after), passes: tuned.passes })
}

fn explain(error: &TuneError) -> Option<String> {
    match error {
        TuneError::Stopped => None,
        TuneError::NoRoom { needed, given } => Some(format!(
            "learning takes {} MiB with this model, the trainer has {} MiB: use a smaller model, or fewer pairs",
            needed.div_ceil(1 << 20),
            given >> 20
        )),
        TuneError::Train(error) => Some(error.to_string()),
    }
}

fn told(losses: &tune::Losses) -> Losses {
    Losses { mean: losses.mean.map(|mean| mean as f32), lessons: losses.documents }
}
