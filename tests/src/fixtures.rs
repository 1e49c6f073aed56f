use std::path::PathBuf;

use rescorer_models::{DeviceRequest, LanguageModel, Precision};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

/// The tiny models with their expected values, relative to the fixtures: one f32 file, bf16 shards with a
/// tied head, GGUF with all storage types; then the later families, each as a folder and as GGUF.
pub const TINY_MODELS: [(&str, &str); 13] = [
    ("tiny-llama", "tiny-llama/expected.safetensors"),
    ("tiny-llama-tied", "tiny-llama-tied/expected.safetensors"),
    ("tiny-llama.gguf", "tiny-llama.gguf.expected.safetensors"),
    ("tiny-llama3", "tiny-llama3/expected.safetensors"),
    ("tiny-llama3.gguf", "tiny-llama3/expected.safetensors"),
    ("tiny-qwen2", "tiny-qwen2/expected.safetensors"),
    ("tiny-qwen2.gguf", "tiny-qwen2/expected.safetensors"),
    ("tiny-qwen3", "tiny-qwen3/expected.safetensors"),
    ("tiny-qwen3.gguf", "tiny-qwen3/expected.safetensors"),
    ("tiny-gemma3", "tiny-gemma3/expected.safetensors"),
    ("tiny-gemma3.gguf", "tiny-gemma3/expected.safetensors"),
    ("tiny-gpt2", "tiny-gpt2/expected.safetensors"),
    ("tiny-gpt2.gguf", "tiny-gpt2/expected.safetensors"),
];

/// Those of them that have something of their own to compute; a software adapter takes its time with each.
pub const TINY_GPU_MODELS: [&str; 6] =
    ["tiny-llama", "tiny-llama-tied", "tiny-llama.gguf", "tiny-qwen2", "tiny-gemma3", "tiny-gpt2"];

/// Encoders with a head for masked tokens, and what transformers computes with them.
pub const TINY_ENCODERS: [&str; 3] = ["tiny-bert", "tiny-distilbert", "tiny-roberta"];

/// Path of a committed fixture.
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// A tiny model on a device.
pub fn load_tiny(name: &str, device: DeviceRequest) -> LanguageModel {
    LanguageModel::load(&fixture(name), device, Precision::F32).unwrap_or_else(|error| panic!("{error}"))
}

/// A text with `[BOS] + tokens + [EOS]`, as the reference tokenises it.
#[derive(Debug, Deserialize)]
pub struct GoldenText {
    /// The text.
    pub text: String,
    /// Its token ids.
    pub ids: Vec<u32>,
}

/// The texts of the tiny models.
pub fn texts() -> Vec<GoldenText> {
    let text = std::fs::read(fixture("texts.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// A safetensors file of expected values.
pub struct Expected {
    bytes: Vec<u8>,
}

impl Expected {
    /// Reads a fixture.
    pub fn open(name: &str) -> Self {
        Self { bytes: std::fs::read(fixture(name)).unwrap() }
    }

    fn view<T>(&self, name: &str, dtype: Dtype, read: impl Fn(&TensorView) -> T) -> (Vec<usize>, T) {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(view.dtype(), dtype, "{name}");
        (view.shape().to_vec(), read(&view))
    }

    /// Shape and values of an f32 tensor.
    pub fn f32(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
        self.view(name, Dtype::F32, |view| view.data().chunks_exact(4).map(number).collect())
    }

    /// The values of an i32 tensor.
    pub fn i32(&self, name: &str) -> Vec<i32> {
        let number = |bytes: &[u8]| i32::from_le_bytes(bytes.try_into().unwrap());
        self.view(name, Dtype::I32, |view| view.data().chunks_exact(4).map(number).collect()).1
    }

    /// The bytes of a u8 tensor.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.view(name, Dtype::U8, |view| view.data().to_vec()).1
    }
}
