use std::ops::Range;
use std::sync::Arc;

use crate::Error;
use crate::adapter::Adapter;

/// A child of a node: the token that may follow it, whose probability is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Index of the node in the batch.
    pub node: u32,
    /// The token that follows.
    pub token: u32,
}

/// Token trees laid out flat for one forward pass.
///
/// A node is a token together with its path from the root; it attends to itself and its
/// ancestors. Nodes of one tree are neighbours and every parent stands before its children. Where trees grow by
/// [`push_node`](Self::push_node) in turn, each has several runs of neighbours.
///
/// ```
/// use rescorer_models::{Edge, TreeBatch};
///
/// // BOS → "a" → "b", and BOS → "c"; the probability of EOS (2) is asked after "b" and "c".
/// let mut batch = TreeBatch::default();
/// batch.push_tree(&[1, 10, 11, 12], &[None, Some(0), Some(1), Some(0)], &[
///     Edge { node: 2, token: 2 },
///     Edge { node: 3, token: 2 },
/// ]);
/// assert_eq!(batch.depths(), [0, 1, 2, 1]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct TreeBatch {
    tokens: Vec<u32>,
    parents: Vec<Option<u32>>,
    depths: Vec<u32>,
    trees: Vec<Range<usize>>,
    /// Whether a tree has several runs of nodes, each a range of `trees`.
    is_interleaved: bool,
    /// One for every tree.
    adapters: Vec<Option<Arc<dyn Adapter>>>,
    /// That of the trees to come.
    adapter: Option<Arc<dyn Adapter>>,
    edges: Vec<Edge>,
}

impl TreeBatch {
    /// Trees that are begun from now on are computed with this adapter, or with the model alone.
    ///
    /// So requests with different adapters lie side by side in one batch.
    pub fn set_adapter(&mut self, adapter: Option<Arc<dyn Adapter>>) {
        self.adapter = adapter;
    }

    /// Adds a tree; parents and edges count from the tree's own first node.
    ///
    /// The tree is checked by [`TreeBatch::check`], which every forward pass calls.
    pub fn push_tree(&mut self, tokens: &[u32], parents: &[Option<u32>], edges: &[Edge]) {
        let start = self.tokens.len();
        let base = start as u32;
        self.tokens.extend_from_slice(tokens);
        parents.iter().for_each(|parent| self.push_parent(parent.map(|parent| parent.saturating_add(base))));
        self.begin_tree(start..self.tokens.len());
        self.edges.extend(
            edges.iter().map(|edge| Edge { node: edge.node.saturating_add(base), token: edge.token }),
        );
    }

    /// Adds a tree that is one chain, each token behind the one before; edges count from its first node.
    pub fn push_chain(&mut self, tokens: &[u32], edges: &[Edge]) {
        let parents: Vec<Option<u32>> = (0..tokens.len() as u32).map(|node| node.checked_sub(1)).collect();
        self.push_tree(tokens, &parents, edges);
    }

    /// Adds a node to the tree of its parent; without a parent it begins one. Returns its index in the batch.
    ///
    /// So trees can grow while they are computed: see [`LanguageModel::continued_log_probs`]. A tree that goes on behind another one is
    /// for decoders.
    ///
    /// [`LanguageModel::continued_log_probs`]: crate::LanguageModel::continued_log_probs
    pub fn push_node(&mut self, token: u32, parent: Option<u32>) -> u32 {
        let node = self.tokens.len();
        self.tokens.push(token);
        self.push_parent(parent);
        match (parent.map(|parent| parent as usize), self.trees.last_mut()) {
            (Some(parent), Some(tree)) if parent >= tree.start => tree.end = node + 1,
            (Some(parent), Some(_)) => {
                let tree = self.trees.partition_point(|tree| tree.end <= parent);
                self.is_interleaved = true;
                self.trees.push(node..node + 1);
                self.adapters.push(self.adapters[tree].clone());
            }
            _ => self.begin_tree(node..node + 1),
        }
        node as u32
    }

    fn begin_tree(&mut self, nodes: Range<usize>) {
        self.trees.push(nodes);
        self.adapters.push(self.adapter.clone());
    }

    /// Adds an edge; its node counts from the first of the batch.
    pub fn push_edge(&mut self, edge: Edge) {
        self.edges.push(edge);
    }

    fn push_parent(&mut self, parent: Option<u32>) {
        let depth = parent.and_then(|parent| self.depths.get(parent as usize)).map_or(0, |depth| depth + 1);
        self.parents.push(parent);
        self.depths.push(depth);
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is nothing to compute.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Token of every node.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Distance of every node from its root: its position for the model.
    pub fn depths(&self) -> &[u32] {
        &self.depths
    }

    /// Whether some tree goes on behind another one.
    pub fn is_interleaved(&self) -> bool {
        self.is_interleaved
    }

    /// Nodes of every tree, or of every run of neighbours of one.
    pub fn trees(&self) -> &[Range<usize>] {
        &self.trees
    }

    /// Adapter of every tree.
    pub fn adapters(&self) -> &[Option<Arc<dyn Adapter>>] {
        &self.adapters
    }

    /// The edges, in the order in which their probabilities come back.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Parent of every node, counted from the first node of the batch.
    pub fn parents(&self) -> &[Option<u32>] {
        &self.parents
    }

    /// Checks that the batch is a set of trees that a model of this size can run.
    ///
    /// # Errors
    /// A token outside the vocabulary, a path longer than the context, a parent that does not
    /// stand before its child in the same tree, an edge from a node that is not there.
    pub fn check(&self, vocab_size: usize, context_len: usize) -> Result<(), Error> {
        let fail = |reason: String| Err(Error::Batch { reason });
        if self.parents.len() != self.tokens.len() {
            return fail(format!("{} tokens have {} parents", self.tokens.len(), self.parents.len()));
        }
        for tree in &self.trees {
            for node in tree.clone() {
                match self.parents[node] {
                    None if node == tree.start => {}
                    Some(parent) if tree.contains(&(parent as usize)) && (parent as usize) < node => {}
                    Some(parent) if self.is_interleaved && (parent as usize) < tree.start => {}
                    parent => {
                        return fail(format!(
                            "node {node} has parent {parent:?} outside {tree:?} or behind it"
                        ));
                    }
                }
            }
        }
        if let Some((node, token)) =
            self.tokens.iter().enumerate().find(|(_, token)| **token as usize >= vocab_size)
        {
            return fail(format!("token {token} of node {node} is outside the vocabulary of {vocab_size}"));
        }
        if let Some((node, depth)) =
            self.depths.iter().enumerate().find(|(_, depth)| **depth as usize >= context_len)
        {
            return fail(format!("node {node} has position {depth}, the context ends at {context_len}"));
        }
        for edge in &self.edges {
            if edge.node as usize >= self.tokens.len() || edge.token as usize >= vocab_size {
                return fail(format!(
                    "{edge:?} leaves {} nodes or a vocabulary of {vocab_size}",
                    self.tokens.len()
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forest() -> TreeBatch {
        let mut batch = TreeBatch::default();
        batch.push_tree(&[1, 5], &[None, Some(0)], &[Edge { node: 1, token: 2 }]);
        batch.push_tree(&[1, 6, 7, 8], &[None, Some(0), Some(1), Some(0)], &[Edge { node: 3, token: 2 }]);
        batch
    }

    #[test]
    fn parents_and_edges_are_shifted_by_the_trees_before() {
        let batch = forest();
        assert_eq!(batch.parents()[3..], [Some(2), Some(3), Some(2)]);
        assert_eq!(batch.depths(), [0, 1, 0, 1, 2, 1]);
        assert_eq!(batch.edges()[1], Edge { node: 5, token: 2 });
        assert!(batch.check(10, 3).is_ok());
    }

    #[test]
    fn trees_grow_in_turn() {
        let mut batch = TreeBatch::default();
        let [a, b] = [(); 2].map(|()| batch.push_node(1, None));
        assert!(!batch.is_interleaved());
        let a = batch.push_node(5, Some(a));
        let a = batch.push_node(6, Some(a));
        let b = batch.push_node(7, Some(b));
        batch.push_node(8, Some(a));
        assert_eq!(batch.depths(), [0, 0, 1, 2, 1, 3]);
        assert_eq!(batch.trees(), [0..1, 1..2, 2..4, 4..5, 5..6]);
        assert_eq!(b, 4);
        assert!(batch.is_interleaved() && batch.check(10, 4).is_ok());
    }

    #[test]
    fn what_a_model_cannot_run_is_refused() {
        let batch = forest();
        assert!(batch.check(8, 3).is_err(), "token 8 in a vocabulary of 8");
        assert!(batch.check(10, 2).is_err(), "depth 2 in a context of 2");
        let mut cycle = TreeBatch::default();
        cycle.push_tree(&[1, 2], &[None, Some(1)], &[]);
        assert!(cycle.check(10, 3).is_err());
        let mut edge = TreeBatch::default();
        edge.push_tree(&[1], &[None], &[Edge { node: 3, token: 1 }]);
        assert!(edge.check(10, 3).is_err());
    }
}
