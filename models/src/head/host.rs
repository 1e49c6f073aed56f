use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_vecmath::{Exp, MaxNum, Sum};

use super::chunk::VOCAB_CHUNK;
use crate::linear::HostMatrix;
use crate::to_host::to_host;
use crate::tree::Edge;

/// Nodes that are multiplied at a time.
const NODE_CHUNK: usize = 512;

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

/// The head on the CPU.
pub fn edge_log_probs(
    chunks: &[Arc<HostMatrix>],
    bias: Option<&[Arc<[f32]>]>,
    hidden: Tensor<2>,
    edges: &[Edge],
) -> Vec<f32> {
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
    let inputs = HostMatrix::rows(chunks.iter().map(|chunk| &**chunk), &hidden, d_model);
    for (number, rows) in rows.chunks_mut(NODE_CHUNK).enumerate() {
        let first = number * NODE_CHUNK;
        let mut start = 0;
        for (place, chunk) in chunks.iter().enumerate() {
            let bias = bias.map(|bias| &bias[place]);
            let width = chunk.outputs();
            let logits = &mut logits[..rows.len() * width];
            chunk.multiply_into(&inputs, first..first + rows.len(), logits);
            rows.par_iter_mut().zip(logits.par_chunks_exact_mut(width)).for_each(|(row, logits)| {
                if let Some(bias) = bias {
                    logits.iter_mut().zip(&**bias).for_each(|(logit, bias)| *logit += bias);
                }
                row.add_chunk(start, logits);
            });
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
