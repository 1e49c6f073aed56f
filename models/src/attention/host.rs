use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::Softmax;

use super::heads::Heads;
use super::kernel::{Dots, Mix};
use super::key_values::LayerKeyValues;
use super::mask::{AttentionMask, Seen};
use super::rope::Angles;
use crate::tree::TreeBatch;

/// Attention of token trees on the CPU: every node attends to what it sees and touches nothing else.
///
/// For node `i` that sees `P(i)`, its own path or its tree, and every head:
/// `out_i = Σ_{j ∈ P(i)} softmax_j(scale · q_i·k_j) · v_j`.
pub struct HostPlan {
    /// Of the nodes that are computed, where positions are turned in.
    pub(super) angles: Option<Angles>,
    /// Of these and the nodes before them.
    pub(super) seen: Seen,
}

impl HostPlan {
    /// Lays out a batch; the angles are those of its last nodes.
    pub fn new(batch: &TreeBatch, angles: Option<Angles>, mask: AttentionMask) -> Self {
        Self { angles, seen: Seen::new(batch, mask) }
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
        if let Some(angles) = &self.angles {
            let rows = q.par_chunks_exact_mut(q_width).zip(k.par_chunks_exact_mut(k_width));
            rows.enumerate().for_each(|(node, (q, k))| {
                angles.turn(node, q);
                angles.turn(node, k);
            });
        }
        let before = self.seen.len() - q.len() / q_width;
        past.append(k, v);
        let (keys, values) = (past.keys(), past.values());
        let mut out = vec![0.0; q.len()];
        let rows = out.par_chunks_exact_mut(q_width).zip(q.par_chunks_exact(q_width)).enumerate();
        rows.for_each_init(Scratch::default, |scratch, (node, (out, q))| {
            self.seen.collect(before + node, &mut scratch.seen);
            scratch.attend(q, keys, values, heads, out);
        });
        out
    }
}

/// Buffers of a thread.
#[derive(Default)]
pub(super) struct Scratch {
    /// What a node sees.
    pub seen: Vec<usize>,
    /// The weight of each of them.
    pub weights: Vec<f32>,
}

impl Scratch {
    /// The weights of one query head for all that is seen: `softmax(scale · q·k)`.
    pub fn weigh(&mut self, q: &[f32], k: &[f32], heads: Heads, key_head: usize) {
        self.weights.clear();
        let rows = self.seen.iter().map(|&node| heads.key(node, key_head));
        Dots { q, matrix: k, rows, scale: heads.scale, out: &mut self.weights }.dispatch();
        Softmax::new_mut(&mut self.weights).dispatch();
    }

    fn attend(&mut self, q: &[f32], k: &[f32], v: &[f32], heads: Heads, out: &mut [f32]) {
        for (head, (q, out)) in q.chunks_exact(heads.dim).zip(out.chunks_exact_mut(heads.dim)).enumerate() {
            let key_head = head / heads.shared();
            self.weigh(q, k, heads, key_head);
            let rows = self.seen.iter().map(|&node| heads.key(node, key_head));
            Mix { weights: &self.weights, matrix: v, rows, out }.dispatch();
        }
    }
}
