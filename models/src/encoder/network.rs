use burn::tensor::Tensor;

use super::Encoder;
use crate::adapter::ScoreHead;
use crate::attention::{Attention, KeyValues};
use crate::backend::Backend;
use crate::device::ComputeDevice;
#[cfg(feature = "training")]
use crate::head::training::HeadPass;
use crate::linear::Linear;
use crate::module_path::ModulePath;
use crate::network::{Inspect, Network, Sizes};
#[cfg(feature = "training")]
use crate::tree::Edge;
use crate::tree::TreeBatch;

impl<B: Backend> Network for Encoder<B> {
    fn device(&self) -> &ComputeDevice {
        &self.device
    }

    fn sizes(&self) -> Sizes {
        let config = &self.config;
        Sizes { d_model: config.d_model, context_len: config.context_len(), vocab_size: config.vocab_size }
    }

    fn is_bidirectional(&self) -> bool {
        true
    }

    fn predicts_tokens(&self) -> bool {
        self.head.is_some()
    }

    fn score_head(&self) -> Option<&ScoreHead> {
        self.score_head.as_ref()
    }

    fn linear_layers(&self) -> Vec<(ModulePath, [usize; 2])> {
        let layers = self.blocks.iter().flat_map(|block| {
            let Attention { query, key, value, output, .. } = &block.attention;
            [query, key, value, output, &block.up, &block.down]
        });
        layers.map(Linear::place).collect()
    }

    fn hidden_states(&self, batch: &TreeBatch, inspect: &mut Inspect<'_>) -> Tensor<2> {
        self.states(self.device.burn(), batch, inspect)
    }

    fn edge_log_probs(&self, batch: &TreeBatch) -> Option<Vec<f32>> {
        let head = self.head.as_ref()?;
        if batch.is_empty() {
            return Some(Vec::new());
        }
        let hidden = self.hidden_states(batch, &mut |_, _| {});
        Some(head.vocabulary().edge_log_probs(head.transform(hidden), batch.edges()))
    }

    fn continued_log_probs(&self, _: &TreeBatch, _: &mut KeyValues) -> Option<Vec<f32>> {
        None
    }

    #[cfg(feature = "training")]
    fn recorded_states(&self, batch: &TreeBatch) -> Tensor<2> {
        let device = self.device.burn().clone().autodiff();
        self.states(&device, batch, &mut |_, _| {})
    }

    /// Encoders are trained by their states.
    #[cfg(feature = "training")]
    fn head_pass(&self, _: Vec<f32>, _: &[Edge]) -> Option<HeadPass<'_>> {
        None
    }
}
