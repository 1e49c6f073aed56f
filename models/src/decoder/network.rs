use burn::tensor::Tensor;

use super::Decoder;
use crate::adapter::ScoreHead;
use crate::attention::KeyValues;
use crate::backend::Backend;
use crate::device::ComputeDevice;
#[cfg(feature = "training")]
use crate::head::training::HeadPass;
use crate::linear::Linear;
use crate::module_path::ModulePath;
use crate::network::{Inspect, Network, Sizes};
use crate::tree::{Edge, TreeBatch};

impl<B: Backend> Network for Decoder<B> {
    fn device(&self) -> &ComputeDevice {
        &self.device
    }

    fn sizes(&self) -> Sizes {
        let config = &self.config;
        Sizes { d_model: config.d_model, context_len: config.context_len, vocab_size: config.vocab_size }
    }

    fn is_bidirectional(&self) -> bool {
        false
    }

    fn predicts_tokens(&self) -> bool {
        true
    }

    fn score_head(&self) -> Option<&ScoreHead> {
        None
    }

    fn linear_layers(&self) -> Vec<(ModulePath, [usize; 2])> {
        self.blocks.iter().flat_map(|block| block.linear_layers().map(Linear::place)).collect()
    }

    fn hidden_states(&self, batch: &TreeBatch, inspect: &mut Inspect<'_>) -> Tensor<2> {
        self.states_from(self.device.burn(), batch, 0, &mut [], inspect)
    }

    fn edge_log_probs(&self, batch: &TreeBatch) -> Option<Vec<f32>> {
        if batch.is_empty() {
            return Some(Vec::new());
        }
        let hidden = self.hidden_states(batch, &mut |_, _| {});
        Some(self.head.edge_log_probs(hidden, batch.edges()))
    }

    fn continued_log_probs(&self, batch: &TreeBatch, past: &mut KeyValues) -> Option<Vec<f32>> {
        let (start, first_edge) = (past.nodes(), past.edges());
        let layers = past.grow(batch, self.blocks.len());
        let hidden = self.states_from(self.device.burn(), batch, start, layers, &mut |_, _| {});
        let edges = batch.edges()[first_edge..].iter();
        let edges: Vec<Edge> =
            edges.map(|edge| Edge { node: edge.node - start as u32, token: edge.token }).collect();
        Some(self.head.edge_log_probs(hidden, &edges))
    }

    #[cfg(feature = "training")]
    fn recorded_states(&self, batch: &TreeBatch) -> Tensor<2> {
        let device = self.device.burn().clone().autodiff();
        self.states_from(&device, batch, 0, &mut [], &mut |_, _| {})
    }

    #[cfg(feature = "training")]
    fn head_pass(&self, hidden: Vec<f32>, edges: &[Edge]) -> Option<HeadPass<'_>> {
        self.head.training(hidden, edges)
    }
}
