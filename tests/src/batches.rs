use rescorer_models::{Edge, LanguageModel, TreeBatch};

/// A sequence as a tree without branches: every id but the last is a node, every next id an edge.
///
/// This is the plain left-to-right pass, built without the token trie that it serves to check.
pub fn chain(batch: &mut TreeBatch, ids: &[u32]) {
    let nodes = &ids[..ids.len() - 1];
    let edges: Vec<Edge> = (0..).zip(&ids[1..]).map(|(node, &token)| Edge { node, token }).collect();
    batch.push_chain(nodes, &edges);
}

/// `ln p(ids[i + 1] | ids[..= i])` of one sequence alone in a forward pass.
pub fn chain_log_probs(model: &LanguageModel, ids: &[u32]) -> Vec<f32> {
    let mut batch = TreeBatch::default();
    chain(&mut batch, ids);
    model.edge_log_probs(&batch).unwrap_or_else(|error| panic!("{error}"))
}
