//! A folder with a vocabulary, data and a configuration, and the tool run in it.
#![allow(dead_code, reason = "every test file uses a part")]

use std::path::PathBuf;
use std::process::Command;

use inference_gguf::Gguf;
use inference_model::Model;
use inference_tokenizer::Tokenizer;

pub struct Folder(tempfile::TempDir);

/// What a run of the tool said.
pub struct Outcome {
    pub success: bool,
    pub text: String,
}

impl Outcome {
    /// Checks that it failed, and that its message has all of `parts`.
    pub fn fails_with(&self, parts: &[&str]) {
        assert!(!self.success, "this should have failed: {}", self.text);
        for part in parts {
            assert!(self.text.contains(part), "`{part}` is missing in: {}", self.text);
        }
    }
}

/// A template of the family mistral-v3.
const TEMPLATE: &str = "{% for m in messages %}{{ '[INST] ' + m.content + '[/INST]' }}{% endfor %}";

impl Folder {
    /// Texts, a vocabulary of 320 tokens, data of all three kinds, a tiny model's configuration.
    pub fn with_data() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let animals = ["cat", "dog", "bird", "fish", "horse", "mouse"];
        let mut data = String::new();
        for (i, animal) in animals.iter().cycle().take(60).enumerate() {
            let other = animals[(i * 7 + 1) % 6];
            data += &match i % 3 {
                0 => format!("{{\"text\": \"The {animal} sees the {other} in the garden.\"}}\n"),
                1 => format!("{{\"prompt\": \"the {animal} and\", \"completion\": \" the {other}\"}}\n"),
                _ => format!(
                    "{{\"messages\": [{{\"role\": \"user\", \"content\": \"Who sees the {animal}?\"}}, \
                     {{\"role\": \"assistant\", \"content\": \"The {other} sees the {animal}.\"}}]}}\n"
                ),
            };
        }
        folder.write("data.jsonl", &data);
        folder.write("text.txt", "The cat sees the dog.\n");
        folder.write("template.txt", TEMPLATE);
        folder.write("model.toml", "dim = 32\nlayers = 2\nheads = 4\nkv_heads = 2\nffn = 64\ncontext = 48\n");
        let marks = ["--special", "[INST]", "--special", "[/INST]", "--chat-template", "template.txt"];
        let base = ["tokenizer", "data.jsonl", "--vocab", "320", "--least", "1", "-o", "vocab.gguf"];
        let out = folder.train(&[&base[..], &marks[..]].concat(), false);
        assert!(out.success, "{}", out.text);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs the tool; `model` adds vocabulary and configuration.
    pub fn train(&self, arguments: &[&str], model: bool) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloister-train"));
        command.current_dir(self.0.path()).args(arguments);
        if model {
            command.args(["--vocab", "vocab.gguf", "--config", "model.toml"]);
        }
        let out = command.output().unwrap();
        let text = [out.stdout, out.stderr].concat();
        Outcome { success: out.status.success(), text: String::from_utf8(text).unwrap() }
    }

    /// `pretrain` on the data, small and with few warm-up steps.
    pub fn pretrain(&self, arguments: &[&str]) -> Outcome {
        let usual = ["pretrain", "data.jsonl", "--batch", "300", "--warmup", "3"];
        let rate: &[&str] = if arguments.contains(&"--lr") { &[] } else { &["--lr", "2e-2"] };
        self.train(&[&usual[..], rate, arguments].concat(), true)
    }

    /// Checks that the engine and the tokenizer take the file.
    pub fn check_model(&self, name: &str) {
        let bytes = self.bytes(name);
        let gguf = Gguf::parse(&bytes).unwrap();
        Model::bind(&gguf).unwrap();
        Tokenizer::from_gguf(&gguf).unwrap();
    }
}
