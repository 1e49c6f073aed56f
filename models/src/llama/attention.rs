use std::ops::Range;

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};

use super::config::LlamaConfig;
use super::rope::Rope;
use crate::device::ComputeDevice;
use crate::linear::Linear;
use crate::tree::TreeBatch;

/// Rows of a tree that are attended at a time: bounds the scores in memory.
const ROW_CHUNK: usize = 512;

/// What every layer's attention needs to know of a batch: who sees whom, and the angles.
pub struct AttentionPlan {
    rope: Rope,
    chunks: Vec<Chunk>,
}

/// Some rows of a tree with everything they may see.
struct Chunk {
    rows: Range<usize>,
    keys: Range<usize>,
    /// `[1, 1, rows, keys]`
    bias: Tensor<4>,
}

impl AttentionPlan {
    /// Lays out the trees of `batch`.
    pub fn new(batch: &TreeBatch, config: &LlamaConfig, device: &ComputeDevice) -> Self {
        let mut chunks = Vec::new();
        for tree in batch.trees() {
            for start in (0..tree.len()).step_by(ROW_CHUNK) {
                let rows = start..(start + ROW_CHUNK).min(tree.len());
                let shape = [1, 1, rows.len(), rows.end];
                let bias = TensorData::new(batch.attention_bias(tree, rows.clone()), shape);
                chunks.push(Chunk {
                    keys: tree.start..tree.start + rows.end,
                    rows: tree.start + rows.start..tree.start + rows.end,
                    bias: Tensor::from_data(bias, device.burn()),
                });
            }
        }
        Self { rope: Rope::new(batch.depths(), config.head_dim, config.rope_theta, device), chunks }
    }
}

/// Grouped-query self-attention of token trees.
///
/// `softmax(q·kᵀ / sqrt(head_dim) + bias) · v`, projections on all nodes at once, the rest tree by
/// tree, so that the cost is linear in the number of trees.
pub struct Attention {
    /// Query projection `[heads·head_dim, d_model]`.
    pub query: Linear,
    /// Key projection `[kv_heads·head_dim, d_model]`.
    pub key: Linear,
    /// Value projection `[kv_heads·head_dim, d_model]`.
    pub value: Linear,
    /// Output projection `[d_model, heads·head_dim]`.
    pub output: Linear,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
}

impl Attention {
    /// # Shapes
    /// `x` and the result: `[nodes, d_model]`.
    pub fn forward(&self, x: Tensor<2>, plan: &AttentionPlan) -> Tensor<2> {
        let [nodes, _] = x.dims();
        let (groups, kv_heads) = (self.heads / self.kv_heads, self.kv_heads);
        let [q, k, v] = Linear::forward_all([&self.query, &self.key, &self.value], x);
        let head_dim = k.dims()[1] / kv_heads;
        let scale = (head_dim as f64).sqrt().recip();
        // [kv_heads, nodes, head_dim], the queries [kv_heads, groups, nodes, head_dim]
        let q = plan.rope.apply(q.reshape([nodes, self.heads, head_dim])) * scale;
        let q = q.reshape([nodes, kv_heads, groups, head_dim]).permute([1, 2, 0, 3]);
        let k = plan.rope.apply(k.reshape([nodes, kv_heads, head_dim])).permute([1, 2, 0]);
        let v = v.reshape([nodes, kv_heads, head_dim]).swap_dims(0, 1);
        let mixed = plan.chunks.iter().map(|Chunk { rows, keys, bias }| {
            let (m, n) = (rows.len(), keys.len());
            let q = q.clone().slice([0..kv_heads, 0..groups, rows.clone(), 0..head_dim]);
            let k = k.clone().slice([0..kv_heads, 0..head_dim, keys.clone()]);
            let v = v.clone().slice([0..kv_heads, keys.clone(), 0..head_dim]);
            let scores = q.reshape([kv_heads, groups * m, head_dim]).matmul(k);
            let scores = scores.reshape([kv_heads, groups, m, n]) + bias.clone();
            let weights = softmax(scores, 3).reshape([kv_heads, groups * m, n]);
            let mixed = weights.matmul(v).reshape([self.heads, m, head_dim]);
            mixed.swap_dims(0, 1).reshape([m, self.heads * head_dim])
        });
        self.output.forward(Tensor::cat(mixed.collect(), 0))
    }
}
