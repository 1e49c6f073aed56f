use rescorer_models::{Edge, TreeBatch};

/// Token sequences with their common prefixes stored once.
///
/// The root is BOS. A node is a token that something follows; an edge leads from a node to a following
/// token and carries a probability. Sequences share the nodes and edges of the prefix that they have in
/// common, and equal sequences share everything. Nodes stand in depth-first order, parents before children.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenTrie {
    tokens: Vec<u32>,
    parents: Vec<Option<u32>>,
    edges: Vec<Edge>,
    /// For every sequence: its number among the input, and the edges along its path.
    paths: Vec<(usize, Vec<u32>)>,
}

impl TokenTrie {
    /// Builds tries of at most `max_nodes` nodes from `sequences`, as few as their sorted order allows.
    ///
    /// A single sequence that is longer gets a trie of its own. With `eos`, every sequence also scores
    /// this token at its end.
    ///
    /// ```
    /// use rescorer::scoring::TokenTrie;
    ///
    /// let tries = TokenTrie::build(&[vec![5, 6], vec![5, 7], vec![5, 6]], 1, Some(2), 100);
    /// assert_eq!(tries.len(), 1);
    /// assert_eq!(tries[0].nodes(), 4); // BOS, 5, 6, 7
    /// assert_eq!(tries[0].edges(), 5); // 5; 6 and 7; EOS twice
    /// ```
    pub fn build(sequences: &[impl AsRef<[u32]>], bos: u32, eos: Option<u32>, max_nodes: usize) -> Vec<Self> {
        let mut order: Vec<(&[u32], usize)> =
            sequences.iter().map(AsRef::as_ref).enumerate().map(|(index, tokens)| (tokens, index)).collect();
        order.sort_unstable();
        let mut tries = Vec::new();
        let mut builder = Builder::new(bos, eos);
        for (tokens, index) in order {
            if !builder.trie.paths.is_empty() && builder.nodes_with(tokens) > max_nodes {
                tries.push(std::mem::replace(&mut builder, Builder::new(bos, eos)).trie);
            }
            builder.push(index, tokens);
        }
        if !builder.trie.paths.is_empty() {
            tries.push(builder.trie);
        }
        tries
    }

    /// Nodes of the trie that `sequences` have without a limit, BOS included, counted without building it.
    pub(crate) fn count_nodes(sequences: &[impl AsRef<[u32]>], eos: Option<u32>) -> usize {
        let mut sorted: Vec<&[u32]> = sequences.iter().map(AsRef::as_ref).collect();
        sorted.sort_unstable();
        let mut last: &[u32] = &[];
        let mut nodes = 1;
        for sequence in sorted {
            // A node is a token that something follows: without EOS the last token is none.
            let ends = usize::from(eos.is_none());
            let inner = &sequence[..sequence.len().saturating_sub(ends)];
            let shared = last.iter().zip(inner).take_while(|(a, b)| a == b).count();
            nodes += inner.len() - shared;
            last = inner;
        }
        nodes
    }

    /// Tries side by side, each with its root; their sequences are numbered through.
    pub(crate) fn join(tries: Vec<Self>) -> Self {
        let mut joined = Self::default();
        for trie in tries {
            let (node, edge) = (joined.tokens.len() as u32, joined.edges.len() as u32);
            let sequence = joined.paths.len();
            joined.tokens.extend(trie.tokens);
            joined.parents.extend(trie.parents.into_iter().map(|parent| parent.map(|parent| node + parent)));
            joined.edges.extend(trie.edges.into_iter().map(|edge| Edge { node: node + edge.node, ..edge }));
            let paths = trie.paths.into_iter();
            joined.paths.extend(paths.map(|(number, mut path)| {
                path.iter_mut().for_each(|own| *own += edge);
                (sequence + number, path)
            }));
        }
        joined
    }

    /// Token of every node.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Parent of every node but the root.
    pub(crate) fn parents(&self) -> &[Option<u32>] {
        &self.parents
    }

    /// The edges, by which paths count them.
    pub(crate) fn all_edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Number of nodes, BOS included: what a forward pass has to compute.
    pub fn nodes(&self) -> usize {
        self.tokens.len()
    }

    /// Number of edges: the probabilities that come back.
    pub fn edges(&self) -> usize {
        self.edges.len()
    }

    /// The sequences, by their number in the input, each with the indices of the edges along its path.
    pub fn paths(&self) -> &[(usize, Vec<u32>)] {
        &self.paths
    }

    /// Appends this trie to a batch.
    pub fn push_to(&self, batch: &mut TreeBatch) {
        batch.push_tree(&self.tokens, &self.parents, &self.edges);
    }

    /// Appends this trie to the last tree of a batch: its root becomes a child of the node `before`. Without one it is a tree of
    /// its own.
    pub(crate) fn push_behind(&self, before: Option<u32>, batch: &mut TreeBatch) {
        let first = batch.len() as u32;
        for (&token, parent) in self.tokens.iter().zip(&self.parents) {
            batch.push_node(token, parent.map(|parent| first + parent).or(before));
        }
        for edge in &self.edges {
            batch.push_edge(Edge { node: first + edge.node, token: edge.token });
        }
    }
}

/// A trie that grows by sequences in sorted order, so that only the last path can be extended.
struct Builder<'a> {
    trie: TokenTrie,
    eos: Option<u32>,
    last: Option<&'a [u32]>,
    /// Nodes along the last path, BOS first.
    nodes: Vec<u32>,
    /// Edges along the last path.
    path: Vec<u32>,
}

impl<'a> Builder<'a> {
    fn new(bos: u32, eos: Option<u32>) -> Self {
        let trie = TokenTrie { tokens: vec![bos], parents: vec![None], ..TokenTrie::default() };
        Self { trie, eos, last: None, nodes: vec![0], path: Vec::new() }
    }

    fn shared_with(&self, sequence: &[u32]) -> usize {
        self.last.map_or(0, |last| last.iter().zip(sequence).take_while(|(a, b)| a == b).count())
    }

    /// Nodes on the path of a sequence: one for every token that another follows.
    fn depth(&self, sequence: &[u32]) -> usize {
        if self.eos.is_some() { sequence.len() + 1 } else { sequence.len().max(1) }
    }

    fn nodes_with(&self, sequence: &[u32]) -> usize {
        let kept = self.nodes.len().min(self.shared_with(sequence) + 1);
        self.trie.nodes() + self.depth(sequence) - kept
    }

    fn push(&mut self, index: usize, sequence: &'a [u32]) {
        let is_repeat = self.last == Some(sequence);
        if !is_repeat {
            let shared = self.shared_with(sequence);
            self.nodes.truncate(shared + 1);
            self.path.truncate(shared);
            while self.nodes.len() < self.depth(sequence) {
                let token = sequence[self.nodes.len() - 1];
                self.trie.parents.push(self.nodes.last().copied());
                self.nodes.push(self.trie.tokens.len() as u32);
                self.trie.tokens.push(token);
            }
            for (depth, &token) in sequence.iter().enumerate().skip(shared) {
                self.add_edge(depth, token);
            }
            if let Some(eos) = self.eos {
                self.add_edge(sequence.len(), eos);
            }
        }
        self.trie.paths.push((index, self.path.clone()));
        self.last = Some(sequence);
    }

    fn add_edge(&mut self, depth: usize, token: u32) {
        self.path.push(self.trie.edges.len() as u32);
        self.trie.edges.push(Edge { node: self.nodes[depth], token });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(sequences: &[Vec<u32>], eos: Option<u32>) -> TokenTrie {
        let mut tries = TokenTrie::build(sequences, 1, eos, usize::MAX);
        assert_eq!(tries.len(), 1);
        tries.remove(0)
    }

    #[test]
    fn the_empty_sequence_is_bos_then_eos() {
        let trie = only(&[vec![]], Some(2));
        assert_eq!((trie.nodes(), trie.edges()), (1, 1));
        assert_eq!(trie.paths(), [(0, vec![0])]);
        assert_eq!(only(&[vec![]], None).paths(), [(0, vec![])]);
    }

    #[test]
    fn without_eos_the_last_token_is_no_node() {
        let trie = only(&[vec![5, 6], vec![5]], None);
        assert_eq!(trie.tokens, [1, 5]);
        assert_eq!(trie.edges, [Edge { node: 0, token: 5 }, Edge { node: 1, token: 6 }]);
        assert_eq!(trie.paths(), [(1, vec![0]), (0, vec![0, 1])]);
    }

    #[test]
    fn a_prefix_of_another_sequence_has_its_own_end() {
        let trie = only(&[vec![5], vec![5, 2]], Some(2));
        assert_eq!(trie.tokens, [1, 5, 2]);
        assert_eq!(trie.edges.len(), 4, "5; EOS after it; token 2 after it; EOS after that");
        assert_eq!(trie.paths(), [(0, vec![0, 1]), (1, vec![0, 2, 3])]);
    }

    #[test]
    fn nodes_are_counted_as_they_are_built() {
        let lists: [&[Vec<u32>]; 5] = [
            &[vec![]],
            &[vec![5]],
            &[vec![5, 6], vec![5], vec![5, 6]],
            &[vec![5], vec![5, 2], vec![6, 2]],
            &[vec![8, 9], vec![5, 6, 7], vec![5, 6, 8], vec![], vec![5, 7]],
        ];
        for sequences in lists {
            for eos in [None, Some(2)] {
                assert_eq!(TokenTrie::count_nodes(sequences, eos), only(sequences, eos).nodes());
            }
        }
    }

    #[test]
    fn a_budget_splits_between_sequences() {
        let sequences = [vec![5, 6], vec![5, 7], vec![8, 9]];
        let tries = TokenTrie::build(&sequences, 1, Some(2), 4);
        assert_eq!(tries.iter().map(TokenTrie::nodes).collect::<Vec<_>>(), [4, 3]);
        let tries = TokenTrie::build(&sequences, 1, Some(2), 1);
        assert_eq!(tries.len(), 3, "a sequence longer than the budget stands alone");
    }
}
