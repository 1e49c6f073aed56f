//! A checkpoint written anew as a Hugging Face folder, with linear layers changed on the way.

use std::path::Path;

use serde_json::json;

use super::config::{DecoderConfig, Family, unsupported};
use super::layout::{GGUF, HUGGING_FACE, Layout, Part, module_path, parts, shape_of};
use crate::module_path::ModulePath;
use crate::tokenizer::{self, Tokenizer};
use crate::weights::{Gguf, Stored, WeightStore, write_safetensors};
use crate::{Error, write_file};

/// Writes the checkpoint at `path` to `folder` in f32, each linear layer as `change` leaves it.
///
/// # Errors
/// What loading reports; a folder that can't be written; what `change` returns.
pub fn export<E: From<Error>>(
    path: &Path,
    folder: &Path,
    mut change: impl FnMut(ModulePath, &mut Vec<f32>) -> Result<(), E>,
) -> Result<(), E> {
    let (store, layout, config, tokenizer) = open(path)?;
    if config.variant.rope_factors.is_some() || config.is_gpt2() {
        let what = "a merged copy of GPT-2, or of a model with scaled RoPE,".to_owned();
        return Err(E::from(unsupported(path, what, "an adapter beside the model")));
    }
    store.check(&layout.wanted(&config), &layout.ignored)?;
    let mut tensors: Vec<Stored> = Vec::new();
    let mut add = |name: String, shape: Vec<usize>, values: &[f32]| {
        tensors.push((name, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect()));
    };
    let table = vec![config.vocab_size, config.d_model];
    let own = |name: &str| -> Result<Vec<f32>, Error> { Ok(store.read(name)?.to_f32()) };
    let offset = layout.norm_offset(&config) - HUGGING_FACE.norm_offset(&config);
    let shifted = |values: Vec<f32>| -> Vec<f32> { values.into_iter().map(|gamma| gamma + offset).collect() };
    add(HUGGING_FACE.embedding.into(), table.clone(), &own(layout.embedding)?);
    add(HUGGING_FACE.norm.into(), vec![config.d_model], &shifted(own(layout.norm)?));
    if !config.tied_head {
        add(HUGGING_FACE.head.into(), table, &own(layout.head)?);
    }
    for layer in 0..config.layers {
        for part in parts(&config) {
            let tensor = store.read(&layout.name(&config, layer, part))?;
            let mut values = match part {
                Part::Bias(_) => tensor.to_f32(),
                Part::Linear(module) => {
                    tensor.rows_f32((0..tensor.shape[0]).map(layout.row_of(&config, module)))
                }
                _ => shifted(tensor.to_f32()),
            };
            if let Part::Linear(module) = part {
                change(module_path(layer, module), &mut values)?;
            }
            add(HUGGING_FACE.name(&config, layer, part), shape_of(part, &config), &values);
        }
    }
    write_safetensors(folder, &tensors)?;
    write_file(&folder.join("tokenizer.json"), tokenizer.to_json()?.as_bytes())?;
    write_file(&folder.join("config.json"), config_json(&config, &tokenizer).as_bytes())?;
    Ok(())
}

fn open(path: &Path) -> Result<(WeightStore, &'static Layout, DecoderConfig, Tokenizer), Error> {
    if path.is_dir() {
        let (config, store) = DecoderConfig::from_folder(path)?;
        return Ok((store, &HUGGING_FACE, config, Tokenizer::from_folder(path)?));
    }
    let gguf = Gguf::open(path)?;
    let (config, tokenizer) = (DecoderConfig::from_gguf(&gguf)?, tokenizer::from_gguf(&gguf)?);
    Ok((gguf.store, &GGUF, config, tokenizer))
}

fn config_json(config: &DecoderConfig, tokenizer: &Tokenizer) -> String {
    let variant = &config.variant;
    let (class, activation) = match variant.family {
        Family::Llama => ("LlamaForCausalLM", "hidden_act"),
        Family::Qwen2 => ("Qwen2ForCausalLM", "hidden_act"),
        Family::Qwen3 => ("Qwen3ForCausalLM", "hidden_act"),
        Family::Gemma3 => ("Gemma3ForCausalLM", "hidden_activation"),
        Family::Gpt2 => ("GPT2LMHeadModel", "activation_function"),
    };
    let mut json = json!({
        "architectures": [class],
        "model_type": variant.family.model_type(),
        "dtype": "float32",
        activation: variant.activation.name(),
        "attention_bias": false,
        "mlp_bias": false,
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "intermediate_size": config.d_ff,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "max_position_embeddings": config.context_len,
        "rope_theta": config.rope_theta,
        "rms_norm_eps": config.norm_epsilon,
        "tie_word_embeddings": config.tied_head,
        "bos_token_id": tokenizer.bos(),
        "eos_token_id": tokenizer.eos(),
    });
    if let Some(windows) = &variant.windows {
        let kinds =
            windows.local.iter().map(|local| if *local { "sliding_attention" } else { "full_attention" });
        json["layer_types"] = kinds.collect();
        json["sliding_window"] = windows.size.into();
        json["rope_local_base_freq"] = windows.rope_theta.into();
    }
    if variant.family == Family::Gemma3 {
        json["query_pre_attn_scalar"] = f64::from(config.query_scale()).powi(-2).round().into();
    }
    format!("{json:#}\n")
}
