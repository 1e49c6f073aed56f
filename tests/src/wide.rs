use std::fs;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize_to_file};
use serde_json::{Value, json};

use crate::fixture;

/// Tokens of the wide model: three chunks of the head's 4096, the last one short.
const VOCAB: usize = 2 * 4096 + 100;

/// Writes a model with a large vocabulary to `folder`: `tiny-llama` with another embedding and head.
///
/// Returns the head, `[vocabulary, d_model]` row-major, to compute logits with.
pub fn write_wide_model(folder: &Path) -> Vec<f32> {
    let source = fixture("tiny-llama");
    fs::copy(source.join("tokenizer.json"), folder.join("tokenizer.json")).unwrap();
    let mut config: Value = serde_json::from_slice(&fs::read(source.join("config.json")).unwrap()).unwrap();
    config["vocab_size"] = json!(VOCAB);
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let bytes = fs::read(source.join("model.safetensors")).unwrap();
    let mut tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    let d_model = config["hidden_size"].as_u64().unwrap() as usize;
    let head = noise(VOCAB * d_model);
    let embedding: Vec<f32> = head.iter().rev().map(|value| value * 0.5).collect();
    let to_bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let (head_bytes, embedding_bytes) = (to_bytes(&head), to_bytes(&embedding));
    for (name, tensor) in &mut tensors {
        let bytes = match name.as_str() {
            "lm_head.weight" => &head_bytes,
            "model.embed_tokens.weight" => &embedding_bytes,
            _ => continue,
        };
        *tensor = TensorView::new(Dtype::F32, vec![VOCAB, d_model], bytes).unwrap();
    }
    serialize_to_file(tensors, None, &folder.join("model.safetensors")).unwrap();
    head
}

/// Numbers from −1 to 1: a linear congruential generator (Knuth's MMIX), the same on every machine.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 1u64;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}
