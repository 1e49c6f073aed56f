//! Decoders: Llama, SmolLM2, TinyLlama, Qwen 2 and 3, Gemma 3, GPT-2.

mod config;
mod config_gguf;
mod config_json;
mod export;
mod fingerprint;
mod layout;
mod load;
mod network;
mod plans;

use burn::tensor::{Device, Tensor};

pub use config::{DecoderConfig, Family};
pub use export::export;
pub use load::{load_gguf, load_safetensors};

use crate::adapter_rows::AdapterRows;
use crate::attention::{Attention, LayerKeyValues};
use crate::backend::Backend;
use crate::device::ComputeDevice;
use crate::embedding::Embedding;
use crate::gated::Activation;
use crate::head::Head;
use crate::linear::Linear;
use crate::network::Inspect;
use crate::norm::Norm;
use crate::rms_norm::RmsNorm;
use crate::tree::TreeBatch;
use plans::AttentionPlans;

/// A decoder.
///
/// A block is `x + attention(norm(x))`, then `x + down(act(gate(n)) · up(n))` with `n = norm(x)`; in Gemma 3 what is added to `x`
/// is normalised too, in GPT-2 it is `x + down(act(up(n)))`.
///
/// # Reference
/// Touvron et al. 2023, "LLaMA"; `LlamaForCausalLM`, `Qwen2ForCausalLM`, `Qwen3ForCausalLM`, `Gemma3ForCausalLM` and
/// `GPT2LMHeadModel` of Hugging Face transformers 5.
pub struct Decoder<B: Backend> {
    config: DecoderConfig,
    device: ComputeDevice,
    embedding: Embedding,
    blocks: Vec<Block<B>>,
    norm: Norm<B>,
    head: Head<B>,
}

struct Block<B: Backend> {
    attention_norm: Norm<B>,
    attention: Attention<B>,
    mlp_norm: Norm<B>,
    gate: Option<Linear<B>>,
    up: Linear<B>,
    down: Linear<B>,
    /// Of what attention and feed-forward layer give.
    post_norms: Option<[RmsNorm<B>; 2]>,
    activation: Activation,
    /// Whether nodes see a window only.
    is_local: bool,
}

impl<B: Backend> Block<B> {
    fn forward(
        &self,
        x: Tensor<2>,
        plans: &AttentionPlans<B>,
        adapters: &AdapterRows,
        past: &mut LayerKeyValues,
    ) -> Tensor<2> {
        let normed = self.attention_norm.forward(x.clone());
        let added = self.attention.forward(normed, plans.of(self.is_local), adapters, past);
        let x = self.post_norm(0, added) + x;
        let normed = self.mlp_norm.forward(x.clone());
        let wide = match &self.gate {
            Some(gate) => {
                let [gate, up] = Linear::forward_all([gate, &self.up], normed, adapters);
                B::gated(gate, up, self.activation)
            }
            None => B::activated(self.up.forward(normed, adapters), self.activation),
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

    fn linear_layers(&self) -> impl Iterator<Item = &Linear<B>> {
        let Attention { query, key, value, output, .. } = &self.attention;
        [query, key, value, output].into_iter().chain(&self.gate).chain([&self.up, &self.down])
    }
}

impl<B: Backend> Decoder<B> {
    /// Hidden states of the nodes from the `start`-th on after the final norm.
    ///
    /// `past` holds what the layers keep of the nodes before `start` and, where it has a place for every
    /// layer, of these too afterwards. `inspect` is shown the last states normalised.
    ///
    /// # Shapes
    /// `[nodes, d_model]`, on a GPU with rows behind them that fill up a bucket.
    fn states_from(
        &self,
        device: &Device,
        batch: &TreeBatch,
        start: usize,
        past: &mut [LayerKeyValues],
        inspect: &mut Inspect<'_>,
    ) -> Tensor<2> {
        let batch = &*B::sized(batch, &self.device);
        let plans = AttentionPlans::new(batch, start, &self.config, &self.device);
        let adapters = AdapterRows::new(batch, start);
        let mut x = self.embedding.forward(&batch.tokens()[start..], &batch.depths()[start..], device);
        inspect(0, &x);
        for (index, block) in self.blocks.iter().enumerate() {
            let mut forgotten = LayerKeyValues::default();
            let past = past.get_mut(index).unwrap_or(&mut forgotten);
            x = block.forward(x, &plans, &adapters, past);
            if index + 1 < self.blocks.len() {
                inspect(index + 1, &x);
            }
        }
        let x = self.norm.forward(x);
        inspect(self.blocks.len(), &x);
        x
    }
}
