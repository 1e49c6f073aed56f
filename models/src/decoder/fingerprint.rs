//! What the fingerprint of a decoder says of its configuration.

use super::config::{Biases, DecoderConfig, Variant, Windows};
use crate::fingerprint::Fields;

impl DecoderConfig {
    /// The fields of the fingerprint.
    pub(super) fn fingerprint_fields(&self) -> Fields {
        let variant = &self.variant;
        let fields = Fields::default()
            .add("kind", "decoder")
            .add("family", variant.family.architecture())
            .add("vocab_size", self.vocab_size)
            .add("d_model", self.d_model)
            .add("d_ff", self.d_ff)
            .add("layers", self.layers)
            .add("heads", self.heads)
            .add("kv_heads", self.kv_heads)
            .add("head_dim", self.head_dim)
            .add("context_len", self.context_len)
            .add("rope_theta", self.rope_theta)
            .add("norm_epsilon", self.norm_epsilon)
            .add("tied_head", self.tied_head)
            .add_unless("none", "biases", biases(variant.biases))
            .add_unless("silu", "activation", variant.activation.canonical_name())
            .add_unless(None, "rope_factors", variant.rope_factors.clone())
            .add_unless(false, "qk_norm", variant.qk_norm)
            .add_unless(false, "post_norms", variant.post_norms)
            .add_unless(1.0, "embedding_scale", variant.embedding_scale)
            .add_unless(None, "query_scale", variant.query_scale);
        match &variant.windows {
            None => fields,
            Some(Windows { size, rope_theta, local }) => fields
                .add("window_size", *size)
                .add("window_rope_theta", *rope_theta)
                .add("window_layers", local.clone()),
        }
    }

    /// What fingerprints said before they had a version: policies and adapters of that time carry them. It is what Rust
    /// printed of the structures of that time, and stays so.
    pub(super) fn legacy_text(&self) -> String {
        let Self { vocab_size, d_model, d_ff, layers, heads, kv_heads, head_dim, context_len, .. } = self;
        let Self { rope_theta, norm_epsilon, tied_head, variant, .. } = self;
        let llama = format!(
            "LlamaConfig {{ vocab_size: {vocab_size}, d_model: {d_model}, d_ff: {d_ff}, layers: {layers}, \
             heads: {heads}, kv_heads: {kv_heads}, head_dim: {head_dim}, context_len: {context_len}, \
             rope_theta: {rope_theta:?}, norm_epsilon: {norm_epsilon:?}, tied_head: {tied_head} }}"
        );
        if *variant == Variant::default() { llama } else { format!("{llama} {}", legacy_variant(variant)) }
    }
}

fn legacy_variant(variant: &Variant) -> String {
    let family = match variant.family.architecture() {
        "llama" => "Llama",
        "qwen2" => "Qwen2",
        "qwen3" => "Qwen3",
        "gemma3" => "Gemma3",
        "gpt2" => "Gpt2",
        later => later,
    };
    let biases = match variant.biases {
        Biases::None => "None",
        Biases::Qkv => "Qkv",
        Biases::All => "All",
    };
    let some = |text: Option<String>| text.map_or("None".into(), |text| format!("Some({text})"));
    let factors = some(variant.rope_factors.as_ref().map(|factors| format!("{factors:?}")));
    let query_scale = some(variant.query_scale.map(|scale| format!("{scale:?}")));
    let windows = some(variant.windows.as_ref().map(|Windows { size, rope_theta, local }| {
        format!("Windows {{ size: {size}, rope_theta: {rope_theta:?}, local: {local:?} }}")
    }));
    let Variant { qk_norm, post_norms, embedding_scale, .. } = variant;
    format!(
        "Variant {{ family: {family}, rope_factors: {factors}, biases: {biases}, qk_norm: {qk_norm}, \
         post_norms: {post_norms}, activation: {}, embedding_scale: {embedding_scale:?}, \
         query_scale: {query_scale}, windows: {windows} }}",
        variant.activation.legacy_name()
    )
}

fn biases(biases: Biases) -> &'static str {
    match biases {
        Biases::None => "none",
        Biases::Qkv => "qkv",
        Biases::All => "all",
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Family;
    use super::*;

    #[test]
    fn texts_of_old_fingerprints_stay_as_they_were() {
        let llama = DecoderConfig {
            vocab_size: 96,
            d_model: 32,
            d_ff: 48,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            head_dim: 8,
            context_len: 128,
            rope_theta: 20000.0,
            norm_epsilon: 1e-5,
            tied_head: false,
            variant: Variant::default(),
        };
        assert_eq!(
            llama.legacy_text(),
            "LlamaConfig { vocab_size: 96, d_model: 32, d_ff: 48, layers: 2, heads: 4, kv_heads: 2, head_dim: 8, \
             context_len: 128, rope_theta: 20000.0, norm_epsilon: 1e-5, tied_head: false }"
        );
        let windows = Windows { size: 4, rope_theta: 1e4, local: vec![true, false] };
        let gemma = Variant {
            rope_factors: Some(vec![1.0, 0.5]),
            query_scale: Some(0.25),
            windows: Some(windows),
            ..Family::Gemma3.variant(25)
        };
        let gemma = DecoderConfig { variant: gemma, ..llama.clone() };
        assert_eq!(
            gemma.legacy_text().split_once("} ").unwrap().1,
            "Variant { family: Gemma3, rope_factors: Some([1.0, 0.5]), biases: None, qk_norm: true, post_norms: true, \
             activation: GeluTanh, embedding_scale: 5.0, query_scale: Some(0.25), \
             windows: Some(Windows { size: 4, rope_theta: 10000.0, local: [true, false] }) }"
        );
        assert_eq!((llama.query_scale(), llama.is_local(1)), (8f32.sqrt().recip(), false));
    }
}
