use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::config::{DecoderConfig, Family, Windows, unsupported};
use crate::Error;
use crate::gated::Activation;
use crate::weights::{WeightStore, open_safetensors};

impl DecoderConfig {
    /// From `config.json` of a Hugging Face folder, whose weights are opened after it was found.
    ///
    /// # Errors
    /// As [`DecoderConfig::from_json`] and [`open_safetensors`]; a file that can't be read.
    pub fn from_folder(folder: &Path) -> Result<(Self, WeightStore), Error> {
        let path = folder.join("config.json");
        let text = std::fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        // Some checkpoints of GPT-2 have the prefix, some have not.
        let store = open_safetensors(folder)?.without_prefix("transformer.");
        Ok((Self::from_json(&path, &text, store.count())?, store))
    }

    /// From the text of a Hugging Face `config.json`; `tensors` is the number of tensors of the checkpoint.
    ///
    /// # Errors
    /// Another model type, a missing key, a setting that changes the architecture.
    pub fn from_json(path: &Path, text: &[u8], tensors: usize) -> Result<Self, Error> {
        let malformed = |reason: String| Error::Malformed { path: path.into(), reason };
        let kind: ModelType = serde_json::from_slice(text).map_err(|e| malformed(e.to_string()))?;
        let Some(family) = Family::ALL.into_iter().find(|family| family.model_type() == kind.model_type)
        else {
            let known = format!("{}, bert, distilbert, roberta", Family::names(Family::model_type));
            return Err(unsupported(path, format!("model_type {}", kind.model_type), &known));
        };
        if family == Family::Gpt2 {
            let json: Gpt2Config = serde_json::from_slice(text).map_err(|e| malformed(e.to_string()))?;
            return json.config(path)?.check(path, tensors);
        }
        let json: HfConfig = serde_json::from_slice(text).map_err(|e| malformed(e.to_string()))?;
        let heads = json.num_attention_heads;
        let head_dim = json.head_dim.unwrap_or_else(|| json.hidden_size.checked_div(heads).unwrap_or(0));
        let mut variant = family.variant(json.hidden_size);
        json.refuse_variants(path, variant.activation)?;
        let (global, local) = json.rope(path)?;
        let rope_theta = global.rope_theta.unwrap_or(10_000.0);
        variant.rope_factors = global.factors(path, head_dim, rope_theta)?;
        if family == Family::Gemma3 {
            variant.query_scale = json.query_pre_attn_scalar.map(|scalar| scalar.sqrt().recip());
            variant.windows = json.windows(path, &local)?;
        }
        let config = Self {
            vocab_size: json.vocab_size,
            d_model: json.hidden_size,
            d_ff: json.intermediate_size,
            layers: json.num_hidden_layers,
            heads,
            kv_heads: json.num_key_value_heads.unwrap_or(heads),
            head_dim,
            context_len: json.max_position_embeddings.unwrap_or(2048),
            rope_theta,
            norm_epsilon: json.rms_norm_eps.unwrap_or(1e-6),
            tied_head: json.tie_word_embeddings.unwrap_or(family == Family::Gemma3),
            variant,
        };
        config.check(path, tensors)
    }
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
    rope_local_base_freq: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    rope_interleaved: Option<bool>,
    rms_norm_eps: Option<f64>,
    tie_word_embeddings: Option<bool>,
    hidden_act: Option<String>,
    hidden_activation: Option<String>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    use_sliding_window: Option<bool>,
    sliding_window: Option<usize>,
    sliding_window_pattern: Option<usize>,
    _sliding_window_pattern: Option<usize>,
    layer_types: Option<Vec<String>>,
    query_pre_attn_scalar: Option<f64>,
    attn_logit_softcapping: Option<f64>,
    final_logit_softcapping: Option<f64>,
    use_bidirectional_attention: Option<bool>,
}

/// What the configuration of GPT-2 calls otherwise.
#[derive(Deserialize)]
struct Gpt2Config {
    vocab_size: usize,
    n_embd: usize,
    n_inner: Option<usize>,
    n_layer: usize,
    n_head: usize,
    n_positions: usize,
    layer_norm_epsilon: Option<f64>,
    activation_function: Option<String>,
    scale_attn_weights: Option<bool>,
    scale_attn_by_inverse_layer_idx: Option<bool>,
    tie_word_embeddings: Option<bool>,
}

impl Gpt2Config {
    fn config(self, path: &Path) -> Result<DecoderConfig, Error> {
        if let Some(act) =
            self.activation_function.filter(|act| act != "gelu_new" && act != "gelu_pytorch_tanh")
        {
            return Err(unsupported(path, format!("activation_function {act}"), "gelu_new"));
        }
        if self.scale_attn_weights == Some(false) || self.scale_attn_by_inverse_layer_idx == Some(true) {
            let what = "scale_attn_weights or scale_attn_by_inverse_layer_idx".to_owned();
            return Err(unsupported(path, what, "attention scaled by the width of a head"));
        }
        Ok(DecoderConfig {
            vocab_size: self.vocab_size,
            d_model: self.n_embd,
            d_ff: self.n_inner.unwrap_or(self.n_embd.saturating_mul(4)),
            layers: self.n_layer,
            heads: self.n_head,
            kv_heads: self.n_head,
            head_dim: self.n_embd.checked_div(self.n_head).unwrap_or(0),
            context_len: self.n_positions,
            rope_theta: 10_000.0,
            norm_epsilon: self.layer_norm_epsilon.unwrap_or(1e-5),
            tied_head: self.tie_word_embeddings.unwrap_or(true),
            variant: Family::Gpt2.variant(self.n_embd),
        })
    }
}

/// RoPE settings, as transformers 4 wrote them under `rope_scaling` and transformers 5 writes them under `rope_parameters`.
#[derive(Deserialize, Default)]
struct Rope {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
    r#type: Option<String>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
}

impl Rope {
    fn read(path: &Path, value: Option<&Value>) -> Result<Self, Error> {
        match value {
            None | Some(Value::Null) => Ok(Self::default()),
            Some(value) => serde_json::from_value(value.clone())
                .map_err(|e| Error::Malformed { path: path.into(), reason: format!("RoPE: {e}") }),
        }
    }

    fn kind(&self) -> &str {
        self.rope_type.as_deref().or(self.r#type.as_deref()).unwrap_or("default")
    }

    /// What each frequency is divided by.
    ///
    /// # Reference
    /// `_compute_llama3_parameters` of Hugging Face transformers 5, `modeling_rope_utils.py`.
    fn factors(&self, path: &Path, head_dim: usize, theta: f64) -> Result<Option<Vec<f64>>, Error> {
        let named = |name: &str, value: Option<f64>| {
            value.ok_or_else(|| Error::Malformed {
                path: path.into(),
                reason: format!("RoPE scaling has no {name}"),
            })
        };
        match self.kind() {
            "default" => Ok(None),
            "linear" => Ok(Some(vec![named("factor", self.factor)?; head_dim / 2])),
            "llama3" => {
                let factor = named("factor", self.factor)?;
                let low = named("low_freq_factor", self.low_freq_factor)?;
                let high = named("high_freq_factor", self.high_freq_factor)?;
                let length =
                    named("original_max_position_embeddings", self.original_max_position_embeddings)?;
                let of_pair = |pair: usize| {
                    let wave = std::f64::consts::TAU * theta.powf(2.0 * pair as f64 / head_dim as f64);
                    let smooth = ((length / wave - low) / (high - low)).clamp(0.0, 1.0);
                    ((1.0 - smooth) / factor + smooth).recip()
                };
                Ok(Some((0..head_dim / 2).map(of_pair).collect()))
            }
            other => Err(unsupported(path, format!("rope_type {other}"), "default, linear, llama3")),
        }
    }
}

impl HfConfig {
    /// The rotary angles of all layers, and of those with a window.
    fn rope(&self, path: &Path) -> Result<(Rope, Rope), Error> {
        let scaling = self.rope_scaling.as_ref().filter(|scaling| !scaling.is_null());
        if let (Some(scaling), Some(_)) = (scaling, &self.rope_parameters) {
            let what = format!("rope_scaling {scaling} beside rope_parameters");
            return Err(unsupported(path, what, "one of them"));
        }
        let nested = |name: &str| self.rope_parameters.as_ref().and_then(|rope| rope.get(name));
        let mut global = match (nested("full_attention"), &self.rope_parameters) {
            (Some(full), _) => Rope::read(path, Some(full))?,
            (None, Some(flat)) => Rope::read(path, Some(flat))?,
            (None, None) => Rope::read(path, scaling)?,
        };
        global.rope_theta = global.rope_theta.or(self.rope_theta);
        let mut local = Rope::read(path, nested("sliding_attention"))?;
        local.rope_theta = local.rope_theta.or(self.rope_local_base_freq);
        if local.kind() != "default" {
            return Err(unsupported(path, format!("rope_type {} inside windows", local.kind()), "default"));
        }
        Ok((global, local))
    }

    fn windows(&self, path: &Path, local: &Rope) -> Result<Option<Windows>, Error> {
        let Some(size) = self.sliding_window else { return Ok(None) };
        let layers = match (&self.layer_types, self.sliding_window_pattern.or(self._sliding_window_pattern)) {
            (Some(types), _) => types
                .iter()
                .map(|kind| match kind.as_str() {
                    "sliding_attention" => Ok(true),
                    "full_attention" => Ok(false),
                    other => {
                        let known = "sliding_attention, full_attention";
                        Err(unsupported(path, format!("layer type {other}"), known))
                    }
                })
                .collect::<Result<Vec<bool>, Error>>()?,
            (None, pattern) => {
                let pattern = pattern.unwrap_or(6).max(1);
                (1..=self.num_hidden_layers).map(|layer| !layer.is_multiple_of(pattern)).collect()
            }
        };
        Ok(Some(Windows { size, rope_theta: local.rope_theta.unwrap_or(10_000.0), local: layers }))
    }

    fn refuse_variants(&self, path: &Path, activation: Activation) -> Result<(), Error> {
        let refuse = |what: String, supported: &str| Err(unsupported(path, what, supported));
        let known: &[&str] = match activation {
            Activation::Silu => &["silu", "swish"],
            Activation::GeluTanh => &["gelu_pytorch_tanh"],
            Activation::Gelu | Activation::Relu => &[],
        };
        let given = self.hidden_activation.as_ref().or(self.hidden_act.as_ref());
        if let Some(act) = given.filter(|act| !known.contains(&act.as_str())) {
            return refuse(format!("hidden_act {act}"), activation.name());
        }
        if self.attention_bias == Some(true) || self.mlp_bias == Some(true) {
            return refuse(
                "attention_bias or mlp_bias".into(),
                "biases of queries, keys and values alone (qwen2)",
            );
        }
        if self.rope_interleaved == Some(true) {
            return refuse("rope_interleaved".into(), "rotate-half RoPE");
        }
        if self.use_sliding_window == Some(true) {
            return refuse("use_sliding_window".into(), "windows of gemma3_text alone");
        }
        if self.use_bidirectional_attention == Some(true) {
            return refuse("use_bidirectional_attention".into(), "causal attention");
        }
        let caps = [
            ("attn_logit_softcapping", self.attn_logit_softcapping),
            ("final_logit_softcapping", self.final_logit_softcapping),
        ];
        match caps.into_iter().find_map(|(name, cap)| cap.map(|cap| format!("{name} {cap}"))) {
            Some(cap) => refuse(cap, "none"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: &str = r#"{"model_type": "llama", "vocab_size": 96, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5"#;

    fn read(rest: &str) -> Result<DecoderConfig, String> {
        DecoderConfig::from_json(Path::new("config.json"), format!("{TINY}{rest}}}").as_bytes(), 21)
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
            (r#", "rope_scaling": {"rope_type": "llama3"}"#, "RoPE scaling has no factor"),
            (r#", "rope_scaling": {"type": "dynamic", "factor": 2.0}"#, "rope_type dynamic"),
            (r#", "rope_parameters": {"rope_type": "yarn"}"#, "rope_type yarn"),
            (r#", "attention_bias": true"#, "attention_bias"),
        ] {
            assert!(read(rest).unwrap_err().contains(name), "{name}");
        }
        let other = br#"{"model_type": "mamba"}"#;
        let error = DecoderConfig::from_json(Path::new("c"), other, 1).unwrap_err().to_string();
        assert!(error.contains("model_type mamba"), "{error}");
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let text = TINY.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 999999");
        let error = DecoderConfig::from_json(Path::new("c"), format!("{text}}}").as_bytes(), 21)
            .unwrap_err()
            .to_string();
        assert!(error.contains("999999 layers are claimed"), "{error}");
    }
}
