use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::Softmax;

use super::key_values::LayerKeyValues;
use super::rope::Angles;
use crate::tree::TreeBatch;

/// Attention of token trees on the CPU: every node attends along its own path and touches nothing else.
///
/// For node `i` with path `P(i)` (itself and its ancestors) and every head:
/// `out_i = Σ_{j ∈ P(i)} softmax_j(q_i·k_j / sqrt(head_dim)) · v_j`.
pub struct HostPlan {
    /// Of the nodes that are computed.
    angles: Angles,
    /// Of these and the nodes before them.
    parents: Vec<Option<u32>>,
}

/// Sizes of the heads.
#[derive(Clone, Copy)]
pub struct Heads {
    /// Query heads.
    pub queries: usize,
    /// Key and value heads; divides `queries`.
    pub keys: usize,
    /// Width of a head.
    pub dim: usize,
}

impl HostPlan {
    /// Lays out a batch; the angles are those of its last nodes.
    pub fn new(batch: &TreeBatch, angles: Angles) -> Self {
        Self { angles, parents: batch.parents().to_vec() }
    }

    /// Attends from the nodes that are computed to them and those before them, which `past` holds and
    /// they join.
    ///
    /// # Shapes
    /// `q` and the result `[nodes, queries · dim]`, `k, v: [nodes, keys · dim]`.
    pub fn attend(
        &self,
        mut q: Vec<f32>,
        mut k: Vec<f32>,
        v: Vec<f32>,
        past: &mut LayerKeyValues,
        heads: Heads,
    ) -> Vec<f32> {
        let (q_width, k_width) = (heads.queries * heads.dim, heads.keys * heads.dim);
        let rows = q.par_chunks_exact_mut(q_width).zip(k.par_chunks_exact_mut(k_width));
        rows.enumerate().for_each(|(node, (q, k))| {
            self.angles.turn(node, q);
            self.angles.turn(node, k);
        });
        let before = self.parents.len() - q.len() / q_width;
        past.append(k, v);
        let (keys, values) = (past.keys(), past.values());
        let mut out = vec![0.0; q.len()];
        let rows = out.par_chunks_exact_mut(q_width).zip(q.par_chunks_exact(q_width)).enumerate();
        rows.for_each_init(Scratch::default, |scratch, (node, (out, q))| {
            scratch.walk(&self.parents, before + node);
            scratch.attend(q, keys, values, heads, out);
        });
        out
    }
}

/// Buffers of a thread.
#[derive(Default)]
struct Scratch {
    path: Vec<usize>,
    weights: Vec<f32>,
}

impl Scratch {
    fn walk(&mut self, parents: &[Option<u32>], node: usize) {
        self.path.clear();
        let mut next = Some(node);
        while let Some(node) = next {
            self.path.push(node);
            next = parents[node].map(|parent| parent as usize);
        }
    }

    fn attend(&mut self, q: &[f32], k: &[f32], v: &[f32], heads: Heads, out: &mut [f32]) {
        let Heads { queries, keys, dim } = heads;
        let scale = (dim as f32).sqrt().recip();
        let row = |matrix: &'_ [f32], node: usize, head: usize| {
            let start = (node * keys + head) * dim;
            start..(start + dim).min(matrix.len())
        };
        for (head, (q, out)) in q.chunks_exact(dim).zip(out.chunks_exact_mut(dim)).enumerate() {
            let key_head = head / (queries / keys);
            self.weights.clear();
            self.weights.extend(self.path.iter().map(|&node| scale * dot(q, &k[row(k, node, key_head)])));
            let weights = Softmax::new_mut(&mut self.weights).dispatch();
            for (&node, &weight) in self.path.iter().zip(weights.iter()) {
                let v = &v[row(v, node, key_head)];
                out.iter_mut().zip(v).for_each(|(out, v)| *out += weight * v);
            }
        }
    }
}

/// Dot product in independent lanes, so that the compiler may use vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_lanes.remainder().iter().zip(b_lanes.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; LANES];
    for (a, b) in a_lanes.zip(b_lanes) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}
