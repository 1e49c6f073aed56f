use std::sync::Arc;

use burn::tensor::Tensor;
#[cfg(feature = "training")]
use rayon::prelude::*;
#[cfg(feature = "training")]
use rten_simd::SimdOp;

use super::heads::Heads;
use super::host::HostPlan;
#[cfg(feature = "training")]
use super::host::Scratch;
#[cfg(feature = "training")]
use super::kernel::Dots;
use super::key_values::LayerKeyValues;
use crate::gradient::{Derivative, Inputs};
use crate::to_host::to_host;

/// Attends on host memory, see [`HostPlan::attend`]. In training what the way back needs is kept.
pub fn attend(
    plan: &Arc<HostPlan>,
    qkv: [Tensor<2>; 3],
    past: &mut LayerKeyValues,
    heads: Heads,
) -> Tensor<2> {
    let inputs = Inputs::of(qkv.each_ref());
    let (shape, device) = (qkv[0].dims(), qkv[0].device());
    let [mut q, k, v] = qkv.map(to_host);
    let mixed = plan.attend(&mut q, k, v, past, heads);
    let kept = || Attended::new(plan.clone(), q, std::mem::take(past), heads);
    inputs.finish(mixed, shape, &device, kept)
}

/// What the way back needs of the attention of token trees on the CPU.
///
/// With the weights `w_ij` of node `i` on node `j` that it sees and the gradient `g_i` of its output:
/// `∂L/∂v_j += w_ij g_i`; `∂L/∂s_ij = w_ij (g_i·v_j − Σ_l w_il g_i·v_l)`; and with the scale `c`
/// `∂L/∂q_i += c ∂L/∂s_ij k_j`, `∂L/∂k_j += c ∂L/∂s_ij q_i`, turned back by their angles.
#[derive(Clone)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
struct Attended {
    plan: Arc<HostPlan>,
    /// Turned, `[nodes, queries · dim]`.
    q: Arc<Vec<f32>>,
    /// Turned, `[nodes, keys · dim]`.
    k: Arc<Vec<f32>>,
    /// `[nodes, keys · dim]`
    v: Arc<Vec<f32>>,
    heads: Heads,
}

impl Attended {
    /// Of a batch that was computed whole.
    fn new(plan: Arc<HostPlan>, q: Vec<f32>, past: LayerKeyValues, heads: Heads) -> Self {
        let (k, v) = past.into_parts();
        Self { plan, q: q.into(), k: k.into(), v: v.into(), heads }
    }
}

impl std::fmt::Debug for Attended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attended").field("heads", &self.heads).finish_non_exhaustive()
    }
}

/// Gradients of a key head and of the query heads that share it, each `[nodes, heads of it, dim]`.
#[cfg(feature = "training")]
struct HeadGradients {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
}

#[cfg(feature = "training")]
impl Attended {
    fn of_head(&self, key_head: usize, output: &[f32]) -> HeadGradients {
        let Heads { queries, dim, .. } = self.heads;
        let (nodes, shared) = (output.len() / (queries * dim), self.heads.shared());
        let scale = self.heads.scale;
        let mut gradients = HeadGradients {
            q: vec![0.0; nodes * shared * dim],
            k: vec![0.0; nodes * dim],
            v: vec![0.0; nodes * dim],
        };
        let mut scratch = Scratch::default();
        let mut falls = Vec::new();
        for node in 0..nodes {
            self.plan.seen.collect(node, &mut scratch.seen);
            for head in 0..shared {
                let start = (node * queries + key_head * shared + head) * dim;
                let (q, output) = (&self.q[start..start + dim], &output[start..start + dim]);
                scratch.weigh(q, &self.k, self.heads, key_head);
                let key = |node| self.heads.key(node, key_head);
                falls.clear();
                let rows = scratch.seen.iter().map(|&node| key(node));
                Dots { q: output, matrix: &self.v, rows, scale: 1.0, out: &mut falls }.dispatch();
                let mean: f32 = scratch.weights.iter().zip(&falls).map(|(weight, fall)| weight * fall).sum();
                let start = (node * shared + head) * dim;
                let of_q = &mut gradients.q[start..start + dim];
                let seen = scratch.seen.iter().zip(&scratch.weights).zip(&falls);
                for ((&node, weight), fall) in seen {
                    let score = scale * weight * (fall - mean);
                    let place = node * dim..(node + 1) * dim;
                    add_scaled(&mut gradients.v[place.clone()], *weight, output);
                    add_scaled(&mut gradients.k[place], score, q);
                    add_scaled(of_q, score, &self.k[key(node)]);
                }
            }
        }
        gradients
    }
}

#[cfg(feature = "training")]
fn add_scaled(sum: &mut [f32], factor: f32, values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
}

impl Derivative<3> for Attended {
    #[cfg(feature = "training")]
    fn gradients(&self, output: Vec<f32>) -> [Vec<f32>; 3] {
        let Heads { queries, keys, dim, .. } = self.heads;
        let heads: Vec<HeadGradients> =
            (0..keys).into_par_iter().map(|head| self.of_head(head, &output)).collect();
        // From one head after the other to one node after the other.
        let by_node = |part: fn(&HeadGradients) -> &[f32], width: usize, is_key_or_query: bool| {
            let mut rows = vec![0.0; output.len() / queries * keys / dim * width];
            rows.par_chunks_exact_mut(keys * width).enumerate().for_each(|(node, row)| {
                for (head, row) in heads.iter().zip(row.chunks_exact_mut(width)) {
                    row.copy_from_slice(&part(head)[node * width..(node + 1) * width]);
                }
                if let Some(angles) = self.plan.angles.as_ref().filter(|_| is_key_or_query) {
                    angles.turn_back(node, row);
                }
            });
            rows
        };
        [
            by_node(|head| &head.q, self.heads.shared() * dim, true),
            by_node(|head| &head.k, dim, true),
            by_node(|head| &head.v, dim, false),
        ]
    }
}
