use std::path::Path;

use serde::Deserialize;

use crate::Error;
use crate::weights::{Gguf, WeightStore, open_safetensors};

/// Shape and constants of a Llama-type decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct LlamaConfig {
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads (grouped-query attention); divides `heads`.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Longest sequence, BOS included.
    pub context_len: usize,
    /// Base θ of the rotary angles.
    pub rope_theta: f64,
    /// ε of the norms.
    pub norm_epsilon: f64,
    /// Whether the head is the embedding table.
    pub tied_head: bool,
}

impl LlamaConfig {
    /// From GGUF metadata.
    ///
    /// # Errors
    /// Another architecture, a missing key, RoPE scaling.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, Error> {
        let path = gguf.store.path();
        match gguf.string("general.architecture")? {
            Some("llama") => {}
            other => {
                return Err(unsupported(
                    path,
                    format!("architecture {}", other.unwrap_or("(none)")),
                    "llama",
                ));
            }
        }
        if let Some(kind) = gguf.string("llama.rope.scaling.type")?.filter(|kind| *kind != "none") {
            return Err(unsupported(path, format!("RoPE scaling {kind}"), "none"));
        }
        if gguf.uint("llama.expert_count")?.unwrap_or(0) > 0 {
            return Err(unsupported(path, "mixture of experts".into(), "dense feed-forward layers"));
        }
        let required = |key: &str| {
            gguf.uint(key)?.ok_or_else(|| Error::Malformed {
                path: path.into(),
                reason: format!("metadata has no {key}"),
            })
        };
        let heads = required("llama.attention.head_count")?;
        let d_model = required("llama.embedding_length")?;
        let head_dim = match gguf.uint("llama.attention.key_length")? {
            Some(head_dim) => head_dim,
            None => d_model.checked_div(heads).unwrap_or(0),
        };
        if let Some(rotated) = gguf.uint("llama.rope.dimension_count")?.filter(|rotated| *rotated != head_dim)
        {
            return Err(unsupported(
                path,
                format!("RoPE over {rotated} of {head_dim} dimensions"),
                "RoPE over whole heads",
            ));
        }
        // Without an embedding the tokens give the number of rows that is reported as missing.
        let vocab_size = match gguf.store.tensors().get("token_embd.weight") {
            Some(info) => info.shape[0],
            None => gguf.strings("tokenizer.ggml.tokens")?.map_or(0, |tokens| tokens.len()),
        };
        let config = Self {
            vocab_size,
            d_model,
            d_ff: required("llama.feed_forward_length")?,
            layers: required("llama.block_count")?,
            heads,
            kv_heads: gguf.uint("llama.attention.head_count_kv")?.unwrap_or(heads),
            head_dim,
            context_len: required("llama.context_length")?,
            rope_theta: gguf.float("llama.rope.freq_base")?.unwrap_or(10_000.0),
            norm_epsilon: gguf.float("llama.attention.layer_norm_rms_epsilon")?.unwrap_or(1e-5),
            tied_head: !gguf.store.tensors().contains_key("output.weight"),
        };
        config.check(path, gguf.store.tensors().len())
    }

    /// From `config.json` of a Hugging Face folder, whose weights are opened after it was found.
    ///
    /// # Errors
    /// As [`LlamaConfig::from_json`] and [`open_safetensors`]; a file that can't be read.
    pub fn from_folder(folder: &Path) -> Result<(Self, WeightStore), Error> {
        let path = folder.join("config.json");
        let text = std::fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let store = open_safetensors(folder)?;
        Ok((Self::from_json(&path, &text, store.tensors().len())?, store))
    }

    /// From the text of a Hugging Face `config.json`; `tensors` is the number of tensors of the checkpoint.
    ///
    /// # Errors
    /// Another model type, a missing key, a setting that changes the architecture.
    pub fn from_json(path: &Path, text: &[u8], tensors: usize) -> Result<Self, Error> {
        let malformed = |reason: String| Error::Malformed { path: path.into(), reason };
        let kind: ModelType = serde_json::from_slice(text).map_err(|e| malformed(e.to_string()))?;
        if kind.model_type != "llama" {
            return Err(unsupported(path, format!("model_type {}", kind.model_type), "llama"));
        }
        let json: HfConfig = serde_json::from_slice(text).map_err(|e| malformed(e.to_string()))?;
        json.refuse_variants(path)?;
        let rope_theta = json.rope_parameters.as_ref().and_then(|rope| rope.rope_theta).or(json.rope_theta);
        let config = Self {
            vocab_size: json.vocab_size,
            d_model: json.hidden_size,
            d_ff: json.intermediate_size,
            layers: json.num_hidden_layers,
            heads: json.num_attention_heads,
            kv_heads: json.num_key_value_heads.unwrap_or(json.num_attention_heads),
            head_dim: json
                .head_dim
                .unwrap_or_else(|| json.hidden_size.checked_div(json.num_attention_heads).unwrap_or(0)),
            context_len: json.max_position_embeddings.unwrap_or(2048),
            rope_theta: rope_theta.unwrap_or(10_000.0),
            norm_epsilon: json.rms_norm_eps.unwrap_or(1e-6),
            tied_head: json.tie_word_embeddings.unwrap_or(false),
        };
        config.check(path, tensors)
    }

    /// Refuses sizes that can't be a model before anything is allocated by them.
    fn check(self, path: &Path, tensors: usize) -> Result<Self, Error> {
        let malformed = |reason: String| Err(Error::Malformed { path: path.into(), reason });
        const LARGEST: usize = 1 << 24;
        let sizes = [
            ("vocabulary", self.vocab_size),
            ("model width", self.d_model),
            ("feed-forward width", self.d_ff),
            ("layers", self.layers),
            ("heads", self.heads),
            ("key-value heads", self.kv_heads),
            ("head width", self.head_dim),
            ("context length", self.context_len),
        ];
        for (name, size) in sizes {
            if size == 0 || size > LARGEST {
                return malformed(format!("{name} is {size}"));
            }
        }
        if self.layers > tensors {
            return malformed(format!("{} layers are claimed, the file has {tensors} tensors", self.layers));
        }
        if !self.heads.is_multiple_of(self.kv_heads) || !self.head_dim.is_multiple_of(2) {
            return malformed(format!(
                "{} heads over {} key-value heads of width {} do not divide",
                self.heads, self.kv_heads, self.head_dim
            ));
        }
        let is_epsilon = self.norm_epsilon.is_finite() && self.norm_epsilon >= 0.0;
        if !self.rope_theta.is_finite() || self.rope_theta <= 0.0 || !is_epsilon {
            return malformed(format!(
                "rope theta {} or norm epsilon {}",
                self.rope_theta, self.norm_epsilon
            ));
        }
        Ok(self)
    }
}

fn unsupported(path: &Path, what: String, supported: &str) -> Error {
    Error::Unsupported { path: path.into(), what, supported: supported.into() }
}

#[derive(Deserialize)]
struct ModelType {
    model_type: String,
}

#[derive(Deserialize)]
struct HfConfig {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    max_position_embeddings: Option<usize>,
    rope_theta: Option<f64>,
    rope_scaling: Option<serde_json::Value>,
    rope_parameters: Option<RopeParameters>,
    rope_interleaved: Option<bool>,
    rms_norm_eps: Option<f64>,
    tie_word_embeddings: Option<bool>,
    hidden_act: Option<String>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
}

/// RoPE settings as transformers 5 nests them.
#[derive(Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
}

impl HfConfig {
    fn refuse_variants(&self, path: &Path) -> Result<(), Error> {
        let refuse = |what: String, supported: &str| Err(unsupported(path, what, supported));
        if let Some(act) = self.hidden_act.as_ref().filter(|act| *act != "silu" && *act != "swish") {
            return refuse(format!("hidden_act {act}"), "silu");
        }
        if self.attention_bias == Some(true) || self.mlp_bias == Some(true) {
            return refuse("attention_bias or mlp_bias".into(), "linear layers without bias");
        }
        if self.rope_interleaved == Some(true) {
            return refuse("rope_interleaved".into(), "rotate-half RoPE");
        }
        let scaled = self.rope_scaling.as_ref().filter(|value| !value.is_null());
        if let Some(scaling) = scaled {
            return refuse(format!("rope_scaling {scaling}"), "no RoPE scaling");
        }
        let kind = self.rope_parameters.as_ref().and_then(|rope| rope.rope_type.as_deref());
        match kind.unwrap_or("default") {
            "default" => Ok(()),
            other => refuse(format!("rope_type {other}"), "default"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: &str = r#"{"model_type": "llama", "vocab_size": 96, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5"#;

    fn read(rest: &str) -> Result<LlamaConfig, String> {
        LlamaConfig::from_json(Path::new("config.json"), format!("{TINY}{rest}}}").as_bytes(), 21)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn both_spellings_of_rope_are_read() {
        let old = read(r#", "rope_theta": 20000.0"#).unwrap();
        let new = read(r#", "rope_parameters": {"rope_theta": 20000.0, "rope_type": "default"}"#).unwrap();
        assert_eq!(old, new);
        assert_eq!((old.head_dim, old.rope_theta, old.tied_head), (8, 20000.0, false));
    }

    #[test]
    fn variants_are_refused_by_name() {
        for (rest, name) in [
            (r#", "hidden_act": "gelu""#, "hidden_act gelu"),
            (r#", "rope_scaling": {"rope_type": "llama3"}"#, "rope_scaling"),
            (r#", "rope_parameters": {"rope_type": "yarn"}"#, "rope_type yarn"),
            (r#", "attention_bias": true"#, "attention_bias"),
        ] {
            assert!(read(rest).unwrap_err().contains(name), "{name}");
        }
        let other = br#"{"model_type": "mamba"}"#;
        let error = LlamaConfig::from_json(Path::new("c"), other, 1).unwrap_err().to_string();
        assert!(error.contains("model_type mamba"), "{error}");
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let text = TINY.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 999999");
        let error = LlamaConfig::from_json(Path::new("c"), format!("{text}}}").as_bytes(), 21)
            .unwrap_err()
            .to_string();
        assert!(error.contains("999999 layers are claimed"), "{error}");
    }
}
