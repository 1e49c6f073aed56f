use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData};

use super::rope::Rope;
use super::tree_attention::Heads;
use crate::buckets;
use crate::device::ComputeDevice;
use crate::linear::product;
use crate::softmax::masked_softmax;
use crate::tree::TreeBatch;

/// Nodes that are attended together. They see each other and the few ancestors that they have outside.
const ROWS: usize = buckets::SMALLEST;

/// Most scores (nodes × heads × keys) that are held at a time: 32 MiB, a quarter of the smallest binding that
/// adapters offer.
const SCORES: usize = 8 << 20;

/// A number that vanishes in softmax. Finite, so that no backend has to agree on infinities.
const MASKED: f32 = -1e30;

/// Attention of token trees on a GPU: nodes in blocks of [`ROWS`], and for each block its keys, which are the nodes
/// themselves and all their ancestors, masked so that a node sees its own path.
///
/// The nodes of a trie stand in depth-first order, so a block has little more keys than rows, and the cost is
/// linear in the nodes, whether they belong to one tree or to many. All blocks of a batch have the same number of
/// keys, a power of two: the shapes repeat.
pub struct TensorPlan {
    rope: Rope,
    groups: Vec<Group>,
    keys: usize,
    tune: bool,
}

/// Blocks that are computed at a time.
struct Group {
    rows: Range<usize>,
    /// The keys of one block after the other: `[blocks · keys]`.
    keys: Tensor<1, Int>,
    /// 0 where a row sees a key, else [`MASKED`]: `[blocks, 1, ROWS, keys]`.
    bias: Tensor<4>,
}

impl TensorPlan {
    /// Lays out a batch that was filled up to a bucket. A node sees the last `window` nodes of its path, itself included.
    pub fn new(batch: &TreeBatch, rope: Rope, heads: usize, window: usize, device: &ComputeDevice) -> Self {
        let mut seen_by = vec![usize::MAX; batch.len()];
        let starts = (0..batch.len()).step_by(ROWS);
        let blocks: Vec<Block> =
            starts.map(|start| Block::new(batch.parents(), start, &mut seen_by)).collect();
        let most = blocks.iter().map(|block| block.keys.len()).max().unwrap_or(1);
        let keys = most.next_power_of_two();
        let per_group = (SCORES / (ROWS * heads * keys)).max(1);
        let groups = blocks.chunks(per_group).enumerate().map(|(number, blocks)| {
            let start = number * per_group * ROWS;
            let padded = blocks.iter().flat_map(|block| {
                let padding = std::iter::repeat_n(0, keys - block.keys.len());
                block.keys.iter().map(|key| *key as i32).chain(padding)
            });
            let padded: Vec<i32> = padded.collect();
            let bias: Vec<f32> =
                blocks.iter().flat_map(|block| block.bias(batch.parents(), keys, window)).collect();
            let (indices, shape) = ([padded.len()], [blocks.len(), 1, ROWS, keys]);
            Group {
                rows: start..start + blocks.len() * ROWS,
                keys: Tensor::from_data(TensorData::new(padded, indices), device.burn()),
                bias: Tensor::from_data(TensorData::new(bias, shape), device.burn()),
            }
        });
        Self { rope, groups: groups.collect(), keys, tune: device.tunes_kernels() }
    }

    /// # Shapes
    /// `q` and the result `[nodes, queries · dim]`, `k, v: [nodes, keys · dim]`.
    pub fn attend(&self, q: Tensor<2>, k: Tensor<2>, v: Tensor<2>, heads: Heads) -> Tensor<2> {
        let [nodes, _] = q.dims();
        let Heads { queries, keys: kv_heads, dim, scale } = heads;
        let shared = queries / kv_heads;
        let q = self.rope.apply(q.reshape([nodes, queries, dim])) * f64::from(scale);
        let k = self.rope.apply(k.reshape([nodes, kv_heads, dim])).reshape([nodes, kv_heads * dim]);
        let mixed = self.groups.iter().map(|Group { rows, keys, bias }| {
            let blocks = rows.len() / ROWS;
            let n = self.keys;
            let q = q.clone().narrow(0, rows.start, rows.len());
            let q = q.reshape([blocks, ROWS, queries, dim]).swap_dims(1, 2);
            let q = q.reshape([blocks, kv_heads, shared * ROWS, dim]);
            // [blocks, kv_heads, keys, dim]
            let gather = |x: &Tensor<2>| {
                x.clone().select(0, keys.clone()).reshape([blocks, n, kv_heads, dim]).swap_dims(1, 2)
            };
            let scores = product(q, gather(&k).swap_dims(2, 3), self.tune);
            let weights = masked_softmax(scores.reshape([blocks, queries, ROWS, n]), bias);
            let weights = weights.reshape([blocks, kv_heads, shared * ROWS, n]);
            let mixed = product(weights, gather(&v), self.tune).reshape([blocks, queries, ROWS, dim]);
            mixed.swap_dims(1, 2).reshape([rows.len(), queries * dim])
        });
        let mut mixed: Vec<Tensor<2>> = mixed.collect();
        if mixed.len() == 1 { mixed.remove(0) } else { Tensor::cat(mixed, 0) }
    }
}

/// [`ROWS`] nodes from `start` with everything that they see.
struct Block {
    start: usize,
    /// In rising order.
    keys: Vec<usize>,
}

impl Block {
    /// `seen_by` has the start of the last block that saw a node.
    fn new(parents: &[Option<u32>], start: usize, seen_by: &mut [usize]) -> Self {
        let rows = start..(start + ROWS).min(parents.len());
        let mut keys = Vec::with_capacity(2 * ROWS);
        for row in rows.clone() {
            // Stops where another row of the block has been: all above is known then.
            let mut node = parents[row].map(|parent| parent as usize);
            while let Some(at) = node.filter(|at| *at < start && seen_by[*at] != start) {
                seen_by[at] = start;
                keys.push(at);
                node = parents[at].map(|parent| parent as usize);
            }
        }
        keys.sort_unstable();
        keys.extend(rows);
        Self { start, keys }
    }

    /// `[ROWS, width]`
    fn bias(&self, parents: &[Option<u32>], width: usize, window: usize) -> Vec<f32> {
        let mut bias = vec![MASKED; ROWS * width];
        let rows = self.start..parents.len().min(self.start + ROWS);
        for (row, values) in rows.zip(bias.chunks_exact_mut(width)) {
            let mut node = Some(row);
            let mut seen = 0;
            while let Some(at) = node.filter(|_| seen < window) {
                seen += 1;
                if let Ok(place) = self.keys.binary_search(&at) {
                    values[place] = 0.0;
                }
                node = parents[at].map(|parent| parent as usize);
            }
        }
        bias
    }
}
