//! Self-attention of token trees: the projections, and the kernels of the CPU and of GPUs.

mod blocks;
mod gradient;
mod host;
mod key_values;
mod rope;
mod sight;

use std::sync::Arc;

use burn::tensor::Tensor;

pub use host::Heads;
pub use key_values::{KeyValues, LayerKeyValues};
pub use rope::Angles;
pub use sight::Sight;

use crate::adapter::AdapterRows;
use crate::device::ComputeDevice;
use crate::gradient::Inputs;
use crate::linear::{Linear, to_host};
use crate::rms_norm::RmsNorm;
use crate::tree::TreeBatch;
use blocks::TensorPlan;
use gradient::Attended;
use host::HostPlan;

/// What every layer's attention needs to know of a batch: who sees whom, and the angles.
pub enum AttentionPlan {
    /// Lists, for the kernel on host memory.
    Host(Arc<HostPlan>),
    /// Masked blocks, for tensors on a GPU.
    Tensor(Box<TensorPlan>),
}

impl AttentionPlan {
    /// Lays out a batch. The angles are those of its last nodes, which are computed; on a device other than the CPU these are all.
    pub fn new(
        batch: &TreeBatch,
        angles: Option<Angles>,
        heads: usize,
        sight: Sight,
        device: &ComputeDevice,
    ) -> Self {
        if device.is_cpu() {
            Self::Host(Arc::new(HostPlan::new(batch, angles, sight)))
        } else {
            let rope = angles.map(|angles| angles.upload(device));
            Self::Tensor(Box::new(TensorPlan::new(batch, rope, heads, sight, device)))
        }
    }
}

/// Grouped-query self-attention of token trees: `softmax(scale · q·kᵀ) · v` over all that a node sees. Projections run on all
/// nodes at once.
pub struct Attention {
    /// Query projection `[heads·head_dim, d_model]`.
    pub query: Linear,
    /// Key projection `[kv_heads·head_dim, d_model]`.
    pub key: Linear,
    /// Value projection `[kv_heads·head_dim, d_model]`.
    pub value: Linear,
    /// Output projection `[d_model, heads·head_dim]`.
    pub output: Linear,
    /// Norms of each head of queries and keys.
    pub head_norms: Option<[RmsNorm; 2]>,
    /// Sizes of the heads.
    pub heads: Heads,
}

impl Attention {
    /// `past` holds the keys and values of the nodes before, and then of these too.
    ///
    /// # Shapes
    /// `x` and the result: `[nodes, d_model]`.
    pub fn forward(
        &self,
        x: Tensor<2>,
        plan: &AttentionPlan,
        adapters: &AdapterRows,
        past: &mut LayerKeyValues,
    ) -> Tensor<2> {
        let [q, k, v] = Linear::forward_all([&self.query, &self.key, &self.value], x, adapters);
        let (q, k) = match &self.head_norms {
            Some([of_queries, of_keys]) => (of_queries.forward_heads(q), of_keys.forward_heads(k)),
            None => (q, k),
        };
        let mixed = match plan {
            AttentionPlan::Tensor(plan) => plan.attend(q, k, v, self.heads),
            AttentionPlan::Host(plan) => {
                let (shape, device, inputs) = (q.dims(), q.device(), Inputs::of([&q, &k, &v]));
                let mut q = to_host(q);
                let mixed = plan.attend(&mut q, to_host(k), to_host(v), past, self.heads);
                let kept = || Attended::new(plan.clone(), q, std::mem::take(past), self.heads);
                inputs.finish(mixed, shape, &device, kept)
            }
        };
        self.output.forward(mixed, adapters)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::buckets::padded;
    use crate::linear::to_host;
    use crate::tree::Edge;

    const HEADS: Heads = Heads { queries: 4, keys: 2, dim: 6, scale: 0.4 };

    fn values(nodes: usize, width: usize, phase: f32) -> Vec<f32> {
        (0..nodes * width).map(|i| (i as f32 * 0.37 + phase).sin()).collect()
    }

    /// The two kernels share no code beyond the angles: they check each other.
    fn compare(batch: &TreeBatch) {
        for sight in [Sight::Path { window: usize::MAX }, Sight::Path { window: 3 }, Sight::Tree] {
            compare_with(batch, sight, true);
        }
        compare_with(batch, Sight::Tree, false);
    }

    fn compare_with(batch: &TreeBatch, sight: Sight, is_turned: bool) {
        let device = ComputeDevice::tensors_on_cpu();
        let batch = &*padded(batch, &device);
        let nodes = batch.len();
        let (q, k, v) = (values(nodes, 24, 0.0), values(nodes, 12, 1.0), values(nodes, 12, 2.0));
        let angles = || is_turned.then(|| Angles::new(batch.depths(), 6, 100.0, Some(&[1.0, 2.0, 4.0])));
        let mut past = LayerKeyValues::default();
        let host = HostPlan::new(batch, angles(), sight).attend(
            &mut q.clone(),
            k.clone(),
            v.clone(),
            &mut past,
            HEADS,
        );
        let tensor = |values: Vec<f32>| {
            let width = values.len() / nodes;
            Tensor::<2>::from_data(TensorData::new(values, [nodes, width]), device.burn())
        };
        let rope = angles().map(|angles| angles.upload(&device));
        let plan = TensorPlan::new(batch, rope, HEADS.queries, sight, &device);
        let blocks = to_host(plan.attend(tensor(q), tensor(k), tensor(v), HEADS));
        for (value, expected) in host.iter().zip(blocks) {
            assert!((value - expected).abs() < 1e-5, "{value} {expected}");
        }
    }

    fn tree(parents: &[Option<u32>]) -> TreeBatch {
        let mut batch = TreeBatch::default();
        batch.push_tree(&vec![1; parents.len()], parents, &[] as &[Edge]);
        batch
    }

    #[test]
    fn small_trees() {
        let mut batch = tree(&[None, Some(0), Some(1), Some(0), Some(3), Some(3)]);
        batch.push_tree(&[1; 3], &[None, Some(0), Some(1)], &[]);
        compare(&batch);
    }

    /// A chain over several blocks: the last one sees all the others.
    #[test]
    fn a_path_longer_than_a_block() {
        let parents: Vec<Option<u32>> = (0..150u32).map(|node| node.checked_sub(1)).collect();
        compare(&tree(&parents));
    }

    /// Parents from all over the tree, in no useful order.
    #[test]
    fn scattered_parents() {
        let parent = |node: u32| (node > 0).then(|| node.wrapping_mul(2_654_435_761) % node);
        let parents: Vec<Option<u32>> = (0..300u32).map(parent).collect();
        compare(&tree(&parents));
    }
}
