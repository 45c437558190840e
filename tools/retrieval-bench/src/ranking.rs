// SPDX-License-Identifier: MIT
//! Rankings of a collection by vectors, by words, and by both, with the indexes of the device.
use std::path::Path;

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use retrieval::index::{
    Bm25, Bm25Parameters, Entry, Filter, Hit, PortableDots, Ranked, RrfParameters, VectorFormat, VectorIndex,
    fuse,
};

use crate::cache;
use crate::collection::{Collection, Question};
use crate::embedding::Embedding;
use crate::measures::{DEPTH, Measures, average};

/// What decides the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Cosine of the vectors.
    Vector,
    /// BM25 of the words.
    Bm25,
    /// Both, by their ranks.
    Hybrid,
}

/// Hits of one question by vectors and by words.
pub struct Hits {
    vectors: Vec<Hit>,
    words: Vec<Hit>,
}

/// Embeddings of a collection: passages, questions.
pub struct Vectors {
    passages: Vec<Vec<f32>>,
    questions: Vec<Vec<f32>>,
}

/// Embeds a whole collection, or takes the vectors from the folder `cache` if they are there.
///
/// # Errors
/// As [`Embedding::embed_all`]; a cache that cannot be read or written.
pub fn embed(collection: &Collection, embedding: &Embedding, cache: Option<&Path>) -> Result<Vectors> {
    let questions: Vec<&str> = collection.questions.iter().map(|question| question.text.as_str()).collect();
    let passages: Vec<&str> = collection.passages.iter().map(String::as_str).collect();
    Ok(Vectors {
        passages: cache::embed_all("passages", &passages, embedding, cache)?,
        questions: cache::embed_all("questions", &questions, embedding, cache)?,
    })
}

/// Searches for every question, both ways.
///
/// # Errors
/// Vectors that the index refuses.
pub fn search(collection: &Collection, vectors: &Vectors, format: VectorFormat) -> Result<Vec<Hits>> {
    let count = collection.passages.len();
    let dims = vectors.passages.first().map_or(0, Vec::len);
    let mut index = VectorIndex::new(dims, format, count);
    let mut words = Bm25::new(count, Bm25Parameters::default());
    for (id, text) in collection.passages.iter().enumerate() {
        let entry = Entry { id: id as u64, ..Entry::default() };
        index.insert(entry, &vectors.passages[id]).map_err(|error| anyhow!("{error}"))?;
        words.insert(entry, text).map_err(|error| anyhow!("{error}"))?;
    }
    let open = Filter::default();
    let one = |(question, vector): (&Question, &Vec<f32>)| {
        let vectors =
            index.search(vector, DEPTH, &open, &PortableDots).map_err(|error| anyhow!("{error}"))?;
        Ok(Hits { vectors, words: words.search(&question.text, DEPTH, &open) })
    };
    collection.questions.iter().zip(&vectors.questions).map(one).collect()
}

/// One mode's ranking of one question.
fn rank(hits: &Hits, mode: Mode, fusion: RrfParameters) -> Vec<usize> {
    let fused;
    let hits = match mode {
        Mode::Vector => &hits.vectors,
        Mode::Bm25 => &hits.words,
        Mode::Hybrid => {
            let vectors = Ranked { hits: &hits.vectors, weight: fusion.vectors };
            let words = Ranked { hits: &hits.words, weight: fusion.words };
            fused = fuse(&[vectors, words], DEPTH, fusion);
            &fused
        }
    };
    hits.iter().map(|hit| hit.id as usize).collect()
}

/// Averages of one mode over all questions.
pub fn measure(collection: &Collection, hits: &[Hits], mode: Mode, fusion: RrfParameters) -> Measures {
    let one = |(hits, question): (&Hits, &Question)| {
        let mut ranking = rank(hits, mode, fusion);
        ranking.retain(|passage| Some(*passage) != question.own);
        ranking
    };
    let rankings: Vec<Vec<usize>> = hits.iter().zip(&collection.questions).map(one).collect();
    let relevant = collection.questions.iter().map(|question| &question.relevant);
    average(rankings.iter().map(Vec::as_slice).zip(relevant))
}
