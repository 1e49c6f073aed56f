use std::path::Path;

use crate::Error;
use crate::gated::Activation;

/// Shape and constants of a decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
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
    /// What sets it apart from the first Llama.
    pub variant: Variant,
}

/// What later families added to the first Llama; the default is that one.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The family.
    pub family: Family,
    /// What the rotary frequencies are divided by, one for each pair of dimensions (Llama 3, linear scaling).
    pub rope_factors: Option<Vec<f64>>,
    /// Which linear layers have a bias.
    pub biases: Biases,
    /// Whether each head of queries and keys is normalised before it is turned (Qwen3, Gemma 3).
    pub qk_norm: bool,
    /// Whether what attention and feed-forward layer give is normalised before it is added (Gemma 3).
    pub post_norms: bool,
    /// Activation of the gate.
    pub activation: Activation,
    /// Factor of the embeddings.
    pub embedding_scale: f64,
    /// Factor of the products of queries and keys, where it is not `1 / sqrt(head_dim)`.
    pub query_scale: Option<f64>,
    /// Layers that look back over a window only (Gemma 3).
    pub windows: Option<Windows>,
}

/// Which linear layers have a bias.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Biases {
    /// None.
    #[default]
    None,
    /// Queries, keys and values (Qwen2).
    Qkv,
    /// All (GPT-2).
    All,
}

/// A family of decoders, by the name of its architecture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Family {
    /// Llama, SmolLM2, TinyLlama.
    #[default]
    Llama,
    /// Qwen 2 and 2.5.
    Qwen2,
    /// Qwen 3.
    Qwen3,
    /// Gemma 3, text.
    Gemma3,
    /// GPT-2.
    Gpt2,
}

/// Layers whose nodes see the last nodes of their path only, and have rotary angles of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    /// Nodes that are seen, the node itself included.
    pub size: usize,
    /// Base θ of the rotary angles there.
    pub rope_theta: f64,
    /// For each layer whether it is one of them.
    pub local: Vec<bool>,
}

impl Default for Variant {
    fn default() -> Self {
        Self {
            family: Family::default(),
            rope_factors: None,
            biases: Biases::None,
            qk_norm: false,
            post_norms: false,
            activation: Activation::default(),
            embedding_scale: 1.0,
            query_scale: None,
            windows: None,
        }
    }
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 5] = [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Gemma3, Self::Gpt2];

    /// Its `general.architecture` in GGUF files.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
            Self::Gpt2 => "gpt2",
        }
    }

    /// Its `model_type` in Hugging Face's `config.json`.
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Gemma3 => "gemma3_text",
            other => other.architecture(),
        }
    }

    /// The names that `of` gives, for messages.
    pub(super) fn names(of: fn(Self) -> &'static str) -> String {
        Self::ALL.map(of).join(", ")
    }

    /// The variant without what a file has to say.
    pub(super) fn variant(self, d_model: usize) -> Variant {
        let variant = Variant { family: self, ..Variant::default() };
        match self {
            Self::Llama => variant,
            Self::Qwen2 => Variant { biases: Biases::Qkv, ..variant },
            Self::Qwen3 => Variant { qk_norm: true, ..variant },
            Self::Gemma3 => Variant {
                qk_norm: true,
                post_norms: true,
                activation: Activation::GeluTanh,
                embedding_scale: (d_model as f64).sqrt(),
                ..variant
            },
            Self::Gpt2 => Variant { biases: Biases::All, activation: Activation::GeluTanh, ..variant },
        }
    }
}

impl DecoderConfig {
    /// Factor of the products of queries and keys.
    pub fn query_scale(&self) -> f32 {
        self.variant.query_scale.unwrap_or_else(|| (self.head_dim as f64).sqrt().recip()) as f32
    }

    /// Whether it is built as GPT-2: a learned embedding of positions in place of rotary angles, norms that take the mean off, a
    /// feed-forward layer without gate.
    pub fn is_gpt2(&self) -> bool {
        self.variant.family == Family::Gpt2
    }

    /// Whether the nodes of a layer see a window only.
    pub fn is_local(&self, layer: usize) -> bool {
        self.variant.windows.as_ref().is_some_and(|windows| windows.local[layer])
    }

    /// Refuses sizes that can't be a model before anything is allocated by them.
    pub(super) fn check(self, path: &Path, tensors: usize) -> Result<Self, Error> {
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
        let Variant { rope_factors, embedding_scale, query_scale, windows, .. } = &self.variant;
        let is_factor = |factor: &f64| factor.is_finite() && *factor > 0.0;
        if !rope_factors.iter().flatten().chain(query_scale).chain([embedding_scale]).all(is_factor) {
            return malformed("a factor of RoPE, queries or embeddings is not a positive number".into());
        }
        if let Some(factors) = rope_factors.as_ref().filter(|factors| factors.len() != self.head_dim / 2) {
            let reason = format!("{} RoPE factors for heads of width {}", factors.len(), self.head_dim);
            return malformed(reason);
        }
        if let Some(Windows { size, rope_theta, local }) = windows
            && (*size == 0 || !is_factor(rope_theta) || local.len() != self.layers)
        {
            return malformed(format!(
                "windows of {size} tokens, rope theta {rope_theta}, {} of {} layers described",
                local.len(),
                self.layers
            ));
        }
        Ok(self)
    }
}

pub(super) fn unsupported(path: &Path, what: String, supported: &str) -> Error {
    Error::Unsupported { path: path.into(), what, supported: supported.into() }
}
