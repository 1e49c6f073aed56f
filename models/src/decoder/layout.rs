use super::config::{DecoderConfig, Family};
use super::config_gguf::ROPE_FACTORS;
use crate::adapter::{Site, TargetModule};

/// How a checkpoint format names and orders its tensors.
pub(super) struct Layout {
    pub embedding: &'static str,
    pub norm: &'static str,
    pub head: &'static str,
    pub block: fn(Family, usize, Part) -> String,
    /// Whether rows of Q and K of Llama models are in the order of interleaved RoPE and have to be put back.
    permuted: bool,
    /// Whether norms of Gemma models are stored less 1.
    less_one: bool,
    pub ignored: fn(&str) -> bool,
}

/// A tensor of a block.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part {
    AttentionNorm,
    MlpNorm,
    PostAttentionNorm,
    PostMlpNorm,
    QueryNorm,
    KeyNorm,
    Bias(TargetModule),
    Linear(TargetModule),
}

/// All parts of a block.
pub(super) fn parts(config: &DecoderConfig) -> Vec<Part> {
    use TargetModule::{Key, Query, Value};
    let mut parts = vec![Part::AttentionNorm, Part::MlpNorm];
    if config.variant.post_norms {
        parts.extend([Part::PostAttentionNorm, Part::PostMlpNorm]);
    }
    if config.variant.qk_norm {
        parts.extend([Part::QueryNorm, Part::KeyNorm]);
    }
    if config.variant.qkv_bias {
        parts.extend([Query, Key, Value].map(Part::Bias));
    }
    parts.extend(TargetModule::ALL.map(Part::Linear));
    parts
}

pub(super) const GGUF: Layout = Layout {
    embedding: "token_embd.weight",
    norm: "output_norm.weight",
    head: "output.weight",
    block: |_, layer, part| {
        let linear = |module| match module {
            TargetModule::Query => "attn_q",
            TargetModule::Key => "attn_k",
            TargetModule::Value => "attn_v",
            TargetModule::Output => "attn_output",
            TargetModule::Gate => "ffn_gate",
            TargetModule::Up => "ffn_up",
            TargetModule::Down => "ffn_down",
        };
        let (name, kind) = match part {
            Part::AttentionNorm => ("attn_norm", "weight"),
            Part::MlpNorm => ("ffn_norm", "weight"),
            Part::PostAttentionNorm => ("post_attention_norm", "weight"),
            Part::PostMlpNorm => ("post_ffw_norm", "weight"),
            Part::QueryNorm => ("attn_q_norm", "weight"),
            Part::KeyNorm => ("attn_k_norm", "weight"),
            Part::Bias(module) => (linear(module), "bias"),
            Part::Linear(module) => (linear(module), "weight"),
        };
        format!("blk.{layer}.{name}.{kind}")
    },
    permuted: true,
    less_one: false,
    ignored: |name| name == ROPE_FACTORS,
};

pub(super) const HUGGING_FACE: Layout = Layout {
    embedding: "model.embed_tokens.weight",
    norm: "model.norm.weight",
    head: "lm_head.weight",
    block: |family, layer, part| {
        let name = match part {
            Part::AttentionNorm => "input_layernorm",
            Part::MlpNorm if family == Family::Gemma3 => "pre_feedforward_layernorm",
            Part::MlpNorm | Part::PostAttentionNorm => "post_attention_layernorm",
            Part::PostMlpNorm => "post_feedforward_layernorm",
            Part::QueryNorm => "self_attn.q_norm",
            Part::KeyNorm => "self_attn.k_norm",
            Part::Bias(module) => return format!("{}.bias", Site { layer, module }),
            Part::Linear(module) => return format!("{}.weight", Site { layer, module }),
        };
        format!("model.layers.{layer}.{name}.weight")
    },
    permuted: false,
    less_one: true,
    // Old checkpoints carry the rotary frequencies, tied ones sometimes a copy of the embedding.
    ignored: |name| name.ends_with("rotary_emb.inv_freq") || name == "lm_head.weight",
};

impl Layout {
    /// The name of a part.
    pub(super) fn name(&self, config: &DecoderConfig, layer: usize, part: Part) -> String {
        (self.block)(config.variant.family, layer, part)
    }

    /// What is added to the stored γ of a norm.
    pub(super) fn norm_offset(&self, config: &DecoderConfig) -> f32 {
        if self.less_one && config.variant.family == Family::Gemma3 { 1.0 } else { 0.0 }
    }

    /// Where the checkpoint has the row of an output.
    pub(super) fn row_of(
        &self,
        config: &DecoderConfig,
        module: TargetModule,
    ) -> impl Fn(usize) -> usize + Sync + use<> {
        let is_turned = self.permuted
            && config.variant.family == Family::Llama
            && matches!(module, TargetModule::Query | TargetModule::Key);
        let head_dim = config.head_dim;
        move |row| if is_turned { rotate_half_row(row, head_dim) } else { row }
    }

    /// All tensors of a checkpoint with their shapes.
    pub(super) fn wanted(&self, config: &DecoderConfig) -> Vec<(String, Vec<usize>)> {
        let table = vec![config.vocab_size, config.d_model];
        let mut wanted =
            vec![(self.embedding.into(), table.clone()), (self.norm.into(), vec![config.d_model])];
        if !config.tied_head {
            wanted.push((self.head.into(), table));
        }
        let parts = parts(config);
        for layer in 0..config.layers {
            wanted.extend(parts.iter().map(|&part| (self.name(config, layer, part), shape_of(part, config))));
        }
        wanted
    }
}

/// The shape of a part.
pub(super) fn shape_of(part: Part, config: &DecoderConfig) -> Vec<usize> {
    let (queries, keys) = (config.heads * config.head_dim, config.kv_heads * config.head_dim);
    let matrix = |module: TargetModule| match module {
        TargetModule::Query => [queries, config.d_model],
        TargetModule::Key | TargetModule::Value => [keys, config.d_model],
        TargetModule::Output => [config.d_model, queries],
        TargetModule::Gate | TargetModule::Up => [config.d_ff, config.d_model],
        TargetModule::Down => [config.d_model, config.d_ff],
    };
    match part {
        Part::AttentionNorm | Part::MlpNorm | Part::PostAttentionNorm | Part::PostMlpNorm => {
            vec![config.d_model]
        }
        Part::QueryNorm | Part::KeyNorm => vec![config.head_dim],
        Part::Bias(module) => vec![matrix(module)[0]],
        Part::Linear(module) => matrix(module).into(),
    }
}

/// Where the row of a rotate-half head lies among the rows that GGUF files give Q and K of Llama models:
/// they put the pairs of interleaved RoPE side by side, row `i + j·head_dim/2` of a head at `2i + j`.
fn rotate_half_row(row: usize, head_dim: usize) -> usize {
    let (head, row, half) = (row / head_dim, row % head_dim, head_dim / 2);
    head * head_dim + 2 * (row % half) + row / half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_rows_go_back_to_halves() {
        let rows: Vec<usize> = (0..8).map(|row| rotate_half_row(row, 4)).collect();
        assert_eq!(rows, [0, 2, 1, 3, 4, 6, 5, 7]);
    }
}
