use super::config::{Biases, DecoderConfig, Family};
use super::config_gguf::ROPE_FACTORS;
use crate::module_path::{ModuleNaming, ModulePath, TargetModule};
use crate::weights::RawTensor;

/// How a checkpoint format names and orders its tensors.
pub(super) struct Layout {
    pub embedding: &'static str,
    /// The embedding of positions, where there is one.
    pub positions: &'static str,
    pub norm: &'static str,
    pub head: &'static str,
    pub block: fn(Family, usize, Part) -> String,
    /// Whether rows of Q and K of Llama models are in the order of interleaved RoPE and have to be put back.
    permuted: bool,
    /// Whether norms of Gemma models are stored less 1.
    less_one: bool,
    /// Whether matrices are stored `[in, out]`.
    transposed: bool,
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
    /// β of the norms of GPT-2.
    AttentionNormShift,
    MlpNormShift,
    Bias(TargetModule),
    Linear(TargetModule),
}

/// All parts of a block.
pub(super) fn parts(config: &DecoderConfig) -> Vec<Part> {
    let mut parts = vec![Part::AttentionNorm, Part::MlpNorm];
    if config.variant.post_norms {
        parts.extend([Part::PostAttentionNorm, Part::PostMlpNorm]);
    }
    if config.variant.qk_norm {
        parts.extend([Part::QueryNorm, Part::KeyNorm]);
    }
    if config.is_gpt2() {
        parts.extend([Part::AttentionNormShift, Part::MlpNormShift]);
    }
    parts.extend(modules(config).filter(|module| has_bias(config, *module)).map(Part::Bias));
    parts.extend(modules(config).map(Part::Linear));
    parts
}

/// The linear layers of a block.
pub(super) fn modules(config: &DecoderConfig) -> impl Iterator<Item = TargetModule> + use<> {
    let is_gated = !config.is_gpt2();
    TargetModule::ALL.into_iter().filter(move |module| is_gated || *module != TargetModule::Gate)
}

/// A linear layer, by the name that adapters have for it.
pub(super) fn module_path(layer: usize, module: TargetModule) -> ModulePath {
    ModulePath { layer, module, naming: ModuleNaming::Llama }
}

/// Whether a linear layer has a bias.
pub(super) fn has_bias(config: &DecoderConfig, module: TargetModule) -> bool {
    match config.variant.biases {
        Biases::None => false,
        Biases::Qkv => is_qkv(module),
        Biases::All => true,
    }
}

fn is_qkv(module: TargetModule) -> bool {
    matches!(module, TargetModule::Query | TargetModule::Key | TargetModule::Value)
}

pub(super) const GGUF: Layout = Layout {
    embedding: "token_embd.weight",
    positions: "position_embd.weight",
    norm: "output_norm.weight",
    head: "output.weight",
    block: |family, layer, part| {
        let linear = |module| match module {
            _ if family == Family::Gpt2 && is_qkv(module) => "attn_qkv",
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
            Part::AttentionNormShift => ("attn_norm", "bias"),
            Part::MlpNormShift => ("ffn_norm", "bias"),
            Part::Bias(module) => (linear(module), "bias"),
            Part::Linear(module) => (linear(module), "weight"),
        };
        format!("blk.{layer}.{name}.{kind}")
    },
    permuted: true,
    less_one: false,
    transposed: false,
    ignored: |name| name == ROPE_FACTORS,
};

pub(super) const HUGGING_FACE: Layout = Layout {
    embedding: "model.embed_tokens.weight",
    positions: "",
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
            Part::AttentionNormShift => return format!("model.layers.{layer}.input_layernorm.bias"),
            Part::MlpNormShift => return format!("model.layers.{layer}.post_attention_layernorm.bias"),
            Part::Bias(module) => return format!("{}.bias", module_path(layer, module)),
            Part::Linear(module) => return format!("{}.weight", module_path(layer, module)),
        };
        format!("model.layers.{layer}.{name}.weight")
    },
    permuted: false,
    less_one: true,
    transposed: false,
    // Old checkpoints carry the rotary frequencies, tied ones sometimes a copy of the embedding.
    ignored: |name| name.ends_with("rotary_emb.inv_freq") || name == "lm_head.weight",
};

/// Checkpoints of GPT-2 have names of their own, and matrices of `Conv1D`.
pub(super) const HUGGING_FACE_GPT2: Layout = Layout {
    embedding: "wte.weight",
    positions: "wpe.weight",
    norm: "ln_f.weight",
    head: "lm_head.weight",
    block: |_, layer, part| {
        let linear = |module| match module {
            TargetModule::Query | TargetModule::Key | TargetModule::Value => "attn.c_attn",
            TargetModule::Output => "attn.c_proj",
            TargetModule::Gate | TargetModule::Up => "mlp.c_fc",
            TargetModule::Down => "mlp.c_proj",
        };
        let (name, kind) = match part {
            Part::MlpNorm | Part::PostMlpNorm => ("ln_2", "weight"),
            Part::MlpNormShift => ("ln_2", "bias"),
            Part::AttentionNormShift => ("ln_1", "bias"),
            Part::AttentionNorm | Part::PostAttentionNorm | Part::QueryNorm | Part::KeyNorm => {
                ("ln_1", "weight")
            }
            Part::Bias(module) => (linear(module), "bias"),
            Part::Linear(module) => (linear(module), "weight"),
        };
        format!("h.{layer}.{name}.{kind}")
    },
    permuted: false,
    less_one: false,
    transposed: true,
    // The mask of causal attention was a tensor once.
    ignored: |name| {
        name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") || name == "lm_head.weight"
    },
};

impl Layout {
    /// The name of β of the last norm, where there is one.
    pub(super) fn norm_shift(&self) -> String {
        self.norm.replace(".weight", ".bias")
    }

    /// A matrix as `[out, in]`, whatever way the checkpoint has it.
    pub(super) fn upright(&self, tensor: RawTensor) -> RawTensor {
        if self.transposed { tensor.transposed() } else { tensor }
    }

    /// The shape of a part as the checkpoint has it: queries, keys and values of GPT-2 are one matrix.
    fn stored_shape(&self, config: &DecoderConfig, part: Part) -> Vec<usize> {
        let mut shape = shape_of(part, config);
        if let (true, Part::Linear(module) | Part::Bias(module)) = (config.is_gpt2(), part)
            && is_qkv(module)
        {
            shape[0] *= 3;
        }
        if self.transposed && matches!(part, Part::Linear(_)) {
            shape.reverse();
        }
        shape
    }

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
        // Queries, keys and values of GPT-2 stand one behind the other.
        let start = match module {
            TargetModule::Key if config.is_gpt2() => config.d_model,
            TargetModule::Value if config.is_gpt2() => 2 * config.d_model,
            _ => 0,
        };
        move |row| if is_turned { rotate_half_row(row, head_dim) } else { start + row }
    }

    /// All tensors of a checkpoint with their shapes.
    pub(super) fn wanted(&self, config: &DecoderConfig) -> Vec<(String, Vec<usize>)> {
        let table = vec![config.vocab_size, config.d_model];
        let mut wanted =
            vec![(self.embedding.into(), table.clone()), (self.norm.into(), vec![config.d_model])];
        if !config.tied_head {
            wanted.push((self.head.into(), table));
        }
        if config.is_gpt2() {
            wanted.push((self.positions.into(), vec![config.context_len, config.d_model]));
            wanted.push((self.norm_shift(), vec![config.d_model]));
        }
        let parts = parts(config);
        for layer in 0..config.layers {
            let part = |&part| (self.name(config, layer, part), self.stored_shape(config, part));
            wanted.extend(parts.iter().map(part));
        }
        wanted.sort();
        wanted.dedup();
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
        Part::AttentionNorm
        | Part::MlpNorm
        | Part::PostAttentionNorm
        | Part::PostMlpNorm
        | Part::AttentionNormShift
        | Part::MlpNormShift => vec![config.d_model],
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
