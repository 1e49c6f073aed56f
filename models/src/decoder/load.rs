use std::path::Path;

use rayon::prelude::*;

use super::config::DecoderConfig;
use super::layout::{GGUF, HUGGING_FACE, HUGGING_FACE_GPT2, Layout, Part, has_bias, module_path, shape_of};
use super::{Block, Decoder};
use crate::Error;
use crate::attention::{Attention, Heads};
use crate::backend::Backend;
use crate::device::ComputeDevice;
use crate::embedding::Embedding;
use crate::fingerprint::{Fingerprint, NamedDigest, tensor_digest};
use crate::head::Head;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::memory::WeightNeeds;
use crate::module_path::TargetModule;
use crate::norm::Norm;
use crate::rms_norm::RmsNorm;
use crate::weights::{Gguf, RawTensor, WeightStore};

/// Loads a decoder from an open GGUF file.
///
/// # Errors
/// Another architecture or variant, tensors that do not fit the metadata, an unreadable file.
pub fn load_gguf<B: Backend>(
    gguf: &Gguf,
    device: &ComputeDevice,
) -> Result<(Decoder<B>, Fingerprint), Error> {
    let config = DecoderConfig::from_gguf(gguf)?;
    load(&gguf.store, &GGUF, config, device)
}

/// Loads a decoder from a Hugging Face folder.
///
/// # Errors
/// As [`load_gguf`].
pub fn load_safetensors<B: Backend>(
    folder: &Path,
    device: &ComputeDevice,
) -> Result<(Decoder<B>, Fingerprint), Error> {
    let (config, store) = DecoderConfig::from_folder(folder)?;
    let layout = if config.is_gpt2() { &HUGGING_FACE_GPT2 } else { &HUGGING_FACE };
    load(&store, layout, config, device)
}

/// What a layer becomes, with the digests of its tensors.
type Loaded<T> = Result<(T, Vec<NamedDigest>), Error>;

fn load<B: Backend>(
    store: &WeightStore,
    layout: &Layout,
    config: DecoderConfig,
    device: &ComputeDevice,
) -> Result<(Decoder<B>, Fingerprint), Error> {
    let wanted = layout.wanted(&config);
    store.check(&wanted, &layout.ignored)?;
    let (embedding, has_tied_head) = (layout.embedding, config.tied_head);
    B::require_memory(&WeightNeeds { store, wanted: &wanted, embedding, has_tied_head }, device)?;
    let blocks: Vec<(Block<B>, Vec<NamedDigest>)> = (0..config.layers)
        .into_par_iter()
        .map(|layer| load_block(store, layout, &config, layer, device))
        .collect::<Result<_, Error>>()?;
    let mut digests = Vec::new();
    let mut read = |name: &str| -> Result<RawTensor, Error> {
        let tensor = store.read(name)?;
        digests.push(tensor_digest(name, &tensor));
        Ok(tensor)
    };
    let embedding = read(layout.embedding)?;
    let gamma = read(layout.norm)?;
    let last_norm = if config.is_gpt2() {
        shifted_norm(&gamma, &read(&layout.norm_shift())?, &config, device)
    } else {
        Norm::Rms(norm(&gamma, layout, &config, device))
    };
    let head = match config.tied_head {
        true => Head::new(&embedding, device),
        false => Head::new(&read(layout.head)?, device),
    };
    let mut embedding = Embedding::new(embedding, config.variant.embedding_scale as f32);
    if config.is_gpt2() {
        embedding = embedding.with_positions(read(layout.positions)?);
    }
    let mut loaded = Vec::with_capacity(blocks.len());
    for (block, of_block) in blocks {
        digests.extend(of_block);
        loaded.push(block);
    }
    let fingerprint = Fingerprint::new(&config.fingerprint_fields(), &config.legacy_text(), &digests);
    let decoder =
        Decoder { config, device: device.clone(), embedding, blocks: loaded, norm: last_norm, head };
    Ok((decoder, fingerprint))
}

fn norm<B: Backend>(
    stored: &RawTensor,
    layout: &Layout,
    config: &DecoderConfig,
    device: &ComputeDevice,
) -> RmsNorm<B> {
    let offset = layout.norm_offset(config);
    let gamma = stored.to_f32().into_iter().map(|gamma| gamma + offset).collect();
    RmsNorm::new(gamma, config.norm_epsilon, device)
}

fn shifted_norm<B: Backend>(
    gamma: &RawTensor,
    beta: &RawTensor,
    config: &DecoderConfig,
    device: &ComputeDevice,
) -> Norm<B> {
    Norm::Layer(LayerNorm::new(gamma.to_f32(), beta.to_f32(), config.norm_epsilon, device))
}

fn load_block<B: Backend>(
    store: &WeightStore,
    layout: &Layout,
    config: &DecoderConfig,
    layer: usize,
    device: &ComputeDevice,
) -> Loaded<Block<B>> {
    let mut digests = Vec::new();
    let mut read = |part: Part| -> Result<RawTensor, Error> {
        let name = layout.name(config, layer, part);
        let tensor = store.read(&name)?;
        digests.push(tensor_digest(&name, &tensor));
        Ok(tensor)
    };
    let variant = &config.variant;
    // The order is that of the digests.
    let attention_norm = read(Part::AttentionNorm)?;
    let mut linear = |module: TargetModule| -> Result<Linear<B>, Error> {
        let row = layout.row_of(config, module);
        let outputs = shape_of(Part::Linear(module), config)[0];
        let weight = layout.upright(read(Part::Linear(module))?);
        let layer = Linear::new(module_path(layer, module), &weight, outputs, &row, device);
        if !has_bias(config, module) {
            return Ok(layer);
        }
        let bias = read(Part::Bias(module))?.to_f32();
        Ok(layer.with_bias((0..outputs).map(|output| bias[row(output)]).collect(), device))
    };
    let projections = [
        linear(TargetModule::Query)?,
        linear(TargetModule::Key)?,
        linear(TargetModule::Value)?,
        linear(TargetModule::Output)?,
    ];
    let gate = if config.is_gpt2() { None } else { Some(linear(TargetModule::Gate)?) };
    let [up, down] = [linear(TargetModule::Up)?, linear(TargetModule::Down)?];
    let mlp_norm = read(Part::MlpNorm)?;
    let norm = |weight: RawTensor| norm(&weight, layout, config, device);
    let mut norms_if = |there: bool, parts: [Part; 2]| -> Result<Option<[RmsNorm<B>; 2]>, Error> {
        if !there {
            return Ok(None);
        }
        let [first, second] = parts;
        Ok(Some([norm(read(first)?), norm(read(second)?)]))
    };
    let post_norms = norms_if(variant.post_norms, [Part::PostAttentionNorm, Part::PostMlpNorm])?;
    let head_norms = norms_if(variant.qk_norm, [Part::QueryNorm, Part::KeyNorm])?;
    let [attention_norm, mlp_norm] = if config.is_gpt2() {
        let shifts = [read(Part::AttentionNormShift)?, read(Part::MlpNormShift)?];
        [
            shifted_norm(&attention_norm, &shifts[0], config, device),
            shifted_norm(&mlp_norm, &shifts[1], config, device),
        ]
    } else {
        [Norm::Rms(norm(attention_norm)), Norm::Rms(norm(mlp_norm))]
    };
    let heads = Heads {
        queries: config.heads,
        keys: config.kv_heads,
        dim: config.head_dim,
        scale: config.query_scale(),
    };
    let [query, key, value, output] = projections;
    let attention = Attention { query, key, value, output, head_norms, heads };
    let activation = variant.activation;
    let is_local = config.is_local(layer);
    let block =
        Block { attention_norm, attention, mlp_norm, gate, up, down, post_norms, activation, is_local };
    Ok((block, digests))
}
