// SPDX-License-Identifier: MIT
//! `generate`: continues a prompt, or answers it in the model's chat template.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use indicatif::ProgressBar;
use inference_gguf::Gguf;
use inference_model::{CacheKind, Config, Engine};
use inference_sampler::{Candidate, Grammar, Matcher, Parameters, sample};
use inference_template::{Family, Message, Role};
use inference_tokenizer::{Decoder, Tokenizer};

use crate::{host, text};

/// Arguments of `generate`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The model.
    file: PathBuf,
    /// The prompt; standard input where absent.
    #[arg(short, long)]
    prompt: Option<String>,
    /// Most tokens to generate.
    #[arg(short = 'n', long, default_value_t = 128)]
    num_predict: usize,
    /// Threads.
    #[arg(short, long, default_value_t = 1)]
    threads: usize,
    /// Tokens of context; as many as are needed where absent.
    #[arg(short = 'c', long)]
    num_ctx: Option<usize>,
    /// Answer the prompt as a chat message, in the model's template.
    #[arg(long)]
    chat: bool,
    /// The template to use instead of the model's own: chatml, llama3, mistral-v1, ..., none.
    #[arg(long, requires = "chat")]
    template: Option<String>,
    /// The system message of the chat.
    #[arg(long, requires = "chat")]
    system: Option<String>,
    /// Make special tokens of their names in the prompt.
    #[arg(long)]
    special: bool,
    /// Let the answer follow the GBNF grammar in this file.
    #[arg(long)]
    grammar: Option<PathBuf>,
    /// Do not stop at tokens that end the answer.
    #[arg(long)]
    ignore_eos: bool,
    /// A sampling parameter, as in `--set temperature=0`: temperature, top_k, top_p, min_p, repeat_penalty,
    /// repeat_last_n, seed.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
}

/// Generates to standard output, statistics to standard error.
pub fn run(arguments: &Arguments) -> Result<()> {
    let parameters = parameters(&arguments.settings)?;
    let grammar = arguments.grammar.as_deref().map(read_grammar).transpose()?;
    let bytes = host::read(&arguments.file)?;
    let (gguf, model) = host::bind(&arguments.file, &bytes)?;
    let tokenizer = text::tokenizer(&arguments.file, &gguf)?;
    let family = family(arguments, &gguf)?;
    let prompt = prompt(arguments, &tokenizer, family)?;
    let needed =
        arguments.num_ctx.unwrap_or(prompt.len().saturating_add(arguments.num_predict).saturating_add(1));
    let context = needed.clamp(1, model.hyper.context);
    let config = Config { context, batch: 32, workers: arguments.threads, cache: CacheKind::F16 };
    host::with_engine(&model, config, |engine| {
        let matcher = grammar.as_ref().map(Matcher::new).transpose()?;
        let mut run = Run { arguments, tokenizer: &tokenizer, family, parameters, matcher, room: Vec::new() };
        run.generate(engine, &prompt)
    })
}

fn parameters(settings: &[String]) -> Result<Parameters> {
    let mut parameters = Parameters::default();
    for setting in settings {
        let (name, value) =
            setting.split_once('=').ok_or_else(|| anyhow!("'{setting}': write --set name=value"))?;
        parameters.set(name.trim(), value)?;
    }
    Ok(parameters)
}

fn read_grammar(file: &Path) -> Result<Grammar> {
    Grammar::parse(&text::file(file)?).with_context(|| format!("{} is no grammar", file.display()))
}

/// The template to write the prompt in.
fn family(arguments: &Arguments, gguf: &Gguf<'_>) -> Result<Family> {
    let template = gguf.str("tokenizer.chat_template")?;
    match &arguments.template {
        Some(name) => Family::from_name(name).ok_or_else(|| {
            let names: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
            anyhow!("there is no template '{name}'; there are {}", names.join(", "))
        }),
        None if arguments.chat => Ok(inference_template::recognise(template)?),
        None => Ok(Family::None),
    }
}

fn prompt(arguments: &Arguments, tokenizer: &Tokenizer<'_>, family: Family) -> Result<Vec<u32>> {
    let text = arguments.prompt.clone().map_or_else(text::standard_input, Ok)?;
    if !arguments.chat {
        return text::encode(tokenizer, &text, true, arguments.special);
    }
    let system = arguments.system.as_deref().map(|text| Message { role: Role::System, text });
    let messages: Vec<_> = system.into_iter().chain([Message { role: Role::User, text: &text }]).collect();
    let (mut segments, mut tokens) = (Vec::new(), Vec::new());
    inference_template::render(family, &messages, true, &mut segments)?;
    inference_template::encode(tokenizer, family, &segments, &mut tokens)?;
    Ok(tokens)
}

/// One generation.
struct Run<'r> {
    arguments: &'r Arguments,
    tokenizer: &'r Tokenizer<'r>,
    family: Family,
    parameters: Parameters,
    matcher: Option<Matcher<'r>>,
    room: Vec<Candidate>,
}

impl Run<'_> {
    fn generate(&mut self, engine: &mut Engine<'_, '_>, prompt: &[u32]) -> Result<()> {
        let start = Instant::now();
        read_prompt(engine, prompt)?;
        let read = start.elapsed();
        let mut sequence = prompt.to_vec();
        let stop = self.answer(engine, &mut sequence)?;
        let made = sequence.len() - prompt.len();
        let seconds = (start.elapsed() - read).as_secs_f64();
        eprintln!(
            "[Prompt {} tokens {:.1} t/s | Generation {made} tokens {:.1} t/s | stop: {stop}]",
            prompt.len(),
            prompt.len() as f64 / read.as_secs_f64(),
            made as f64 / seconds,
        );
        Ok(())
    }

    /// Appends tokens to `sequence` and prints them; returns why it stopped.
    fn answer(&mut self, engine: &mut Engine<'_, '_>, sequence: &mut Vec<u32>) -> Result<&'static str> {
        let (mut decoder, mut text) = (Decoder::new(), String::new());
        let context = engine.worker().config().context;
        let mut reason = "length";
        for _ in 0..self.arguments.num_predict {
            let token = self.choose(engine, sequence)?;
            if !self.arguments.ignore_eos && self.family.stops(self.tokenizer, token) {
                reason = "eos";
                break;
            }
            sequence.push(token);
            decoder.push(self.tokenizer, token, &mut text);
            print(&mut text)?;
            if sequence.len() >= context {
                reason = "context full";
                break;
            }
            engine.push(token)?;
        }
        decoder.finish(&mut text);
        text.push('\n');
        print(&mut text)?;
        Ok(reason)
    }

    /// The next token, among those that the grammar allows.
    fn choose(&mut self, engine: &mut Engine<'_, '_>, sequence: &[u32]) -> Result<u32> {
        let (parameters, position) = (self.parameters, sequence.len() as u64);
        let logits = engine.logits();
        self.room.resize(parameters.candidates(logits.len()), Candidate::default());
        let Some(matcher) = &mut self.matcher else {
            return Ok(sample(&parameters, logits, sequence, position, &mut self.room)?);
        };
        let tokenizer = self.tokenizer;
        let piece = |token, out: &mut Vec<u8>| tokenizer.append_piece(token, false, out);
        matcher.mask(logits, piece, |token| tokenizer.is_end(token));
        let token = sample(&parameters, logits, sequence, position, &mut self.room)?;
        let mut bytes = Vec::new();
        tokenizer.append_piece(token, false, &mut bytes);
        matcher.accept(&bytes)?;
        Ok(token)
    }
}

fn read_prompt(engine: &mut Engine<'_, '_>, prompt: &[u32]) -> Result<()> {
    let bar = ProgressBar::new(prompt.len() as u64).with_message("prompt");
    engine.advance(prompt, &mut |step| {
        bar.set_position(step.done as u64);
        true
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// Prints and forgets `text`.
fn print(text: &mut String) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write standard output")?;
    text.clear();
    Ok(())
}
