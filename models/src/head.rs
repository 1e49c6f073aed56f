use burn::tensor::{Int, Tensor, TensorData};
use rayon::prelude::*;
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_vecmath::{Exp, MaxNum, Sum};

use crate::device::ComputeDevice;
use crate::linear::{HostMatrix, to_host};
use crate::tree::Edge;
use crate::weights::RawTensor;

/// Vocabulary rows that are multiplied at a time: bounds the logits in memory.
const VOCAB_CHUNK: usize = 4096;

/// Nodes that are multiplied at a time.
const NODE_CHUNK: usize = 512;

/// Vocabulary head: log-probabilities of the edges that are asked for, and of no others.
///
/// `ln p(t | node) = h·w_t − ln Σ_v exp(h·w_v)`. The vocabulary is walked in chunks with a running
/// maximum `m` and sum `s` of `exp(logit − m)`, so a `[nodes, vocabulary]` matrix never exists.
pub struct Head {
    storage: Storage,
}

enum Storage {
    /// Chunks of `Wᵀ: [d_model, chunk]`, and `W: [vocab, d_model]` in the same chunks for the edges.
    Tensor(Vec<Tensor<2>>),
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
                .map(|start| HostMatrix::new(tensor, len(start), |row| start + row, device.precision()));
            Storage::Host(chunks.collect())
        } else {
            let upload = |start: usize| {
                let rows = tensor.rows_f32(start..start + len(start));
                Tensor::<2>::from_data(TensorData::new(rows, [len(start), d_model]), device.burn())
            };
            Storage::Tensor(starts.into_iter().map(upload).collect())
        };
        Self { storage }
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
            Storage::Host(chunks) => on_host(chunks, hidden, edges),
            Storage::Tensor(chunks) => on_device(chunks, hidden, edges),
        }
    }
}

/// What is known of a node after some chunks of the vocabulary.
struct Row {
    max: f32,
    sum: f32,
    /// Indices into the edges, with their tokens.
    edges: Vec<(usize, u32)>,
    logits: Vec<f32>,
}

impl Row {
    /// Overwrites `logits`.
    fn add_chunk(&mut self, start: usize, logits: &mut [f32]) {
        for (slot, (_, token)) in self.logits.iter_mut().zip(&self.edges) {
            if let Some(logit) = (*token as usize).checked_sub(start).and_then(|at| logits.get(at)) {
                *slot = *logit;
            }
        }
        let max = MaxNum::new(logits).dispatch().max(self.max);
        logits.iter_mut().for_each(|logit| *logit -= max);
        Exp {}.map_mut(logits);
        self.sum = self.sum * (self.max - max).exp() + Sum::new(logits).dispatch();
        self.max = max;
    }
}

fn on_host(chunks: &[HostMatrix], hidden: Tensor<2>, edges: &[Edge]) -> Vec<f32> {
    let [nodes, d_model] = hidden.dims();
    let hidden = to_host(hidden);
    let mut rows: Vec<Row> = (0..nodes)
        .map(|_| Row { max: f32::NEG_INFINITY, sum: 0.0, edges: Vec::new(), logits: Vec::new() })
        .collect();
    for (index, edge) in edges.iter().enumerate() {
        let row = &mut rows[edge.node as usize];
        row.edges.push((index, edge.token));
        row.logits.push(f32::NAN);
    }
    let mut logits = vec![0.0; NODE_CHUNK.min(nodes) * VOCAB_CHUNK];
    let inputs = HostMatrix::rows(chunks, &hidden, d_model);
    for (number, rows) in rows.chunks_mut(NODE_CHUNK).enumerate() {
        let first = number * NODE_CHUNK;
        let mut start = 0;
        for chunk in chunks {
            let width = chunk.outputs();
            let logits = &mut logits[..rows.len() * width];
            chunk.multiply_into(&inputs, first..first + rows.len(), logits);
            rows.par_iter_mut()
                .zip(logits.par_chunks_exact_mut(width))
                .for_each(|(row, logits)| row.add_chunk(start, logits));
            start += width;
        }
    }
    let mut log_probs = vec![0.0; edges.len()];
    for row in rows {
        let log_sum = row.max + row.sum.ln();
        for ((index, _), logit) in row.edges.iter().zip(row.logits) {
            log_probs[*index] = logit - log_sum;
        }
    }
    log_probs
}

fn on_device(chunks: &[Tensor<2>], hidden: Tensor<2>, edges: &[Edge]) -> Vec<f32> {
    let device = hidden.device();
    let [nodes, d_model] = hidden.dims();
    let mut log_sums = Vec::with_capacity(nodes);
    for start in (0..nodes).step_by(NODE_CHUNK) {
        let part = hidden.clone().slice([start..(start + NODE_CHUNK).min(nodes), 0..d_model]);
        log_sums.extend(log_sum_exp(chunks, part));
    }
    // The logit of an edge is one dot product: h_node · w_token, chunk by chunk of the vocabulary.
    let mut log_probs = vec![0.0; edges.len()];
    for (number, chunk) in chunks.iter().enumerate() {
        let start = (number * VOCAB_CHUNK) as u32;
        let inside: Vec<usize> = (0..edges.len())
            .filter(|&edge| edges[edge].token / VOCAB_CHUNK as u32 == number as u32)
            .collect();
        if inside.is_empty() {
            continue;
        }
        let ints = |values: Vec<i32>| {
            let len = values.len();
            Tensor::<1, Int>::from_data(TensorData::new(values, [len]), &device)
        };
        let nodes = ints(inside.iter().map(|&edge| edges[edge].node as i32).collect());
        let tokens = ints(inside.iter().map(|&edge| (edges[edge].token - start) as i32).collect());
        let logits = (hidden.clone().select(0, nodes) * chunk.clone().select(0, tokens)).sum_dim(1);
        for (&edge, logit) in inside.iter().zip(to_host(logits)) {
            log_probs[edge] = logit - log_sums[edges[edge].node as usize];
        }
    }
    log_probs
}

fn log_sum_exp(chunks: &[Tensor<2>], hidden: Tensor<2>) -> Vec<f32> {
    let mut running: Option<(Tensor<2>, Tensor<2>)> = None;
    for chunk in chunks {
        let logits = hidden.clone().matmul(chunk.clone().transpose());
        let max = logits.clone().max_dim(1);
        let max = match &running {
            Some((previous, _)) => max.max_pair(previous.clone()),
            None => max,
        };
        let sum = (logits - max.clone()).exp().sum_dim(1);
        let sum = match running {
            Some((previous, total)) => sum + total * (previous - max.clone()).exp(),
            None => sum,
        };
        running = Some((max, sum));
    }
    running.map_or_else(Vec::new, |(max, sum)| to_host(max + sum.log()))
}
