use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData};

use super::heads::Heads;
use super::mask::{AttentionMask, Seen};
use super::rope::Rope;
use crate::buckets;
use crate::device::ComputeDevice;
use crate::linear::product;
use crate::softmax::masked_softmax;
use crate::tree::TreeBatch;

/// Nodes that are attended together. They see each other and the few nodes that they see outside.
const ROWS: usize = buckets::SMALLEST;

/// Most scores (nodes × heads × keys) that are held at a time: 32 MiB, a quarter of the smallest binding that
/// adapters offer.
const SCORES: usize = 8 << 20;

/// A number that vanishes in softmax. Finite, so that no backend has to agree on infinities.
const MASKED: f32 = -1e30;

/// Attention of token trees on a GPU: nodes in blocks of [`ROWS`], and for each block its keys, which are the nodes
/// themselves and all that they see, masked so that a node sees its own path, or its own tree.
///
/// The nodes of a trie stand in depth-first order, so a block has little more keys than rows, and the cost is
/// linear in the nodes, whether they belong to one tree or to many. All blocks of a batch have the same number of
/// keys, a power of two: the shapes repeat.
pub struct TensorPlan {
    rope: Option<Rope>,
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
    /// Lays out a batch that was filled up to a bucket.
    pub fn new(
        batch: &TreeBatch,
        rope: Option<Rope>,
        heads: usize,
        mask: AttentionMask,
        device: &ComputeDevice,
    ) -> Self {
        let seen = Seen::new(batch, mask);
        let mut marks = vec![usize::MAX; batch.len()];
        let starts = (0..batch.len()).step_by(ROWS);
        let blocks: Vec<Block> = starts.map(|start| Block::new(&seen, start, &mut marks)).collect();
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
            let bias: Vec<f32> = blocks.iter().flat_map(|block| block.bias(&seen, keys)).collect();
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
    pub fn attend(&self, [q, k, v]: [Tensor<2>; 3], heads: Heads) -> Tensor<2> {
        let [nodes, _] = q.dims();
        let Heads { queries, keys: kv_heads, dim, scale } = heads;
        let shared = queries / kv_heads;
        let turned = |x: Tensor<2>, heads: usize| match &self.rope {
            Some(rope) => rope.apply(x.reshape([nodes, heads, dim])).reshape([nodes, heads * dim]),
            None => x,
        };
        let q = turned(q, queries) * f64::from(scale);
        let k = turned(k, kv_heads);
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

/// [`ROWS`] nodes with everything that they see.
struct Block {
    rows: Range<usize>,
    /// In rising order.
    keys: Vec<usize>,
}

impl Block {
    /// The nodes from `start` on; for `marks` see [`Seen::before`].
    fn new(seen: &Seen, start: usize, marks: &mut [usize]) -> Self {
        let rows = start..(start + ROWS).min(seen.len());
        let mut keys = seen.before(rows.clone(), marks);
        keys.extend(rows.clone().chain(seen.behind(rows.clone())));
        Self { rows, keys }
    }

    /// `[ROWS, width]`
    fn bias(&self, seen: &Seen, width: usize) -> Vec<f32> {
        let mut bias = vec![MASKED; ROWS * width];
        let mut of_row = Vec::new();
        for (row, values) in self.rows.clone().zip(bias.chunks_exact_mut(width)) {
            seen.collect(row, &mut of_row);
            for at in &of_row {
                if let Ok(place) = self.keys.binary_search(at) {
                    values[place] = 0.0;
                }
            }
        }
        bias
    }
}
