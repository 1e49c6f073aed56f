use std::path::Path;

use rayon::prelude::*;

use super::config::{EncoderConfig, EncoderFamily};
use super::layout::{HEAD_BIAS, HEAD_WEIGHT, Layout, NORM, POSITIONS, SEGMENTS, WORDS};
use super::masked_head::MaskedHead;
use super::{Block, Encoder};
use crate::Error;
use crate::adapter::ScoreHead;
use crate::attention::{Attention, Heads};
use crate::backend::Backend;
use crate::device::ComputeDevice;
use crate::embedding::Embedding;
use crate::fingerprint::{Fingerprint, NamedDigest, tensor_digest};
use crate::head::Head;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::memory::WeightNeeds;
use crate::module_path::{ModulePath, TargetModule};
use crate::weights::{RawTensor, WeightStore, open_safetensors};

/// Loads an encoder from a Hugging Face folder, whose `config.json` has this text, with its fingerprint.
///
/// # Errors
/// A setting that changes the architecture, tensors that do not fit the configuration, an unreadable file.
pub fn load<B: Backend>(
    folder: &Path,
    config: &[u8],
    family: EncoderFamily,
    device: &ComputeDevice,
) -> Result<(Encoder<B>, Fingerprint), Error> {
    let (store, layout, config, wanted) = open(folder, config, family)?;
    let has_head = store.tensors().contains_key(layout.head[2]);
    let needs = WeightNeeds { store: &store, wanted: &wanted, embedding: WORDS, has_tied_head: has_head };
    B::require_memory(&needs, device)?;
    let source = Source { store: &store, layout: &layout, config: &config, device };
    let blocks = (0..config.layers)
        .into_par_iter()
        .map(|layer| source.block(layer))
        .collect::<Result<Vec<(Block<B>, Digests)>, Error>>()?;
    let mut digests = Digests::new();
    let words = source.read(WORDS, &mut digests)?;
    let mut masked_head = None;
    if has_head {
        masked_head = Some(source.masked_head(&words, &mut digests)?);
    }
    let positions = source.read(POSITIONS, &mut digests)?.rows_from(config.first_position);
    let mut embedding = Embedding::new(words, 1.0).with_positions(positions);
    if config.segments > 0 {
        let mut first = Vec::new();
        source.read(SEGMENTS, &mut digests)?.row_f32(0, &mut first);
        embedding = embedding.with_constant(first);
    }
    let embedding_norm = source.norm(NORM, &mut digests)?;
    let score_head = match store.tensors().contains_key(HEAD_WEIGHT) {
        true => Some(ScoreHead {
            weight: source.read(HEAD_WEIGHT, &mut digests)?.to_f32(),
            bias: source.read(HEAD_BIAS, &mut digests)?.to_f32()[0],
        }),
        false => None,
    };
    let mut loaded = Vec::with_capacity(blocks.len());
    for (block, of_block) in blocks {
        digests.extend(of_block);
        loaded.push(block);
    }
    let fingerprint = Fingerprint::new(&config.fingerprint_fields(), &config.legacy_text(), &digests);
    let encoder = Encoder {
        device: device.clone(),
        embedding,
        embedding_norm,
        blocks: loaded,
        head: masked_head,
        score_head,
        config,
    };
    Ok((encoder, fingerprint))
}

/// The tensors of a folder, what they are called, what they are and which of them are wanted.
pub type Opened = (WeightStore, Layout, EncoderConfig, Vec<(String, Vec<usize>)>);

/// Opens a folder and holds its tensors against its configuration.
///
/// # Errors
/// As [`load`].
pub fn open(folder: &Path, config: &[u8], family: EncoderFamily) -> Result<Opened, Error> {
    let layout = family.layout();
    // Checkpoints with a head have the prefix, those without have not.
    let store = open_safetensors(folder)?.without_prefix(layout.prefix).renamed(modern_name);
    let config = EncoderConfig::from_json(&folder.join("config.json"), config, family, store.count())?;
    let has = |name: &str| store.tensors().contains_key(name);
    let wanted = layout.wanted(&config, has(layout.head[2]), has(HEAD_WEIGHT));
    store.check(&wanted, &|name| layout.ignores(name))?;
    Ok((store, layout, config, wanted))
}

/// The names that TensorFlow gave to the numbers of norms, which old checkpoints still have.
fn modern_name(name: String) -> String {
    match (name.strip_suffix(".gamma"), name.strip_suffix(".beta")) {
        (Some(norm), _) => format!("{norm}.weight"),
        (_, Some(norm)) => format!("{norm}.bias"),
        _ => name,
    }
}

/// Of the tensors that were read, in their order.
type Digests = Vec<NamedDigest>;

/// A checkpoint that is being read.
struct Source<'a> {
    store: &'a WeightStore,
    layout: &'a Layout,
    config: &'a EncoderConfig,
    device: &'a ComputeDevice,
}

impl Source<'_> {
    fn read(&self, name: &str, digests: &mut Digests) -> Result<RawTensor, Error> {
        let tensor = self.store.read(name)?;
        digests.push(tensor_digest(name, &tensor));
        Ok(tensor)
    }

    fn linear<B: Backend>(
        &self,
        name: &str,
        module_path: ModulePath,
        digests: &mut Digests,
    ) -> Result<Linear<B>, Error> {
        let weight = self.read(&format!("{name}.weight"), digests)?;
        let bias = self.read(&format!("{name}.bias"), digests)?.to_f32();
        let outputs = weight.shape[0];
        Ok(Linear::new(module_path, &weight, outputs, |row| row, self.device).with_bias(bias, self.device))
    }

    fn norm<B: Backend>(&self, name: &str, digests: &mut Digests) -> Result<LayerNorm<B>, Error> {
        let gamma = self.read(&format!("{name}.weight"), digests)?.to_f32();
        let beta = self.read(&format!("{name}.bias"), digests)?.to_f32();
        Ok(LayerNorm::new(gamma, beta, self.config.norm_epsilon, self.device))
    }

    fn block<B: Backend>(&self, layer: usize) -> Result<(Block<B>, Digests), Error> {
        let mut digests = Digests::new();
        let mut linear = |module: TargetModule| {
            let module_path = self.layout.module_path(layer, module);
            self.linear(&module_path.to_string(), module_path, &mut digests)
        };
        let dim = self.config.head_dim();
        let heads = Heads {
            queries: self.config.heads,
            keys: self.config.heads,
            dim,
            scale: (dim as f32).sqrt().recip(),
        };
        let attention = Attention {
            query: linear(TargetModule::Query)?,
            key: linear(TargetModule::Key)?,
            value: linear(TargetModule::Value)?,
            output: linear(TargetModule::Output)?,
            head_norms: None,
            heads,
        };
        let [up, down] = [linear(TargetModule::Up)?, linear(TargetModule::Down)?];
        let attention_norm = self.norm(&self.layout.norm(layer, 0), &mut digests)?;
        let mlp_norm = self.norm(&self.layout.norm(layer, 1), &mut digests)?;
        let activation = self.config.activation;
        Ok((Block { attention, attention_norm, up, down, mlp_norm, activation }, digests))
    }

    /// The head shares its matrix with the embedding.
    fn masked_head<B: Backend>(
        &self,
        words: &RawTensor,
        digests: &mut Digests,
    ) -> Result<MaskedHead<B>, Error> {
        let [linear, norm, bias] = self.layout.head;
        // No adapter targets it: its number is that of no block.
        let module_path = self.layout.module_path(self.config.layers, TargetModule::Output);
        let linear = self.linear(linear, module_path, digests)?;
        let norm = self.norm(norm, digests)?;
        let bias = self.read(bias, digests)?.to_f32();
        let vocabulary = Head::new(words, self.device).with_bias(&bias, self.device);
        Ok(MaskedHead { linear, norm, activation: self.head_activation(), vocabulary })
    }

    /// RoBERTa's head has GELU whatever the blocks have, and so has DistilBERT's own setting.
    fn head_activation(&self) -> crate::gated::Activation {
        match self.config.family {
            EncoderFamily::Roberta => crate::gated::Activation::Gelu,
            EncoderFamily::Bert | EncoderFamily::DistilBert => self.config.activation,
        }
    }
}
