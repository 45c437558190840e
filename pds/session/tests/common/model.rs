//! Small models for tests: a vocabulary of bytes and a few words, with or without a chat template.

use inference_gguf::{GgmlType, Gguf, Writer};

const CHATML: &str = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/// Token of a byte in [`bytes_model`].
pub fn byte(byte: u8) -> u32 {
    3 + u32::from(byte)
}
/// End of a turn in [`bytes_model`] with a template.
pub const IM_END: u32 = 260;

/// Tokens of a text, one for each byte.
pub fn bytes(text: &str) -> Vec<u32> {
    text.bytes().map(byte).collect()
}

/// A model whose tokens are bytes, then `<|im_start|>` and `<|im_end|>`.
pub fn bytes_model(template: Option<&str>) -> &'static [u8] {
    let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(String::from).to_vec();
    tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    tokens.extend(["<|im_start|>", "<|im_end|>"].map(String::from));
    let mut kinds = vec![2, 3, 3];
    kinds.extend([6; 256]);
    kinds.extend([3, 3]);
    let mut writer = Writer::new();
    writer.str("general.architecture", "llama").str("general.license", "MIT");
    writer.str("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", &tokens);
    writer.f32s("tokenizer.ggml.scores", &vec![0.0; tokens.len()]).i32s("tokenizer.ggml.token_type", &kinds);
    writer.bool("tokenizer.ggml.add_space_prefix", false);
    if let Some(template) = template {
        writer.str("tokenizer.chat_template", template).u32("tokenizer.ggml.eos_token_id", IM_END);
    }
    writer.tensor("token_embd.weight", &[32, 1], GgmlType::F32);
    Vec::leak(writer.file(&[&[0; 128]]))
}

/// A model with turns.
pub fn chat_model() -> &'static [u8] {
    bytes_model(Some(CHATML))
}

/// A model that continues a text.
pub fn base_model() -> &'static [u8] {
    bytes_model(None)
}

/// Length of the header, which is what the loader copies into the vocabulary region.
pub fn header_length(file: &[u8]) -> usize {
    Gguf::parse_prefix(file, file.len() as u64).map_or(file.len(), |gguf| gguf.data_offset() as usize)
}
