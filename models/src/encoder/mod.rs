//! Encoders: BERT, MiniLM, DistilBERT, RoBERTa.

mod config;
mod export;
mod fingerprint;
mod layout;
mod load;
mod masked_head;
mod network;

use burn::tensor::{Device, Tensor};

pub use config::{EncoderConfig, EncoderFamily};
pub use export::export;
pub use load::load;

use crate::adapter::ScoreHead;
use crate::adapter_rows::AdapterRows;
use crate::attention::{Attention, AttentionMask, LayerKeyValues};
use crate::backend::Backend;
use crate::device::ComputeDevice;
use crate::embedding::Embedding;
use crate::gated::Activation;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::network::Inspect;
use crate::tree::TreeBatch;
use masked_head::MaskedHead;

/// An encoder: every node attends to all nodes of its tree, which is a sequence.
///
/// A block is `x ← norm(x + attention(x))`, then `x ← norm(x + down(act(up(x))))`.
///
/// # Reference
/// Devlin et al. 2019, "BERT"; `BertForMaskedLM`, `DistilBertForMaskedLM` and `RobertaForMaskedLM` of Hugging Face transformers 5.
pub struct Encoder<B: Backend> {
    config: EncoderConfig,
    device: ComputeDevice,
    embedding: Embedding,
    embedding_norm: LayerNorm<B>,
    blocks: Vec<Block<B>>,
    head: Option<MaskedHead<B>>,
    score_head: Option<ScoreHead>,
}

struct Block<B: Backend> {
    attention: Attention<B>,
    attention_norm: LayerNorm<B>,
    up: Linear<B>,
    down: Linear<B>,
    mlp_norm: LayerNorm<B>,
    activation: Activation,
}

impl<B: Backend> Block<B> {
    fn forward(&self, x: Tensor<2>, plan: &B::Plan, adapters: &AdapterRows) -> Tensor<2> {
        let added = self.attention.forward(x.clone(), plan, adapters, &mut LayerKeyValues::default());
        let x = self.attention_norm.forward(x + added);
        let wide = B::activated(self.up.forward(x.clone(), adapters), self.activation);
        self.mlp_norm.forward(x + self.down.forward(wide, adapters))
    }
}

impl<B: Backend> Encoder<B> {
    /// Hidden states of all nodes.
    fn states(&self, device: &Device, batch: &TreeBatch, inspect: &mut Inspect<'_>) -> Tensor<2> {
        let batch = &*B::sized(batch, &self.device);
        let plan = B::plan(batch, None, self.config.heads, AttentionMask::Tree, &self.device);
        let adapters = AdapterRows::new(batch, 0);
        let mut x =
            self.embedding_norm.forward(self.embedding.forward(batch.tokens(), batch.depths(), device));
        inspect(0, &x);
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, &plan, &adapters);
            inspect(index + 1, &x);
        }
        x
    }
}
