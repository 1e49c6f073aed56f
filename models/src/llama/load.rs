use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::attention::Attention;
use super::config::LlamaConfig;
use super::tree_attention::Heads;
use super::{Block, Llama};
use crate::Error;
use crate::adapter::{Site, TargetModule};
use crate::device::ComputeDevice;
use crate::embedding::Embedding;
use crate::head::Head;
use crate::linear::Linear;
use crate::rms_norm::RmsNorm;
use crate::weights::{Gguf, RawTensor, WeightStore, tensor_digest};

/// How a checkpoint format names and orders its tensors.
pub(super) struct Layout {
    pub embedding: &'static str,
    pub norm: &'static str,
    pub head: &'static str,
    pub block: fn(usize, Part) -> String,
    /// Whether rows of Q and K are in the order of interleaved RoPE and have to be put back.
    permuted: bool,
    pub ignored: fn(&str) -> bool,
}

#[derive(Clone, Copy)]
pub(super) enum Part {
    AttentionNorm,
    MlpNorm,
    Linear(TargetModule),
}

/// All parts of a block.
pub(super) fn parts() -> impl Iterator<Item = Part> {
    [Part::AttentionNorm, Part::MlpNorm].into_iter().chain(TargetModule::ALL.map(Part::Linear))
}

pub(super) const GGUF: Layout = Layout {
    embedding: "token_embd.weight",
    norm: "output_norm.weight",
    head: "output.weight",
    block: |layer, part| {
        let part = match part {
            Part::AttentionNorm => "attn_norm",
            Part::MlpNorm => "ffn_norm",
            Part::Linear(TargetModule::Query) => "attn_q",
            Part::Linear(TargetModule::Key) => "attn_k",
            Part::Linear(TargetModule::Value) => "attn_v",
            Part::Linear(TargetModule::Output) => "attn_output",
            Part::Linear(TargetModule::Gate) => "ffn_gate",
            Part::Linear(TargetModule::Up) => "ffn_up",
            Part::Linear(TargetModule::Down) => "ffn_down",
        };
        format!("blk.{layer}.{part}.weight")
    },
    permuted: true,
    ignored: |_| false,
};

pub(super) const HUGGING_FACE: Layout = Layout {
    embedding: "model.embed_tokens.weight",
    norm: "model.norm.weight",
    head: "lm_head.weight",
    block: |layer, part| match part {
        Part::AttentionNorm => format!("model.layers.{layer}.input_layernorm.weight"),
        Part::MlpNorm => format!("model.layers.{layer}.post_attention_layernorm.weight"),
        Part::Linear(module) => format!("{}.weight", Site { layer, module }),
    },
    permuted: false,
    // Old checkpoints carry the rotary frequencies, tied ones sometimes a copy of the embedding.
    ignored: |name| name.ends_with("rotary_emb.inv_freq") || name == "lm_head.weight",
};

/// Loads a decoder from an open GGUF file.
///
/// # Errors
/// Another architecture or variant, tensors that do not fit the metadata, an unreadable file.
pub fn load_gguf(gguf: &Gguf, device: &ComputeDevice) -> Result<(Llama, String), Error> {
    let config = LlamaConfig::from_gguf(gguf)?;
    load(&gguf.store, &GGUF, config, device)
}

/// Loads a decoder from a Hugging Face folder.
///
/// # Errors
/// As [`load_gguf`].
pub fn load_safetensors(folder: &Path, device: &ComputeDevice) -> Result<(Llama, String), Error> {
    let (config, store) = LlamaConfig::from_folder(folder)?;
    load(&store, &HUGGING_FACE, config, device)
}

/// What a layer becomes, with the digests of its tensors.
type Loaded<T> = Result<(T, Vec<[u8; 32]>), Error>;

fn load(
    store: &WeightStore,
    layout: &Layout,
    config: LlamaConfig,
    device: &ComputeDevice,
) -> Result<(Llama, String), Error> {
    store.check(&wanted(layout, &config), &layout.ignored)?;
    let blocks: Vec<(Block, Vec<[u8; 32]>)> = (0..config.layers)
        .into_par_iter()
        .map(|layer| load_block(store, layout, &config, layer, device))
        .collect::<Result<_, Error>>()?;
    let mut fingerprint = Sha256::new();
    fingerprint.update(format!("{config:?}\n"));
    let mut read = |name: &str| -> Result<RawTensor, Error> {
        let tensor = store.read(name)?;
        fingerprint.update(tensor_digest(name, &tensor));
        Ok(tensor)
    };
    let embedding = read(layout.embedding)?;
    let norm = RmsNorm::new(read(layout.norm)?.to_f32(), config.norm_epsilon, device);
    let head = match config.tied_head {
        true => Head::new(&embedding, device),
        false => Head::new(&read(layout.head)?, device),
    };
    let embedding = Embedding::new(embedding);
    let mut loaded = Vec::with_capacity(blocks.len());
    for (block, digests) in blocks {
        digests.iter().for_each(|digest| fingerprint.update(digest));
        loaded.push(block);
    }
    let fingerprint = fingerprint.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let llama = Llama { config, device: device.clone(), embedding, blocks: loaded, norm, head };
    Ok((llama, fingerprint))
}

pub(super) fn shape_of(part: Part, config: &LlamaConfig) -> Vec<usize> {
    let (queries, keys) = (config.heads * config.head_dim, config.kv_heads * config.head_dim);
    let module = match part {
        Part::AttentionNorm | Part::MlpNorm => return vec![config.d_model],
        Part::Linear(module) => module,
    };
    match module {
        TargetModule::Query => vec![queries, config.d_model],
        TargetModule::Key | TargetModule::Value => vec![keys, config.d_model],
        TargetModule::Output => vec![config.d_model, queries],
        TargetModule::Gate | TargetModule::Up => vec![config.d_ff, config.d_model],
        TargetModule::Down => vec![config.d_model, config.d_ff],
    }
}

pub(super) fn wanted(layout: &Layout, config: &LlamaConfig) -> Vec<(String, Vec<usize>)> {
    let table = vec![config.vocab_size, config.d_model];
    let mut wanted =
        vec![(layout.embedding.into(), table.clone()), (layout.norm.into(), vec![config.d_model])];
    if !config.tied_head {
        wanted.push((layout.head.into(), table));
    }
    for layer in 0..config.layers {
        wanted.extend(parts().map(|part| ((layout.block)(layer, part), shape_of(part, config))));
    }
    wanted
}

fn load_block(
    store: &WeightStore,
    layout: &Layout,
    config: &LlamaConfig,
    layer: usize,
    device: &ComputeDevice,
) -> Loaded<Block> {
    let mut digests = Vec::new();
    let mut read = |part: Part| -> Result<RawTensor, Error> {
        let name = (layout.block)(layer, part);
        let tensor = store.read(&name)?;
        digests.push(tensor_digest(&name, &tensor));
        Ok(tensor)
    };
    let norm = |weight: RawTensor| RmsNorm::new(weight.to_f32(), config.norm_epsilon, device);
    let attention_norm = norm(read(Part::AttentionNorm)?);
    let mut linear = |module: TargetModule| -> Result<Linear, Error> {
        let row = row_of(layout, config, module);
        Ok(Linear::new(Site { layer, module }, &read(Part::Linear(module))?, row, device))
    };
    let attention = Attention {
        query: linear(TargetModule::Query)?,
        key: linear(TargetModule::Key)?,
        value: linear(TargetModule::Value)?,
        output: linear(TargetModule::Output)?,
        heads: Heads { queries: config.heads, keys: config.kv_heads, dim: config.head_dim },
    };
    let [gate, up, down] =
        [linear(TargetModule::Gate)?, linear(TargetModule::Up)?, linear(TargetModule::Down)?];
    let mlp_norm = norm(read(Part::MlpNorm)?);
    Ok((Block { attention_norm, attention, mlp_norm, gate, up, down }, digests))
}

/// Where the checkpoint has the row of an output.
pub(super) fn row_of(
    layout: &Layout,
    config: &LlamaConfig,
    module: TargetModule,
) -> impl Fn(usize) -> usize + Sync + use<> {
    let is_turned = layout.permuted && matches!(module, TargetModule::Query | TargetModule::Key);
    let head_dim = config.head_dim;
    move |row| if is_turned { rotate_half_row(row, head_dim) } else { row }
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
