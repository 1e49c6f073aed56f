use std::path::Path;

use serde::Deserialize;

use crate::Error;
use crate::gated::Activation;

/// Shape and constants of an encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderConfig {
    /// The family, which says what its tensors are called.
    pub family: EncoderFamily,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Rows of the table of positions.
    pub positions: usize,
    /// Rows at its beginning that no token has: RoBERTa counts from behind its padding token.
    pub first_position: usize,
    /// Segments that the embedding tells apart; 0 where it knows none.
    pub segments: usize,
    /// ε of the norms.
    pub norm_epsilon: f64,
    /// Activation of the feed-forward layer.
    pub activation: Activation,
}

/// A family of encoders, by what Hugging Face calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncoderFamily {
    /// BERT, MiniLM.
    Bert,
    /// DistilBERT.
    DistilBert,
    /// RoBERTa, DistilRoBERTa.
    Roberta,
}

impl EncoderFamily {
    /// Every family.
    pub const ALL: [Self; 3] = [Self::Bert, Self::DistilBert, Self::Roberta];

    /// Its `model_type` in Hugging Face's `config.json`.
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::DistilBert => "distilbert",
            Self::Roberta => "roberta",
        }
    }

    /// The family of a `model_type`.
    pub fn of(model_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.model_type() == model_type)
    }
}

/// What `config.json` says of BERT and RoBERTa.
#[derive(Deserialize)]
struct BertJson {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    max_position_embeddings: usize,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    pad_token_id: Option<usize>,
    position_embedding_type: Option<String>,
    is_decoder: Option<bool>,
}

/// What both say of the masked-language-model head.
#[derive(Deserialize)]
struct HeadJson {
    tie_word_embeddings: Option<bool>,
}

/// What DistilBERT calls otherwise.
#[derive(Deserialize)]
struct DistilBertJson {
    vocab_size: usize,
    dim: usize,
    hidden_dim: usize,
    n_layers: usize,
    n_heads: usize,
    max_position_embeddings: usize,
    activation: Option<String>,
}

impl EncoderConfig {
    /// From the text of a Hugging Face `config.json`; `tensors` is the number of tensors of the checkpoint.
    ///
    /// # Errors
    /// A missing key, a setting that changes the architecture, sizes that can't be.
    pub fn from_json(path: &Path, text: &[u8], family: EncoderFamily, tensors: usize) -> Result<Self, Error> {
        let malformed = |e: serde_json::Error| Error::Malformed { path: path.into(), reason: e.to_string() };
        let unsupported = |what: String, supported: &str| Error::Unsupported {
            path: path.into(),
            what,
            supported: supported.into(),
        };
        let activation = |name: Option<String>| {
            let name = name.unwrap_or_else(|| "gelu".to_owned());
            let known = match name.as_str() {
                "gelu" => Some(Activation::Gelu),
                "gelu_new" | "gelu_pytorch_tanh" => Some(Activation::GeluTanh),
                "relu" => Some(Activation::Relu),
                _ => None,
            };
            known.ok_or_else(|| unsupported(format!("activation {name}"), "gelu, gelu_new, relu"))
        };
        let head: HeadJson = serde_json::from_slice(text).map_err(malformed)?;
        if head.tie_word_embeddings == Some(false) {
            return Err(unsupported("tie_word_embeddings false".into(), "heads that share the embedding"));
        }
        let config = if family == EncoderFamily::DistilBert {
            let json: DistilBertJson = serde_json::from_slice(text).map_err(malformed)?;
            Self {
                family,
                vocab_size: json.vocab_size,
                d_model: json.dim,
                d_ff: json.hidden_dim,
                layers: json.n_layers,
                heads: json.n_heads,
                positions: json.max_position_embeddings,
                first_position: 0,
                segments: 0,
                norm_epsilon: 1e-12,
                activation: activation(json.activation)?,
            }
        } else {
            let json: BertJson = serde_json::from_slice(text).map_err(malformed)?;
            if let Some(kind) = json.position_embedding_type.filter(|kind| kind != "absolute") {
                return Err(unsupported(format!("position_embedding_type {kind}"), "absolute"));
            }
            if json.is_decoder == Some(true) {
                return Err(unsupported("is_decoder".into(), "encoders"));
            }
            let is_roberta = family == EncoderFamily::Roberta;
            Self {
                family,
                vocab_size: json.vocab_size,
                d_model: json.hidden_size,
                d_ff: json.intermediate_size,
                layers: json.num_hidden_layers,
                heads: json.num_attention_heads,
                positions: json.max_position_embeddings,
                first_position: if is_roberta { json.pad_token_id.unwrap_or(1).saturating_add(1) } else { 0 },
                segments: json.type_vocab_size.unwrap_or(2),
                norm_epsilon: json.layer_norm_eps.unwrap_or(1e-12),
                activation: activation(json.hidden_act)?,
            }
        };
        config.check(path, tensors)
    }

    /// Longest sequence, the tokens that begin and end it included.
    pub fn context_len(&self) -> usize {
        self.positions - self.first_position
    }

    /// Width of a head.
    pub fn head_dim(&self) -> usize {
        self.d_model / self.heads
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
            ("table of positions", self.positions),
        ];
        if let Some((name, size)) = sizes.into_iter().find(|(_, size)| *size == 0 || *size > LARGEST) {
            return malformed(format!("{name} is {size}"));
        }
        if self.layers > tensors {
            return malformed(format!("{} layers are claimed, the file has {tensors} tensors", self.layers));
        }
        if !self.d_model.is_multiple_of(self.heads) {
            return malformed(format!("{} heads do not divide a width of {}", self.heads, self.d_model));
        }
        if self.first_position >= self.positions {
            return malformed(format!(
                "{} positions, of which the padding token {} leaves none",
                self.positions,
                self.first_position - 1
            ));
        }
        if !self.norm_epsilon.is_finite() || self.norm_epsilon < 0.0 {
            return malformed(format!("norm epsilon {}", self.norm_epsilon));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERT: &str = r#"{"vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 64"#;

    fn read(family: EncoderFamily, rest: &str) -> Result<EncoderConfig, String> {
        let text = format!("{BERT}{rest}}}");
        EncoderConfig::from_json(Path::new("config.json"), text.as_bytes(), family, 40)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn roberta_counts_from_behind_its_padding() {
        let bert = read(EncoderFamily::Bert, "").unwrap();
        assert_eq!((bert.context_len(), bert.segments, bert.head_dim()), (64, 2, 8));
        let roberta = read(EncoderFamily::Roberta, r#", "pad_token_id": 1, "type_vocab_size": 1"#).unwrap();
        assert_eq!((roberta.context_len(), roberta.first_position, roberta.segments), (62, 2, 1));
    }

    #[test]
    fn what_is_not_computed_is_refused_by_name() {
        for (rest, name) in [
            (r#", "hidden_act": "silu""#, "activation silu"),
            (r#", "position_embedding_type": "relative_key""#, "position_embedding_type relative_key"),
            (r#", "is_decoder": true"#, "is_decoder"),
            (r#", "tie_word_embeddings": false"#, "tie_word_embeddings false"),
            (r#", "layer_norm_eps": -1.0"#, "norm epsilon -1"),
            (r#", "pad_token_id": 70"#, "leaves none"),
        ] {
            let error = read(EncoderFamily::Roberta, rest).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        let text = format!("{}}}", BERT.replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 5"));
        let error = EncoderConfig::from_json(Path::new("c"), text.as_bytes(), EncoderFamily::Bert, 40);
        assert!(error.unwrap_err().to_string().contains("5 heads do not divide"));
    }
}
