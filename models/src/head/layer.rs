use burn::tensor::Tensor;
use rayon::prelude::*;

use super::chunk::VOCAB_CHUNK;
#[cfg(feature = "training")]
use super::training::HeadPass;
use crate::backend::Backend;
use crate::device::ComputeDevice;
use crate::tree::Edge;
use crate::weights::RawTensor;

/// Vocabulary head: log-probabilities of the edges that are asked for, and of no others.
///
/// `ln p(t | node) = h·w_t + b_t − ln Σ_v exp(h·w_v + b_v)`, where `b` is 0 but for masked language models. The vocabulary is walked in chunks with a running
/// maximum `m` and sum `s` of `exp(logit − m)`, so a `[nodes, vocabulary]` matrix never exists.
pub struct Head<B: Backend> {
    chunks: Vec<B::Matrix>,
    bias: Option<Vec<B::Vector>>,
}

impl<B: Backend> Head<B> {
    /// Takes over `tensor: [vocab, d_model]`.
    pub fn new(tensor: &RawTensor, device: &ComputeDevice) -> Self {
        let vocab_size = tensor.shape[0];
        let starts: Vec<usize> = (0..vocab_size).step_by(VOCAB_CHUNK).collect();
        let chunks = starts.into_par_iter().map(|start| {
            let len = VOCAB_CHUNK.min(vocab_size - start);
            B::matrix(tensor, len, |row| start + row, device)
        });
        Self { chunks: chunks.collect(), bias: None }
    }

    /// With a bias `[vocab]`.
    pub fn with_bias(self, bias: &[f32], device: &ComputeDevice) -> Self {
        let chunks = bias.chunks(VOCAB_CHUNK).map(|chunk| B::vector(chunk.to_vec(), device));
        Self { bias: Some(chunks.collect()), ..self }
    }

    /// Log-probabilities of edges with all that their gradient needs; `None` on a backend that doesn't train.
    ///
    /// # Panics
    /// A head that was not loaded for training.
    #[cfg(feature = "training")]
    pub fn training(&self, hidden: Vec<f32>, edges: &[Edge]) -> Option<HeadPass<'_>> {
        B::head_pass(&self.chunks, self.bias.as_deref(), hidden, edges)
    }

    /// Natural log-probability of every edge, in the order of `edges`.
    ///
    /// # Shapes
    /// `hidden: [nodes, d_model]`, the output of the final norm.
    pub fn edge_log_probs(&self, hidden: Tensor<2>, edges: &[Edge]) -> Vec<f32> {
        if edges.is_empty() {
            return Vec::new();
        }
        B::edge_log_probs(&self.chunks, self.bias.as_deref(), hidden, edges)
    }
}
