use std::ops::Range;

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};

use super::config::LlamaConfig;
use super::key_values::LayerKeyValues;
use super::rope::{Angles, Rope};
use super::tree_attention::{Heads, HostPlan};
use crate::device::ComputeDevice;
use crate::linear::{Linear, to_host};
use crate::tree::TreeBatch;

/// Rows of a tree that are attended at a time: bounds the scores in memory.
const ROW_CHUNK: usize = 512;

/// What every layer's attention needs to know of a batch: who sees whom, and the angles.
pub enum AttentionPlan {
    /// Paths, for the kernel on host memory.
    Host(HostPlan),
    /// Masked blocks of tensors.
    Tensor(Box<TensorPlan>),
}

impl AttentionPlan {
    /// Lays out the nodes of `batch` from `start` on; on a device other than the CPU that is 0.
    pub fn new(batch: &TreeBatch, start: usize, config: &LlamaConfig, device: &ComputeDevice) -> Self {
        let angles = Angles::new(&batch.depths()[start..], config.head_dim, config.rope_theta);
        if device.is_cpu() {
            Self::Host(HostPlan::new(batch, angles))
        } else {
            Self::Tensor(Box::new(TensorPlan::new(batch, angles.upload(device), device)))
        }
    }
}

/// Grouped-query self-attention of token trees: `softmax(q·kᵀ / sqrt(head_dim)) · v` over the path of
/// every node. Projections run on all nodes at once.
pub struct Attention {
    /// Query projection `[heads·head_dim, d_model]`.
    pub query: Linear,
    /// Key projection `[kv_heads·head_dim, d_model]`.
    pub key: Linear,
    /// Value projection `[kv_heads·head_dim, d_model]`.
    pub value: Linear,
    /// Output projection `[d_model, heads·head_dim]`.
    pub output: Linear,
    /// Sizes of the heads.
    pub heads: Heads,
}

impl Attention {
    /// `past` holds the keys and values of the nodes before, and then of these too.
    ///
    /// # Shapes
    /// `x` and the result: `[nodes, d_model]`.
    pub fn forward(&self, x: Tensor<2>, plan: &AttentionPlan, past: &mut LayerKeyValues) -> Tensor<2> {
        let [q, k, v] = Linear::forward_all([&self.query, &self.key, &self.value], x);
        let mixed = match plan {
            AttentionPlan::Tensor(plan) => plan.attend(q, k, v, self.heads),
            AttentionPlan::Host(plan) => {
                let (shape, device) = (q.dims(), q.device());
                let mixed = plan.attend(to_host(q), to_host(k), to_host(v), past, self.heads);
                Tensor::from_data(TensorData::new::<f32, _>(mixed, shape), &device)
            }
        };
        self.output.forward(mixed)
    }
}

/// The trees cut into blocks of rows, tree by tree, so that the cost is linear in the number of trees.
pub struct TensorPlan {
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

impl TensorPlan {
    fn new(batch: &TreeBatch, rope: Rope, device: &ComputeDevice) -> Self {
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
        Self { rope, chunks }
    }

    /// # Shapes
    /// `q` and the result `[nodes, queries · dim]`, `k, v: [nodes, keys · dim]`.
    fn attend(&self, q: Tensor<2>, k: Tensor<2>, v: Tensor<2>, heads: Heads) -> Tensor<2> {
        let [nodes, _] = q.dims();
        let Heads { queries, keys: kv_heads, dim } = heads;
        let groups = queries / kv_heads;
        let scale = (dim as f64).sqrt().recip();
        // [kv_heads, groups, nodes, dim]
        let q = self.rope.apply(q.reshape([nodes, queries, dim])) * scale;
        let q = q.reshape([nodes, kv_heads, groups, dim]).permute([1, 2, 0, 3]);
        // [kv_heads, dim, nodes] and [kv_heads, nodes, dim]
        let k = self.rope.apply(k.reshape([nodes, kv_heads, dim])).permute([1, 2, 0]);
        let v = v.reshape([nodes, kv_heads, dim]).swap_dims(0, 1);
        let mixed = self.chunks.iter().map(|Chunk { rows, keys, bias }| {
            let (m, n) = (rows.len(), keys.len());
            let q = q.clone().slice([0..kv_heads, 0..groups, rows.clone(), 0..dim]);
            let k = k.clone().slice([0..kv_heads, 0..dim, keys.clone()]);
            let v = v.clone().slice([0..kv_heads, keys.clone(), 0..dim]);
            let scores = q.reshape([kv_heads, groups * m, dim]).matmul(k);
            let scores = scores.reshape([kv_heads, groups, m, n]) + bias.clone();
            let weights = softmax(scores, 3).reshape([kv_heads, groups * m, n]);
            let mixed = weights.matmul(v).reshape([queries, m, dim]);
            mixed.swap_dims(0, 1).reshape([m, queries * dim])
        });
        Tensor::cat(mixed.collect(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Edge;

    /// The two kernels share no code beyond the angles: they check each other.
    #[test]
    fn paths_on_the_host_equal_masked_tensors() {
        let mut batch = TreeBatch::default();
        let parents = [None, Some(0), Some(1), Some(0), Some(3), Some(3)];
        let no_edges: [Edge; 0] = [];
        batch.push_tree(&[1; 6], &parents, &no_edges);
        batch.push_tree(&[1; 3], &[None, Some(0), Some(1)], &no_edges);
        let heads = Heads { queries: 4, keys: 2, dim: 6 };
        let values = |width: usize, phase: f32| -> Vec<f32> {
            (0..9 * width).map(|i| (i as f32 * 0.37 + phase).sin()).collect()
        };
        let (q, k, v) = (values(24, 0.0), values(12, 1.0), values(12, 2.0));
        let device = ComputeDevice::cpu();
        let angles = || Angles::new(batch.depths(), 6, 100.0);
        let mut past = LayerKeyValues::default();
        let host = HostPlan::new(&batch, angles()).attend(q.clone(), k.clone(), v.clone(), &mut past, heads);
        let tensor = |values: Vec<f32>| {
            let width = values.len() / 9;
            Tensor::<2>::from_data(TensorData::new(values, [9, width]), device.burn())
        };
        let plan = TensorPlan::new(&batch, angles().upload(&device), &device);
        let expected = to_host(plan.attend(tensor(q), tensor(k), tensor(v), heads));
        for (value, expected) in host.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-5, "{value} {expected}");
        }
    }
}
