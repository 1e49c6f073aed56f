use std::fs;
use std::path::Path;

use rescorer_models::{DeviceRequest, LanguageModel, Precision};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize_to_file};
use serde_json::json;
use tempfile::TempDir;

use crate::Noise;

const D_MODEL: usize = 576;
const D_FF: usize = 1536;
const HEADS: usize = 9;
const KV_HEADS: usize = 3;

/// A Llama with the widths of SmolLM2-135M, random weights and as many layers and tokens as asked for.
pub struct RandomModel {
    folder: TempDir,
    layers: usize,
    vocab_size: usize,
}

impl RandomModel {
    /// Writes the model to a temporary folder.
    pub fn new(layers: usize, vocab_size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_config(folder.path(), layers, vocab_size);
        write_tokenizer(folder.path());
        write_weights(folder.path(), layers, vocab_size);
        Self { folder, layers, vocab_size }
    }

    /// Loads it onto the CPU.
    pub fn load(&self, precision: Precision) -> LanguageModel {
        LanguageModel::load(self.folder.path(), DeviceRequest::Cpu, precision).unwrap()
    }

    /// Multiply-accumulates of the linear layers for a node, the head aside.
    pub fn layer_macs(&self) -> usize {
        self.layers * layer().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum::<usize>()
    }

    /// Multiply-accumulates of the head for a node.
    pub fn head_macs(&self) -> usize {
        self.vocab_size * D_MODEL
    }
}

/// The matrices of a layer, `[out, in]`.
fn layer() -> [(&'static str, [usize; 2]); 7] {
    let kv_width = D_MODEL / HEADS * KV_HEADS;
    [
        ("self_attn.q_proj", [D_MODEL, D_MODEL]),
        ("self_attn.k_proj", [kv_width, D_MODEL]),
        ("self_attn.v_proj", [kv_width, D_MODEL]),
        ("self_attn.o_proj", [D_MODEL, D_MODEL]),
        ("mlp.gate_proj", [D_FF, D_MODEL]),
        ("mlp.up_proj", [D_FF, D_MODEL]),
        ("mlp.down_proj", [D_MODEL, D_FF]),
    ]
}

fn write_config(folder: &Path, layers: usize, vocab_size: usize) {
    let config = json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": D_MODEL,
        "intermediate_size": D_FF,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "num_hidden_layers": layers,
        "vocab_size": vocab_size,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5,
        "rope_theta": 100_000.0,
        "tie_word_embeddings": true,
        "bos_token_id": 0,
        "eos_token_id": 1,
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// The smallest tokenizer that loads: the benches work on token ids.
fn write_tokenizer(folder: &Path) {
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": [
            {"id": 0, "content": "<s>", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
            {"id": 1, "content": "</s>", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
        ],
        "model": {"type": "BPE", "vocab": {"<s>": 0, "</s>": 1}, "merges": []},
    });
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
}

fn write_weights(folder: &Path, layers: usize, vocab_size: usize) {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    let mut noise = Noise::new(1);
    let mut add = |name: String, shape: &[usize], centre: f32| {
        let values = (0..shape.iter().product()).map(|_| centre + 0.1 * (noise.next() - 0.5));
        tensors.push((name, shape.to_vec(), values.flat_map(f32::to_le_bytes).collect()));
    };
    add("model.embed_tokens.weight".into(), &[vocab_size, D_MODEL], 0.0);
    add("model.norm.weight".into(), &[D_MODEL], 1.0);
    for index in 0..layers {
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            add(format!("model.layers.{index}.{norm}.weight"), &[D_MODEL], 1.0);
        }
        for (name, shape) in layer() {
            add(format!("model.layers.{index}.{name}.weight"), &shape, 0.0);
        }
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
}
