//! The head in training: log-probabilities of edges, and how their gradient becomes that of the hidden states.

use std::sync::Arc;

use rayon::prelude::*;
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_vecmath::{Exp, MaxNum, Sum};

use super::chunk::VOCAB_CHUNK;
use crate::linear::HostMatrix;
use crate::tree::Edge;

/// A pass through the head that keeps its logits, one vocabulary chunk after the other: `[nodes, vocabulary]` numbers,
/// 47 MB for 240 nodes of SmolLM2.
pub struct HeadPass<'a> {
    chunks: &'a [Arc<HostMatrix>],
    edges: Vec<Edge>,
    d_model: usize,
    /// Of every chunk, `[nodes, width]`.
    logits: Vec<Vec<f32>>,
    /// `ln Σ_v exp(logit)` of every node.
    log_sums: Vec<f32>,
    log_probs: Vec<f32>,
}

impl<'a> HeadPass<'a> {
    /// `hidden: [nodes, d_model]`
    pub fn new(
        chunks: &'a [Arc<HostMatrix>],
        bias: Option<&[Arc<[f32]>]>,
        hidden: Vec<f32>,
        edges: &[Edge],
    ) -> Self {
        let d_model = chunks.first().map_or(1, |chunk| chunk.inputs());
        let nodes = hidden.len() / d_model;
        let rows = HostMatrix::rows(chunks.iter().map(|chunk| &**chunk), &hidden, d_model);
        let logits = chunks.iter().enumerate().map(|(place, chunk)| {
            let mut logits = vec![0.0; nodes * chunk.outputs()];
            chunk.multiply_into(&rows, 0..nodes, &mut logits);
            if let Some(bias) = bias.map(|bias| &bias[place]) {
                let rows = logits.chunks_exact_mut(bias.len());
                rows.for_each(|row| row.iter_mut().zip(&**bias).for_each(|(logit, bias)| *logit += bias));
            }
            logits
        });
        let logits: Vec<Vec<f32>> = logits.collect();
        let row = |chunk: usize, node: usize| {
            let width = chunks[chunk].outputs();
            &logits[chunk][node * width..(node + 1) * width]
        };
        let log_sum = |exps: &mut Vec<f32>, node: usize| {
            let largest = (0..chunks.len()).map(|chunk| MaxNum::new(row(chunk, node)).dispatch());
            let max = largest.fold(f32::NEG_INFINITY, f32::max);
            let sums = (0..chunks.len()).map(|chunk| {
                exps.clear();
                exps.extend(row(chunk, node).iter().map(|logit| logit - max));
                Exp {}.map_mut(exps);
                Sum::new(exps).dispatch()
            });
            max + sums.sum::<f32>().ln()
        };
        let log_sums: Vec<f32> = (0..nodes).into_par_iter().map_init(Vec::new, log_sum).collect();
        let log_prob = |edge: &Edge| {
            let (node, token) = (edge.node as usize, edge.token as usize);
            row(token / VOCAB_CHUNK, node)[token % VOCAB_CHUNK] - log_sums[node]
        };
        let log_probs = edges.iter().map(log_prob).collect();
        Self { chunks, edges: edges.to_vec(), d_model, logits, log_sums, log_probs }
    }

    /// Natural log-probability of every edge.
    pub fn log_probs(&self) -> &[f32] {
        &self.log_probs
    }

    /// The gradient of the hidden states, `[nodes, d_model]`, from that of every log-probability.
    ///
    /// For node `n` with edges `e` to tokens `t_e` and gradients `g_e`:
    /// `∂L/∂h_n = Σ_e g_e · w_{t_e} − (Σ_e g_e) · Σ_v p_n(v) · w_v`.
    pub fn gradient(self, gradients: &[f32]) -> Vec<f32> {
        let nodes = self.log_sums.len();
        let mut totals = vec![0.0; nodes];
        let mut picked: Vec<Vec<(usize, f32)>> = vec![Vec::new(); self.chunks.len()];
        for (edge, &gradient) in self.edges.iter().zip(gradients) {
            let (node, token) = (edge.node as usize, edge.token as usize);
            totals[node] += gradient;
            let chunk = token / VOCAB_CHUNK;
            let place = node * self.chunks[chunk].outputs() + token % VOCAB_CHUNK;
            picked[chunk].push((place, gradient));
        }
        let mut hidden = vec![0.0; nodes * self.d_model];
        for ((chunk, mut logits), picked) in self.chunks.iter().zip(self.logits).zip(picked) {
            let rows = logits.par_chunks_exact_mut(chunk.outputs());
            rows.zip(&totals).zip(&self.log_sums).for_each(|((row, total), log_sum)| {
                row.iter_mut().for_each(|logit| *logit -= log_sum);
                Exp {}.map_mut(row);
                row.iter_mut().for_each(|probability| *probability *= -total);
            });
            picked.into_iter().for_each(|(place, gradient)| logits[place] += gradient);
            let part = chunk.multiply_back(&logits);
            hidden.iter_mut().zip(part).for_each(|(hidden, part)| *hidden += part);
        }
        hidden
    }
}
