use std::ops::Range;

use crate::tree::TreeBatch;

/// Which nodes a node attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttentionMask {
    /// Itself and its ancestors, of these as many as the window holds: decoders.
    Path {
        /// Nodes that are seen, the node itself included.
        window: usize,
    },
    /// Every node of its tree: encoders.
    Tree,
}

/// The same for the nodes of a batch.
pub enum Seen {
    /// Itself and its ancestors.
    Path {
        /// Parent of every node.
        parents: Vec<Option<u32>>,
        /// Nodes that are seen, the node itself included.
        window: usize,
    },
    /// The tree of every node.
    Tree(Vec<Range<usize>>),
}

impl Seen {
    /// Lays out a batch.
    pub fn new(batch: &TreeBatch, mask: AttentionMask) -> Self {
        match mask {
            AttentionMask::Path { window } => Self::Path { parents: batch.parents().to_vec(), window },
            AttentionMask::Tree => {
                let trees = batch.trees().iter();
                Self::Tree(trees.flat_map(|tree| std::iter::repeat_n(tree.clone(), tree.len())).collect())
            }
        }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        match self {
            Self::Path { parents, .. } => parents.len(),
            Self::Tree(trees) => trees.len(),
        }
    }

    /// Puts what a node sees into `seen`, and nothing else.
    pub fn collect(&self, node: usize, seen: &mut Vec<usize>) {
        seen.clear();
        match self {
            Self::Path { parents, window } => {
                let mut next = Some(node);
                while let Some(node) = next.filter(|_| seen.len() < *window) {
                    seen.push(node);
                    next = parents[node].map(|parent| parent as usize);
                }
            }
            Self::Tree(trees) => seen.extend(trees[node].clone()),
        }
    }

    /// Nodes before `rows` that any of them sees, in rising order. `marks` has for every node the start of the last rows that saw it.
    pub fn before(&self, rows: Range<usize>, marks: &mut [usize]) -> Vec<usize> {
        let mut before = Vec::new();
        match self {
            Self::Path { parents, .. } => {
                for row in rows.clone() {
                    // Stops where another row has been: all above is known then.
                    let mut node = parents[row].map(|parent| parent as usize);
                    while let Some(at) = node.filter(|at| *at < rows.start && marks[*at] != rows.start) {
                        marks[at] = rows.start;
                        before.push(at);
                        node = parents[at].map(|parent| parent as usize);
                    }
                }
                before.sort_unstable();
            }
            Self::Tree(trees) => before.extend(trees[rows.start].start..rows.start),
        }
        before
    }

    /// Nodes behind `rows` that any of them sees.
    pub fn behind(&self, rows: Range<usize>) -> Range<usize> {
        match self {
            Self::Path { .. } => rows.end..rows.end,
            Self::Tree(trees) => rows.end..trees[rows.end - 1].end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_windows_and_trees() {
        let mut batch = TreeBatch::default();
        batch.push_tree(&[1; 4], &[None, Some(0), Some(1), Some(0)], &[]);
        batch.push_tree(&[1; 2], &[None, Some(0)], &[]);
        let seen = |mask: AttentionMask, node: usize| {
            let mut seen = vec![99];
            Seen::new(&batch, mask).collect(node, &mut seen);
            seen
        };
        assert_eq!(seen(AttentionMask::Path { window: usize::MAX }, 2), [2, 1, 0]);
        assert_eq!(seen(AttentionMask::Path { window: 2 }, 2), [2, 1]);
        assert_eq!(seen(AttentionMask::Tree, 1), [0, 1, 2, 3]);
        assert_eq!(seen(AttentionMask::Tree, 5), [4, 5]);
        let trees = Seen::new(&batch, AttentionMask::Tree);
        assert_eq!(trees.before(2..5, &mut [usize::MAX; 6]), [0, 1]);
        assert_eq!(trees.behind(2..5), 5..6);
    }
}
