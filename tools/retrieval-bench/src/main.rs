// SPDX-License-Identifier: MIT
//! `cloister-retrieval-bench`: recall, MRR and nDCG of the retriever on SQuAD and BEIR collections, and its speed.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};
use inference_kernels::{CpuFeatures, Kernels};
use retrieval::index::{RrfParameters, VectorFormat};
use serde_json::{Value, json};
use tools_retrieval_bench::beir;
use tools_retrieval_bench::collection::{self, Collection};
use tools_retrieval_bench::embedding::Embedding;
use tools_retrieval_bench::ranking::{self, Mode};
use tools_retrieval_bench::{speed, sts};

/// Measures how well and how fast passages are found.
#[derive(Parser)]
struct Arguments {
    /// A collection in SQuAD's form. Without any collection: XQuAD English of the shared data.
    #[arg(long, value_name = "FILE.json")]
    squad: Option<PathBuf>,
    /// A collection in BEIR's form.
    #[arg(long, value_name = "FILE.zip")]
    beir: Option<PathBuf>,
    /// The judgements of a BEIR collection that are used.
    #[arg(long, default_value = "test")]
    split: String,
    /// Sentence pairs with scores: Spearman's correlation of the cosines.
    #[arg(long, value_name = "FILE.csv")]
    sts: Option<PathBuf>,
    /// A GGUF of an embedding model; without it, the labelled hash fallback.
    #[arg(long, value_name = "FILE.gguf")]
    model: Option<PathBuf>,
    /// The hash fallback, as without --model.
    #[arg(long, conflicts_with = "model")]
    hash: bool,
    /// What decides the order; all three without it.
    #[arg(long)]
    mode: Option<Mode>,
    /// How vectors are kept.
    #[arg(long, default_value = "f16")]
    vectors: Format,
    /// A folder in which vectors are kept from run to run.
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Hybrid: how fast a rank loses value.
    #[arg(long, default_value_t = RrfParameters::default().k)]
    rrf_k: f32,
    /// Hybrid: how much the vectors' ranks count.
    #[arg(long, default_value_t = RrfParameters::default().vectors)]
    vector_weight: f32,
    /// Measure the vector scan's speed, too.
    #[arg(long)]
    speed: bool,
    /// With --speed: a Python that has numpy, faiss-cpu, usearch and hnswlib, to measure these beside our scan.
    #[arg(long, value_name = "PYTHON", requires = "speed")]
    peers: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    F32,
    F16,
    Q8,
}

impl From<Format> for VectorFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::F32 => Self::F32,
            Format::F16 => Self::F16,
            Format::Q8 => Self::Q8,
        }
    }
}

/// XQuAD of the folder beside the repository, or of `CLOISTER_SHARED`.
fn usual_collection() -> Result<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("CLOISTER_SHARED").map_or(shared, PathBuf::from);
    let path = shared.join("corpora/xquad.en.json");
    if path.is_file() {
        return Ok(path);
    }
    bail!(
        "no collection: give --squad FILE.json or --beir FILE.zip, or set CLOISTER_SHARED ({})",
        path.display()
    )
}

fn open_collection(arguments: &Arguments) -> Result<(PathBuf, Collection)> {
    match (&arguments.squad, &arguments.beir) {
        (Some(_), Some(_)) => bail!("give --squad or --beir, not both"),
        (Some(path), None) => Ok((path.clone(), collection::squad(path)?)),
        (None, Some(path)) => Ok((path.clone(), beir::beir(path, &arguments.split)?)),
        (None, None) => {
            let path = usual_collection()?;
            let collection = collection::squad(&path)?;
            Ok((path, collection))
        }
    }
}

fn modes(arguments: &Arguments) -> Vec<Mode> {
    arguments.mode.map_or(vec![Mode::Vector, Mode::Bm25, Mode::Hybrid], |mode| vec![mode])
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Vector => "vector",
        Mode::Bm25 => "bm25",
        Mode::Hybrid => "hybrid",
    }
}

fn measure_collection(arguments: &Arguments, embedding: &Embedding) -> Result<Value> {
    let (path, collection) = open_collection(arguments)?;
    let vectors = ranking::embed(&collection, embedding, arguments.cache.as_deref())?;
    let hits = ranking::search(&collection, &vectors, arguments.vectors.into())?;
    let fusion =
        RrfParameters { k: arguments.rrf_k, vectors: arguments.vector_weight, ..RrfParameters::default() };
    let mut results = serde_json::Map::new();
    for mode in modes(arguments) {
        results.insert(mode_name(mode).into(), json!(ranking::measure(&collection, &hits, mode, fusion)));
    }
    Ok(json!({
        "collection": path.display().to_string(),
        "passages": collection.passages.len(),
        "questions": collection.questions.len(),
        "vectors": format!("{:?}", arguments.vectors).to_lowercase(),
        "modes": results,
    }))
}

fn measure_sts(path: &Path, embedding: &Embedding) -> Result<Value> {
    let pairs = sts::read(path)?;
    let (exact, q8) = sts::measure(&pairs, embedding)?;
    Ok(
        json!({"file": path.display().to_string(), "pairs": pairs.len(), "spearman": exact, "spearman_q8": q8}),
    )
}

fn measure_speed(python: Option<&Path>) -> Result<Value> {
    let kernels = Kernels::select(CpuFeatures::detect());
    let sizes = [11_167, 100_000];
    let results: Result<Vec<_>> =
        sizes.iter().map(|count| speed::measure(*count, 384, kernels, python)).collect();
    Ok(json!(results?))
}

fn print_table(report: &Value) {
    println!("embedding  {}", report["embedding"].as_str().unwrap_or_default());
    let collection = &report["collection"];
    if collection.is_object() {
        println!(
            "collection {} ({} passages, {} questions), vectors {}",
            collection["collection"].as_str().unwrap_or_default(),
            collection["passages"],
            collection["questions"],
            collection["vectors"].as_str().unwrap_or_default()
        );
        println!(
            "{:8} {:>9} {:>9} {:>9} {:>7} {:>8}",
            "mode", "recall@1", "recall@5", "recall@10", "MRR", "nDCG@10"
        );
        for (mode, measures) in collection["modes"].as_object().into_iter().flatten() {
            let number = |name: &str| measures[name].as_f64().unwrap_or(f64::NAN);
            let [a, b, c, d, e] =
                ["recall_at_1", "recall_at_5", "recall_at_10", "mrr", "ndcg_at_10"].map(number);
            println!("{mode:8} {a:9.4} {b:9.4} {c:9.4} {d:7.4} {e:8.4}");
        }
    }
    for section in ["sts", "speed"] {
        if !report[section].is_null() {
            println!("{section}: {:#}", report[section]);
        }
    }
}

/// An error is one line, however many causes it has.
fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let embedding = Embedding::open(arguments.model.as_deref())?;
    let mut report = json!({"embedding": embedding.label()?});
    let only_others =
        arguments.squad.is_none() && arguments.beir.is_none() && (arguments.sts.is_some() || arguments.speed);
    if !only_others {
        report["collection"] = measure_collection(arguments, &embedding)?;
    }
    if let Some(path) = &arguments.sts {
        report["sts"] = measure_sts(path, &embedding)?;
    }
    if arguments.speed {
        report["speed"] = measure_speed(arguments.peers.as_deref())?;
    }
    if arguments.json {
        println!("{report:#}")
    } else {
        print_table(&report)
    }
    Ok(())
}
