// SPDX-License-Identifier: MIT
//! `pretrain`: trains all weights of a new model.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use inference_gguf::{GgmlType, Gguf};
use inference_tokenizer::Tokenizer;
use training::{AdamW, Curve, Gradients, Layout, Net, Order, Plan, Schedule, Settings, Shape, initial};

use crate::checkpoint::{self, State, fingerprint};
use crate::config::Config;
use crate::data::Data;
use crate::export::{self, Export};
use crate::pool::{self, Pool};
use crate::progress::{Progress, Record, clock};
use crate::render::Renderer;

/// Arguments of `pretrain`.
#[derive(clap::Args)]
pub struct Arguments {
    /// JSON lines: {"text"}, {"prompt", "completion"} or {"messages": [{"role", "content"}]}.
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// A GGUF file with the vocabulary and the chat template.
    #[arg(long)]
    vocab: PathBuf,
    /// The model's sizes: dim, layers, heads, kv_heads, ffn, context, rope_base, tied, name.
    #[arg(long)]
    config: PathBuf,
    /// The model file; checkpoint, losses and plot are written beside it.
    #[arg(short, long)]
    out: PathBuf,
    /// Go on from this checkpoint.
    #[arg(long)]
    resume: Option<PathBuf>,
    /// Stop after so many steps.
    #[arg(long)]
    steps: Option<u64>,
    /// Stop after so many minutes. Runs repeat exactly only with --steps.
    #[arg(long)]
    minutes: Option<f64>,
    /// Tokens of a step.
    #[arg(long, default_value_t = 4096)]
    batch: usize,
    /// Most tokens of a document; the configuration's context if absent.
    #[arg(long)]
    context: Option<usize>,
    /// Highest learning rate.
    #[arg(long, default_value_t = 1e-3)]
    lr: f32,
    /// Steps in which the learning rate rises.
    #[arg(long, default_value_t = 100)]
    warmup: u64,
    /// How the learning rate falls.
    #[arg(long, value_enum, default_value_t = Form::Cosine)]
    schedule: Form,
    /// Weight decay.
    #[arg(long, default_value_t = 0.1)]
    decay: f32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long)]
    threads: Option<usize>,
    /// Parts of a step that are computed independently. Another number gives other roundings.
    #[arg(long, default_value_t = 4)]
    shards: usize,
    /// Compute activations again in the backward pass: less memory, a third more work.
    #[arg(long)]
    recompute: bool,
    /// Multiply in BF16 (sums in F32) where the processor can: nearly twice as fast, and runs repeat exactly only on
    /// processors that can.
    #[arg(long)]
    bf16: bool,
    /// Type of the matrices in the model file: Q8_0, F16 or F32.
    #[arg(long = "type", default_value = "Q8_0")]
    kind: String,
    /// Held-out data, whose loss is measured with every checkpoint.
    #[arg(long)]
    eval: Option<PathBuf>,
    /// Minutes between checkpoints.
    #[arg(long, default_value_t = 5.0)]
    save_every: f64,
}

/// The forms of a schedule.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Constant,
    Cosine,
    /// Warm-up, stable, decay in the last fifth.
    Wsd,
}

/// Reads everything, then trains.
pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        arguments.steps.is_some() || arguments.minutes.is_some(),
        "say when to stop: --steps or --minutes"
    );
    let kind = export::kind(&arguments.kind)?;
    let pool = Pool::new(arguments.threads.unwrap_or_else(pool::cores))?;
    let bytes = std::fs::read(&arguments.vocab)
        .with_context(|| format!("cannot read {}", arguments.vocab.display()))?;
    let unusable = || format!("the vocabulary {} is not usable", arguments.vocab.display());
    let gguf = Gguf::parse(&bytes).with_context(unusable)?;
    let tokenizer = Tokenizer::from_gguf(&gguf).with_context(unusable)?;
    let (config, text) = Config::read(&arguments.config)?;
    let shape = config.shape(tokenizer.len() as usize)?;
    let renderer = Renderer::new(&tokenizer, gguf.str("tokenizer.chat_template")?).with_context(unusable)?;
    let context = arguments.context.unwrap_or(shape.context).min(shape.context);
    let read = |files: &[PathBuf]| pool.install(|| Data::read(files, &renderer, context));
    let data = read(&arguments.data)?;
    let held_out = arguments.eval.as_ref().map(|file| read(std::slice::from_ref(file))).transpose()?;
    report(&shape, &data);
    let mut run = Run::new(arguments, shape, text, data, held_out, pool)?;
    run.resume()?;
    run.train(&gguf, &config.name, kind)
}

fn report(shape: &Shape, data: &Data) {
    let (inputs, targets) = data.totals();
    println!(
        "model: {:.2} million parameters, {} layers of {}, vocabulary {}, context {}",
        Layout::full(shape).len() as f64 / 1e6,
        shape.layers,
        shape.dim,
        shape.vocab,
        shape.context
    );
    println!(
        "data: {} documents, {inputs} tokens, {targets} of them with loss; {} lines were cut, {} have nothing to learn",
        data.documents.len(),
        data.cut,
        data.empty
    );
}

/// Everything that changes while training.
struct Run<'a> {
    arguments: &'a Arguments,
    shape: Shape,
    model: String,
    data: Data,
    held_out: Option<Data>,
    pool: Pool,
    layout: Layout,
    parameters: Vec<f32>,
    optimizer: AdamW,
    gradients: Gradients,
    order: Order,
    progress: Progress,
    tokens: u64,
    /// Seconds before this part of the run.
    before: f64,
    started: Instant,
}

impl<'a> Run<'a> {
    fn new(
        arguments: &'a Arguments,
        shape: Shape,
        model: String,
        data: Data,
        held_out: Option<Data>,
        pool: Pool,
    ) -> Result<Self> {
        let layout = Layout::full(&shape);
        let parameters = initial::full(&layout, &shape, arguments.seed)?;
        let settings = Settings { decay: arguments.decay, ..Settings::default() };
        let (shards, recompute, bf16) = (arguments.shards, arguments.recompute, arguments.bf16);
        let plan = Plan { shards, together: 512, recompute, bf16 };
        let net = Net::dense(shape, &layout, &parameters)?;
        let gradients = Gradients::new(&net, layout.len(), plan, pool::kernels())?;
        Ok(Self {
            optimizer: AdamW::new(settings, layout.len())?,
            order: Order::new(data.documents.len(), arguments.seed, 0, 0),
            progress: Progress::new(Path::new(""), 0)?,
            gradients,
            arguments,
            shape,
            model,
            data,
            held_out,
            pool,
            layout,
            parameters,
            tokens: 0,
            before: 0.0,
            started: Instant::now(),
        })
    }

    /// The file beside the model's with this extension.
    fn beside(&self, extension: &str) -> PathBuf {
        self.arguments.out.with_extension(extension)
    }

    fn resume(&mut self) -> Result<()> {
        let Some(file) = &self.arguments.resume else { return Ok(()) };
        let state = checkpoint::read(file, &mut self.parameters, &mut self.optimizer)?;
        ensure!(
            state.model == self.model,
            "{} was made with another configuration: give the same file to --config",
            file.display()
        );
        (self.tokens, self.before) = (state.tokens, state.seconds);
        let same = state.data == fingerprint(&self.data.documents) && state.seed == self.arguments.seed;
        let (epoch, position) = if same { (state.epoch, state.position) } else { (state.epoch + 1, 0) };
        self.order = Order::new(self.data.documents.len(), self.arguments.seed, epoch, position);
        self.progress = Progress::new(&self.beside("losses.csv"), state.steps)?;
        println!("resuming at step {}, {} tokens, {}", state.steps, state.tokens, clock(state.seconds));
        if !same {
            println!("data or seed are not those of the checkpoint: a new epoch begins");
        }
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    /// The part of the run that is done.
    fn done(&self) -> f64 {
        let by_steps = self.arguments.steps.map(|steps| self.optimizer.steps as f64 / steps.max(1) as f64);
        let by_time = self.arguments.minutes.map(|minutes| self.seconds() / (60.0 * minutes).max(1e-9));
        by_steps.unwrap_or(0.0).max(by_time.unwrap_or(0.0))
    }

    fn train(&mut self, vocabulary: &Gguf<'_>, name: &str, kind: GgmlType) -> Result<()> {
        let mut saved = Instant::now();
        while self.done() < 1.0 {
            self.step().with_context(|| {
                format!("step {} failed; the last checkpoint is unchanged", self.optimizer.steps + 1)
            })?;
            if saved.elapsed().as_secs_f64() >= 60.0 * self.arguments.save_every {
                self.save(vocabulary, name, kind)?;
                saved = Instant::now();
            }
        }
        self.save(vocabulary, name, kind)?;
        println!(
            "done: {} steps, {} tokens in {}; loss {:.4}",
            self.optimizer.steps,
            self.tokens,
            clock(self.seconds()),
            self.progress.recent()
        );
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        let (begun, done) = (Instant::now(), self.done());
        let batch = self.order.next_batch(&self.data.documents, self.arguments.batch);
        let net = Net::dense(self.shape, &self.layout, &self.parameters)?;
        let tally = self.gradients.compute(&net, &self.data.documents, &batch, &self.pool)?;
        let norm = self.gradients.norm()?;
        let rate = self.schedule().rate(self.optimizer.steps, done);
        let vectors = (&mut self.parameters[..], self.gradients.gradient());
        self.optimizer.update(pool::kernels(), &self.layout, vectors, (rate, norm), &self.pool)?;
        self.tokens += tally.tokens as u64;
        let record = Record {
            step: self.optimizer.steps,
            tokens: self.tokens,
            loss: tally.mean(),
            rate,
            norm,
            seconds: self.seconds(),
            held_out: None,
        };
        self.progress.add(record, self.done(), tally.tokens as f64 / begun.elapsed().as_secs_f64());
        Ok(())
    }

    fn schedule(&self) -> Schedule {
        let curve = match self.arguments.schedule {
            Form::Constant => Curve::Constant,
            Form::Cosine => Curve::Cosine,
            Form::Wsd => Curve::WarmStableDecay,
        };
        Schedule { curve, rate: self.arguments.lr, least: 0.1, warmup: self.arguments.warmup }
    }

    /// Writes checkpoint, model, table and plot.
    fn save(&mut self, vocabulary: &Gguf<'_>, name: &str, kind: GgmlType) -> Result<()> {
        if let Some(held_out) = &self.held_out {
            let net = Net::dense(self.shape, &self.layout, &self.parameters)?;
            let all: Vec<usize> = (0..held_out.documents.len()).collect();
            let tally = self.gradients.evaluate(&net, &held_out.documents, &all, &self.pool)?;
            self.progress.held_out(tally.mean());
        }
        let (epoch, position) = self.order.place();
        let state = State {
            model: self.model.clone(),
            steps: self.optimizer.steps,
            epoch,
            position,
            seed: self.arguments.seed,
            tokens: self.tokens,
            seconds: self.seconds(),
            data: fingerprint(&self.data.documents),
        };
        checkpoint::write(&self.beside("ckpt"), &state, &self.parameters, &self.optimizer)?;
        let (shape, layout, parameters) = (&self.shape, &self.layout, &self.parameters[..]);
        Export { name, vocabulary, shape, layout, parameters, kind }.write(&self.arguments.out)?;
        self.progress.write(&self.beside("losses.csv"), &self.beside("losses.svg"))
    }
}
