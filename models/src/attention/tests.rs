use burn::tensor::{Tensor, TensorData};

use super::blocks::TensorPlan;
use super::host::HostPlan;
use super::{Angles, AttentionMask, Heads, LayerKeyValues};
use crate::buckets::padded;
use crate::device::ComputeDevice;
use crate::to_host::to_host;
use crate::tree::{Edge, TreeBatch};

const HEADS: Heads = Heads { queries: 4, keys: 2, dim: 6, scale: 0.4 };

fn values(nodes: usize, width: usize, phase: f32) -> Vec<f32> {
    (0..nodes * width).map(|i| (i as f32 * 0.37 + phase).sin()).collect()
}

/// The two kernels share no code beyond the angles: they check each other.
fn compare(batch: &TreeBatch) {
    for mask in
        [AttentionMask::Path { window: usize::MAX }, AttentionMask::Path { window: 3 }, AttentionMask::Tree]
    {
        compare_with(batch, mask, true);
    }
    compare_with(batch, AttentionMask::Tree, false);
}

fn compare_with(batch: &TreeBatch, mask: AttentionMask, is_turned: bool) {
    let device = ComputeDevice::tensors_on_cpu();
    let batch = &padded(batch, device.node_budget());
    let nodes = batch.len();
    let (q, k, v) = (values(nodes, 24, 0.0), values(nodes, 12, 1.0), values(nodes, 12, 2.0));
    let angles = || is_turned.then(|| Angles::new(batch.depths(), 6, 100.0, Some(&[1.0, 2.0, 4.0])));
    let mut past = LayerKeyValues::default();
    let host =
        HostPlan::new(batch, angles(), mask).attend(&mut q.clone(), k.clone(), v.clone(), &mut past, HEADS);
    let tensor = |values: Vec<f32>| {
        let width = values.len() / nodes;
        Tensor::<2>::from_data(TensorData::new(values, [nodes, width]), device.burn())
    };
    let rope = angles().map(|angles| angles.upload(&device));
    let plan = TensorPlan::new(batch, rope, HEADS.queries, mask, &device);
    let blocks = to_host(plan.attend([q, k, v].map(tensor), HEADS));
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
