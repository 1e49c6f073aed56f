//! Encoders: BERT, MiniLM, DistilBERT, RoBERTa.

mod config;
mod export;
mod fingerprint;
mod layout;
mod load;
mod masked_head;

use burn::tensor::{Device, Tensor};

pub use config::{EncoderConfig, EncoderFamily};
pub use export::export;
pub use load::load;

use crate::adapter::{AdapterRows, ScoreHead};
use crate::attention::{Attention, AttentionPlan, LayerKeyValues, Sight};
use crate::buckets::padded;
use crate::device::ComputeDevice;
use crate::embedding::Embedding;
use crate::gated::{Activation, activated};
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::tree::TreeBatch;
use masked_head::MaskedHead;

/// An encoder: every node attends to all nodes of its tree, which is a sequence.
///
/// A block is `x ← norm(x + attention(x))`, then `x ← norm(x + down(act(up(x))))`.
///
/// # Reference
/// Devlin et al. 2019, "BERT"; `BertForMaskedLM`, `DistilBertForMaskedLM` and `RobertaForMaskedLM` of Hugging Face transformers 5.
pub struct Encoder {
    config: EncoderConfig,
    device: ComputeDevice,
    embedding: Embedding,
    embedding_norm: LayerNorm,
    blocks: Vec<Block>,
    head: Option<MaskedHead>,
    score_head: Option<ScoreHead>,
}

struct Block {
    attention: Attention,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    mlp_norm: LayerNorm,
    activation: Activation,
}

impl Block {
    fn forward(
        &self,
        x: Tensor<2>,
        plan: &AttentionPlan,
        adapters: &AdapterRows,
        device: &ComputeDevice,
    ) -> Tensor<2> {
        let added = self.attention.forward(x.clone(), plan, adapters, &mut LayerKeyValues::default());
        let x = self.attention_norm.forward(x + added);
        let wide = activated(self.up.forward(x.clone(), adapters), self.activation, device);
        self.mlp_norm.forward(x + self.down.forward(wide, adapters))
    }
}

impl Encoder {
    /// Shape and constants.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// The device that holds the weights.
    pub fn device(&self) -> &ComputeDevice {
        &self.device
    }

    /// The head that predicts masked tokens, where the checkpoint has one.
    pub fn head(&self) -> Option<&MaskedHead> {
        self.head.as_ref()
    }

    /// The head that makes one score of the first token's state, where the checkpoint has one.
    pub fn score_head(&self) -> Option<&ScoreHead> {
        self.score_head.as_ref()
    }

    /// The linear layers of all blocks: what adapters may change.
    pub fn linear_layers(&self) -> impl Iterator<Item = &Linear> {
        self.blocks.iter().flat_map(|block| {
            let Attention { query, key, value, output, .. } = &block.attention;
            [query, key, value, output, &block.up, &block.down]
        })
    }

    /// Hidden states of all nodes. `inspect` is shown those before the first block (0) and after block `i` (`i`), as transformers
    /// numbers them.
    ///
    /// # Shapes
    /// `[nodes, d_model]`, on a GPU with rows behind them that fill up a bucket. The batch has been checked.
    pub fn hidden_states(
        &self,
        batch: &TreeBatch,
        inspect: &mut (dyn FnMut(usize, &Tensor<2>) + Send),
    ) -> Tensor<2> {
        self.hidden_states_on(self.device.burn(), batch, inspect)
    }

    /// Hidden states of all nodes, recorded for the way back.
    #[cfg(feature = "training")]
    pub fn recorded_states(&self, batch: &TreeBatch) -> Tensor<2> {
        let device = self.device.burn().clone().autodiff();
        self.hidden_states_on(&device, batch, &mut |_, _| {})
    }

    fn hidden_states_on(
        &self,
        device: &Device,
        batch: &TreeBatch,
        inspect: &mut (dyn FnMut(usize, &Tensor<2>) + Send),
    ) -> Tensor<2> {
        let batch = &*padded(batch, &self.device);
        let plan = AttentionPlan::new(batch, None, self.config.heads, Sight::Tree, &self.device);
        let adapters = AdapterRows::new(batch, 0);
        let mut x =
            self.embedding_norm.forward(self.embedding.forward(batch.tokens(), batch.depths(), device));
        inspect(0, &x);
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, &plan, &adapters, &self.device);
            inspect(index + 1, &x);
        }
        x
    }
}
