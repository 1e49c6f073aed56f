use super::config::{DecoderConfig, Family, Windows, unsupported};
use crate::Error;
use crate::weights::Gguf;

/// The tensor with what the rotary frequencies are divided by, in files of Llama 3.
pub(super) const ROPE_FACTORS: &str = "rope_freqs.weight";

/// Every so many-th layer of Gemma 3 sees everything, the others a window.
const GEMMA_PATTERN: usize = 6;

/// Layers of the one Gemma 3 whose queries are scaled by the width of the model.
const GEMMA_27B: usize = 62;

impl DecoderConfig {
    /// From GGUF metadata.
    ///
    /// # Errors
    /// Another architecture, a missing key, an unknown RoPE scaling.
    ///
    /// # Reference
    /// `src/llama-model.cpp` of llama.cpp for what files do not say: Gemma's pattern of windows and its angles inside them.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, Error> {
        let path = gguf.store.path();
        let architecture = gguf.string("general.architecture")?.unwrap_or("(none)");
        let Some(family) = Family::ALL.into_iter().find(|family| family.architecture() == architecture)
        else {
            let known = Family::names(Family::architecture);
            return Err(unsupported(path, format!("architecture {architecture}"), &known));
        };
        let key = |name: &str| format!("{architecture}.{name}");
        let uint = |name: &str| gguf.uint(&key(name));
        let float = |name: &str| gguf.float(&key(name));
        if uint("expert_count")?.unwrap_or(0) > 0 {
            return Err(unsupported(path, "mixture of experts".into(), "dense feed-forward layers"));
        }
        for name in ["attn_logit_softcapping", "final_logit_softcapping"] {
            if let Some(cap) = float(name)? {
                return Err(unsupported(path, format!("{name} {cap}"), "none"));
            }
        }
        let required = |name: &str| {
            uint(name)?.ok_or_else(|| Error::Malformed {
                path: path.into(),
                reason: format!("metadata has no {}", key(name)),
            })
        };
        let (heads, layers) = (required("attention.head_count")?, required("block_count")?);
        let d_model = required("embedding_length")?;
        let head_dim = match uint("attention.key_length")? {
            Some(head_dim) => head_dim,
            None => d_model.checked_div(heads).unwrap_or(0),
        };
        if let Some(rotated) = uint("rope.dimension_count")?.filter(|rotated| *rotated != head_dim) {
            let what = format!("RoPE over {rotated} of {head_dim} dimensions");
            return Err(unsupported(path, what, "RoPE over whole heads"));
        }
        // Without an embedding the tokens give the number of rows that is reported as missing.
        let vocab_size = match gguf.store.tensors().get("token_embd.weight") {
            Some(info) => info.shape[0],
            None => gguf.strings("tokenizer.ggml.tokens")?.map_or(0, |tokens| tokens.len()),
        };
        let mut variant = family.variant(d_model);
        variant.rope_factors = match gguf.string(&key("rope.scaling.type"))? {
            None | Some("none") if gguf.store.tensors().contains_key(ROPE_FACTORS) => {
                let factors = gguf.store.read(ROPE_FACTORS)?.to_f32();
                Some(factors.into_iter().map(f64::from).collect())
            }
            None | Some("none") => None,
            Some("linear") => Some(vec![float("rope.scaling.factor")?.unwrap_or(1.0); head_dim / 2]),
            Some(kind) => return Err(unsupported(path, format!("RoPE scaling {kind}"), "none, linear")),
        };
        if let (Family::Gemma3, Some(size)) = (family, uint("attention.sliding_window")?) {
            let local = |layer: usize| !(layer + 1).is_multiple_of(GEMMA_PATTERN);
            let rope_theta = float("rope.freq_base_swa")?.unwrap_or(10_000.0);
            variant.windows = Some(Windows { size, rope_theta, local: (0..layers).map(local).collect() });
        }
        if family == Family::Gemma3 && layers == GEMMA_27B {
            variant.query_scale = Some((d_model as f64 / heads as f64).sqrt().recip());
        }
        let config = Self {
            vocab_size,
            d_model,
            d_ff: required("feed_forward_length")?,
            layers,
            heads,
            kv_heads: uint("attention.head_count_kv")?.unwrap_or(heads),
            head_dim,
            context_len: required("context_length")?,
            rope_theta: float("rope.freq_base")?.unwrap_or(10_000.0),
            norm_epsilon: float(if family == Family::Gpt2 {
                "attention.layer_norm_epsilon"
            } else {
                "attention.layer_norm_rms_epsilon"
            })?
            .unwrap_or(1e-5),
            tied_head: !gguf.store.tensors().contains_key("output.weight"),
            variant,
        };
        config.check(path, gguf.store.tensors().len())
    }
}
