use std::ops::Range;

use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::Softmax;

use super::key_values::LayerKeyValues;
use super::rope::Angles;
use crate::tree::TreeBatch;

/// Attention of token trees on the CPU: every node attends along its own path and touches nothing else.
///
/// For node `i` with path `P(i)` (itself and its ancestors, as far as it sees) and every head:
/// `out_i = Σ_{j ∈ P(i)} softmax_j(scale · q_i·k_j) · v_j`.
pub struct HostPlan {
    /// Of the nodes that are computed.
    pub(super) angles: Angles,
    /// Of these and the nodes before them.
    pub(super) parents: Vec<Option<u32>>,
    /// Nodes of a path that are seen, the last ones.
    pub(super) window: usize,
}

/// Sizes of the heads.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Query heads.
    pub queries: usize,
    /// Key and value heads; divides `queries`.
    pub keys: usize,
    /// Width of a head.
    pub dim: usize,
    /// Factor of the products of queries and keys.
    pub scale: f32,
}

impl Heads {
    /// Query heads that share a key head.
    pub fn shared(self) -> usize {
        self.queries / self.keys
    }

    /// Where the keys of a node lie.
    pub fn key(self, node: usize, head: usize) -> Range<usize> {
        let start = (node * self.keys + head) * self.dim;
        start..start + self.dim
    }
}

impl HostPlan {
    /// Lays out a batch; the angles are those of its last nodes. A node sees the last `window` nodes of its path, itself included.
    pub fn new(batch: &TreeBatch, angles: Angles, window: usize) -> Self {
        Self { angles, parents: batch.parents().to_vec(), window }
    }

    /// Attends from the nodes that are computed to them and those before them, which `past` holds and
    /// they join. Turns `q` by its angles.
    ///
    /// # Shapes
    /// `q` and the result `[nodes, queries · dim]`, `k, v: [nodes, keys · dim]`.
    pub fn attend(
        &self,
        q: &mut [f32],
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
            scratch.walk(&self.parents, before + node, self.window);
            scratch.attend(q, keys, values, heads, out);
        });
        out
    }
}

/// Buffers of a thread.
#[derive(Default)]
pub(super) struct Scratch {
    /// A node and its ancestors.
    pub path: Vec<usize>,
    /// The weight of each of them.
    pub weights: Vec<f32>,
}

impl Scratch {
    /// Puts a node and its ancestors on the path, `window` nodes at most.
    pub fn walk(&mut self, parents: &[Option<u32>], node: usize, window: usize) {
        self.path.clear();
        let mut next = Some(node);
        while let Some(node) = next.filter(|_| self.path.len() < window) {
            self.path.push(node);
            next = parents[node].map(|parent| parent as usize);
        }
    }

    /// The weights of one query head along the path: `softmax(scale · q·k)`.
    pub fn weigh(&mut self, q: &[f32], k: &[f32], heads: Heads, key_head: usize) {
        self.weights.clear();
        let scores = self.path.iter().map(|&node| heads.scale * dot(q, &k[heads.key(node, key_head)]));
        self.weights.extend(scores);
        Softmax::new_mut(&mut self.weights).dispatch();
    }

    fn attend(&mut self, q: &[f32], k: &[f32], v: &[f32], heads: Heads, out: &mut [f32]) {
        for (head, (q, out)) in q.chunks_exact(heads.dim).zip(out.chunks_exact_mut(heads.dim)).enumerate() {
            let key_head = head / heads.shared();
            self.weigh(q, k, heads, key_head);
            for (&node, &weight) in self.path.iter().zip(&self.weights) {
                let v = &v[heads.key(node, key_head)];
                out.iter_mut().zip(v).for_each(|(out, v)| *out += weight * v);
            }
        }
    }
}

/// Dot product in independent lanes, so that the compiler may use vectors.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
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
