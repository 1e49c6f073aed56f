//! Sizes that batches are filled up to on a GPU, so that the shapes of its kernels repeat: each shape is compiled
//! and tuned once, then found again.

use crate::tree::TreeBatch;

/// Smallest bucket, and what every bucket is a multiple of.
pub const SMALLEST: usize = 64;

/// The bucket of `len` nodes: a power of two from [`SMALLEST`] to `budget`, above it a multiple of `budget`.
pub fn bucket(len: usize, budget: usize) -> usize {
    if len > budget { len.next_multiple_of(budget) } else { len.next_power_of_two().max(SMALLEST) }
}

/// All buckets up to `budget`, smallest first.
pub fn buckets(budget: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(SMALLEST), |size| Some(size * 2)).take_while(move |size| *size <= budget)
}

/// `batch` filled up to its bucket.
///
/// What is added can't be noticed: every added node is a tree of its own, so no other node attends to it, and no
/// edge leaves it.
pub fn padded(batch: &TreeBatch, budget: usize) -> TreeBatch {
    let missing = bucket(batch.len(), budget) - batch.len();
    let mut batch = batch.clone();
    batch.set_adapter(None);
    (0..missing).for_each(|_| batch.push_tree(&[0], &[None], &[]));
    batch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Edge;

    #[test]
    fn buckets_are_few_and_never_too_small() {
        assert_eq!(buckets(512).collect::<Vec<_>>(), [64, 128, 256, 512]);
        for (len, expected) in [(1, 64), (64, 64), (65, 128), (512, 512), (513, 1024), (1025, 1536)] {
            assert_eq!(bucket(len, 512), expected, "{len} nodes");
        }
    }

    #[test]
    fn padding_leaves_the_batch_and_its_edges_alone() {
        let mut batch = TreeBatch::default();
        batch.push_tree(&[1, 5, 6], &[None, Some(0), Some(1)], &[Edge { node: 2, token: 3 }]);
        let filled = padded(&batch, 512);
        assert_eq!(filled.len(), 64);
        assert_eq!(filled.edges(), batch.edges());
        assert_eq!(filled.tokens()[..3], *batch.tokens());
        assert_eq!(filled.parents()[..3], *batch.parents());
        assert!(filled.parents()[3..].iter().all(Option::is_none));
        assert!(filled.check(10, 3).is_ok());
    }
}
