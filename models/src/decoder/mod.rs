//! Decoders: Llama, SmolLM2, TinyLlama, Qwen 2 and 3, Gemma 3, GPT-2.

mod config;
mod config_gguf;
mod config_json;
mod export;
mod fingerprint;
mod layout;
mod load;
mod plans;

use burn::tensor::{Device, Tensor};

pub use config::{DecoderConfig, Family};
pub use export::export;
pub use load::{load_gguf, load_safetensors};

use crate::adapter::AdapterRows;
use crate::attention::{Attention, KeyValues, LayerKeyValues};
use crate::buckets::padded;
use crate::device::ComputeDevice;
use crate::embedding::Embedding;
use crate::gated::{Activation, activated, gated};
use crate::head::Head;
use crate::layer_norm::Norm;
use crate::linear::Linear;
use crate::rms_norm::RmsNorm;
use crate::tree::{Edge, TreeBatch};
use plans::AttentionPlans;

/// A decoder.
///
/// A block is `x + attention(norm(x))`, then `x + down(act(gate(n)) · up(n))` with `n = norm(x)`; in Gemma 3 what is added to `x`
/// is normalised too, in GPT-2 it is `x + down(act(up(n)))`.
///
/// # Reference
/// Touvron et al. 2023, "LLaMA"; `LlamaForCausalLM`, `Qwen2ForCausalLM`, `Qwen3ForCausalLM`, `Gemma3ForCausalLM` and
/// `GPT2LMHeadModel` of Hugging Face transformers 5.
pub struct Decoder {
    config: DecoderConfig,
    device: ComputeDevice,
    embedding: Embedding,
    blocks: Vec<Block>,
    norm: Norm,
    head: Head,
}

struct Block {
    attention_norm: Norm,
    attention: Attention,
    mlp_norm: Norm,
    gate: Option<Linear>,
    up: Linear,
    down: Linear,
    /// Of what attention and feed-forward layer give.
    post_norms: Option<[RmsNorm; 2]>,
    activation: Activation,
    /// Whether nodes see a window only.
    is_local: bool,
}

impl Block {
    fn forward(
        &self,
        x: Tensor<2>,
        plans: &AttentionPlans,
        adapters: &AdapterRows,
        past: &mut LayerKeyValues,
        device: &ComputeDevice,
    ) -> Tensor<2> {
        let normed = self.attention_norm.forward(x.clone());
        let added = self.attention.forward(normed, plans.of(self.is_local), adapters, past);
        let x = self.post_norm(0, added) + x;
        let normed = self.mlp_norm.forward(x.clone());
        let wide = match &self.gate {
            Some(gate) => {
                let [gate, up] = Linear::forward_all([gate, &self.up], normed, adapters);
                gated(gate, up, self.activation, device)
            }
            None => activated(self.up.forward(normed, adapters), self.activation, device),
        };
        let added = self.down.forward(wide, adapters);
        self.post_norm(1, added) + x
    }

    fn post_norm(&self, which: usize, x: Tensor<2>) -> Tensor<2> {
        match &self.post_norms {
            Some(norms) => norms[which].forward(x),
            None => x,
        }
    }

    fn linear_layers(&self) -> impl Iterator<Item = &Linear> {
        let Attention { query, key, value, output, .. } = &self.attention;
        [query, key, value, output].into_iter().chain(&self.gate).chain([&self.up, &self.down])
    }
}

impl Decoder {
    /// Shape and constants.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The device that holds the weights.
    pub fn device(&self) -> &ComputeDevice {
        &self.device
    }

    /// The linear layers of all blocks: what adapters may change.
    pub fn linear_layers(&self) -> impl Iterator<Item = &Linear> {
        self.blocks.iter().flat_map(Block::linear_layers)
    }

    /// The vocabulary head.
    #[cfg(feature = "training")]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Hidden states of the nodes from the `start`-th on after the final norm.
    ///
    /// `past` holds what the layers keep of the nodes before `start` and, where it has a place for every
    /// layer, of these too afterwards. `inspect` is shown the hidden states before the first block (0),
    /// and after block `i` (`i`), the last one normalised, as transformers numbers them.
    ///
    /// # Shapes
    /// `[nodes, d_model]`, on a GPU with rows behind them that fill up a bucket. The batch has been checked.
    pub fn hidden_states(
        &self,
        batch: &TreeBatch,
        start: usize,
        past: &mut [LayerKeyValues],
        inspect: &mut (dyn FnMut(usize, &Tensor<2>) + Send),
    ) -> Tensor<2> {
        self.hidden_states_on(self.device.burn(), batch, start, past, inspect)
    }

    /// Hidden states of all nodes, recorded for the way back.
    #[cfg(feature = "training")]
    pub fn recorded_states(&self, batch: &TreeBatch) -> Tensor<2> {
        let device = self.device.burn().clone().autodiff();
        self.hidden_states_on(&device, batch, 0, &mut [], &mut |_, _| {})
    }

    fn hidden_states_on(
        &self,
        device: &Device,
        batch: &TreeBatch,
        start: usize,
        past: &mut [LayerKeyValues],
        inspect: &mut (dyn FnMut(usize, &Tensor<2>) + Send),
    ) -> Tensor<2> {
        let batch = &*padded(batch, &self.device);
        let plans = AttentionPlans::new(batch, start, &self.config, &self.device);
        let adapters = AdapterRows::new(batch, start);
        let mut x = self.embedding.forward(&batch.tokens()[start..], &batch.depths()[start..], device);
        inspect(0, &x);
        for (index, block) in self.blocks.iter().enumerate() {
            let mut forgotten = LayerKeyValues::default();
            let past = past.get_mut(index).unwrap_or(&mut forgotten);
            x = block.forward(x, &plans, &adapters, past, &self.device);
            if index + 1 < self.blocks.len() {
                inspect(index + 1, &x);
            }
        }
        let x = self.norm.forward(x);
        inspect(self.blocks.len(), &x);
        x
    }

    /// Natural log-probability of every edge of the batch. The batch has been checked.
    pub fn edge_log_probs(&self, batch: &TreeBatch) -> Vec<f32> {
        if batch.is_empty() {
            return Vec::new();
        }
        let hidden = self.hidden_states(batch, 0, &mut [], &mut |_, _| {});
        self.head.edge_log_probs(hidden, batch.edges())
    }

    /// Natural log-probability of the edges that `past` does not have yet. The batch has been checked.
    pub fn continued_log_probs(&self, batch: &TreeBatch, past: &mut KeyValues) -> Vec<f32> {
        let (start, first_edge) = (past.nodes(), past.edges());
        let layers = past.grow(batch, self.blocks.len());
        let hidden = self.hidden_states(batch, start, layers, &mut |_, _| {});
        let edges = batch.edges()[first_edge..].iter();
        let edges: Vec<Edge> =
            edges.map(|edge| Edge { node: edge.node - start as u32, token: edge.token }).collect();
        self.head.edge_log_probs(hidden, &edges)
    }
}
