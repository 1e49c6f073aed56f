//! The vocabulary head.

mod device;
mod fold;
mod host;
#[cfg(all(feature = "cubecl", not(feature = "fusion")))]
mod kernel;
#[cfg(feature = "training")]
mod training;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::device::ComputeDevice;
use crate::linear::{DeviceMatrix, HostMatrix};
use crate::tree::Edge;
use crate::weights::RawTensor;
#[cfg(feature = "training")]
pub use training::HeadPass;

/// Vocabulary rows that are multiplied at a time: bounds the logits in memory.
const VOCAB_CHUNK: usize = 4096;

/// Vocabulary head: log-probabilities of the edges that are asked for, and of no others.
///
/// `ln p(t | node) = h·w_t + b_t − ln Σ_v exp(h·w_v + b_v)`, where `b` is 0 but for masked language models. The vocabulary is walked in chunks with a running
/// maximum `m` and sum `s` of `exp(logit − m)`, so a `[nodes, vocabulary]` matrix never exists.
pub struct Head {
    storage: Storage,
    bias: Option<Bias>,
}

/// What is added to the logits, chunk by chunk.
enum Bias {
    Host(Vec<Vec<f32>>),
    /// Each `[1, width]`.
    Device(Vec<Tensor<2>>),
}

enum Storage {
    Device(Vec<DeviceMatrix>),
    Host(Vec<HostMatrix>),
}

impl Head {
    /// Takes over `tensor: [vocab, d_model]`.
    pub fn new(tensor: &RawTensor, device: &ComputeDevice) -> Self {
        let [vocab_size, d_model] = [tensor.shape[0], tensor.shape[1]];
        let starts: Vec<usize> = (0..vocab_size).step_by(VOCAB_CHUNK).collect();
        let len = |start: usize| VOCAB_CHUNK.min(vocab_size - start);
        let storage = if device.is_cpu() {
            let chunks = starts
                .into_par_iter()
                .map(|start| HostMatrix::new(tensor, len(start), |row| start + row, device));
            Storage::Host(chunks.collect())
        } else {
            let upload = |start: usize| {
                let rows = tensor.rows_f32(start..start + len(start));
                DeviceMatrix::new(rows, [len(start), d_model], device)
            };
            Storage::Device(starts.into_iter().map(upload).collect())
        };
        Self { storage, bias: None }
    }

    /// With a bias `[vocab]`.
    pub fn with_bias(self, bias: &[f32], device: &ComputeDevice) -> Self {
        let chunks = bias.chunks(VOCAB_CHUNK);
        let bias = match self.storage {
            Storage::Host(_) => Bias::Host(chunks.map(<[f32]>::to_vec).collect()),
            Storage::Device(_) => {
                let upload = |chunk: &[f32]| {
                    let data = TensorData::new(chunk.to_vec(), [1, chunk.len()]);
                    Tensor::from_data(data, device.burn())
                };
                Bias::Device(chunks.map(upload).collect())
            }
        };
        Self { bias: Some(bias), ..self }
    }

    fn host_bias(&self) -> Option<&[Vec<f32>]> {
        match &self.bias {
            Some(Bias::Host(chunks)) => Some(chunks),
            _ => None,
        }
    }

    /// The same log-probabilities with all that their gradient needs.
    ///
    /// # Panics
    /// A head that was not loaded for training.
    #[cfg(feature = "training")]
    pub fn training(&self, hidden: Vec<f32>, edges: &[Edge]) -> HeadPass<'_> {
        let Storage::Host(chunks) = &self.storage else { unreachable!("training runs on the CPU") };
        HeadPass::new(chunks, self.host_bias(), hidden, edges)
    }

    /// Natural log-probability of every edge, in the order of `edges`.
    ///
    /// # Shapes
    /// `hidden: [nodes, d_model]`, the output of the final norm.
    pub fn edge_log_probs(&self, hidden: Tensor<2>, edges: &[Edge]) -> Vec<f32> {
        if edges.is_empty() {
            return Vec::new();
        }
        match &self.storage {
            Storage::Host(chunks) => host::edge_log_probs(chunks, self.host_bias(), hidden, edges),
            Storage::Device(chunks) => {
                let bias = match &self.bias {
                    Some(Bias::Device(bias)) => Some(&bias[..]),
                    _ => None,
                };
                device::edge_log_probs(chunks, bias, hidden, edges)
            }
        }
    }
}
