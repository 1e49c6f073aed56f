//! The head walks a large vocabulary in chunks: the softmax is that of all logits at once.
//!
//! The reference is the definition in f64, from the model's own last hidden states.
#![allow(clippy::unwrap_used, clippy::panic)]

use rescorer_models::{DeviceRequest, Edge, LanguageModel, Precision, TreeBatch};
use rescorer_tests::{MaxDifference, log_softmax, write_wide_model};

/// f32 dot products and exponentials; values reach 20.
const LOG_PROBS: f64 = 5e-5;

/// On the borders of chunks and inside them.
const TOKENS: [u32; 9] = [0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 8291];

#[test]
fn chunks_of_the_vocabulary_are_one_softmax() {
    let folder = tempfile::tempdir().unwrap();
    let head = write_wide_model(folder.path());
    let model = LanguageModel::load(folder.path(), DeviceRequest::Cpu, Precision::F32)
        .unwrap_or_else(|error| panic!("{error}"));
    // A star: BOS with every token as a child, and an edge from each of them to each.
    let mut tokens = vec![0];
    tokens.extend(TOKENS);
    let parents: Vec<Option<u32>> = (0..tokens.len()).map(|node| (node > 0).then_some(0)).collect();
    let edges: Vec<Edge> = (0..tokens.len() as u32)
        .flat_map(|node| TOKENS.map(|token| Edge { node, token }))
        // Edges need not come in the order of nodes, nor be different.
        .rev()
        .chain([Edge { node: 3, token: 8291 }, Edge { node: 3, token: 8291 }])
        .collect();
    let mut batch = TreeBatch::default();
    batch.push_tree(&tokens, &parents, &edges);
    let found = model.edge_log_probs(&batch).unwrap();
    let hidden = model.hidden_states(&batch).unwrap().pop().unwrap();
    let d_model = hidden.len() / tokens.len();
    let expected: Vec<Vec<f64>> = hidden
        .chunks(d_model)
        .map(|hidden| {
            let dot =
                |row: &[f32]| row.iter().zip(hidden).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            log_softmax(&head.chunks(d_model).map(|row| dot(row) as f32).collect::<Vec<f32>>())
        })
        .collect();
    assert_eq!(expected[0].len(), model.vocab_size());
    let mut difference = MaxDifference::new("chunks of the vocabulary");
    for (edge, found) in edges.iter().zip(&found) {
        let expected = expected[edge.node as usize][edge.token as usize];
        difference
            .add((f64::from(*found) - expected).abs(), || format!("{edge:?}: {found}, expected {expected}"));
    }
    difference.check(LOG_PROBS);
}
