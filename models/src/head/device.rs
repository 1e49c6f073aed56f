use burn::tensor::Tensor;

use super::chunk::VOCAB_CHUNK;
use super::edges::{NodeEdges, ints};
use super::fold::fold;
use super::folded::Folded;
use crate::linear::DeviceMatrix;
use crate::to_host::to_host;
use crate::tree::Edge;

/// Nodes that are multiplied at a time: their logits of a chunk take 64 MiB, half of the smallest binding that
/// adapters offer.
const NODE_CHUNK: usize = 4096;

/// The head on a GPU. All chunks are queued before anything is read back, and that happens once.
pub fn edge_log_probs(
    chunks: &[DeviceMatrix],
    bias: Option<&[Tensor<2>]>,
    hidden: Tensor<2>,
    edges: &[Edge],
) -> Vec<f32> {
    let nodes = hidden.dims()[0];
    let mut order: Vec<usize> = (0..edges.len()).collect();
    order.sort_by_key(|&edge| edges[edge].node);
    let parts: Vec<Tensor<1>> = (0..nodes)
        .step_by(NODE_CHUNK)
        .filter_map(|start| {
            let end = (start + NODE_CHUNK).min(nodes);
            let place = |node: usize| order.partition_point(|&edge| (edges[edge].node as usize) < node);
            let inside = &order[place(start)..place(end)];
            if inside.is_empty() {
                return None;
            }
            let edges = NodeEdges {
                nodes: inside.iter().map(|&edge| edges[edge].node as i32 - start as i32).collect(),
                tokens: inside.iter().map(|&edge| edges[edge].token as i32).collect(),
            };
            Some(log_probs(chunks, bias, hidden.clone().narrow(0, start, end - start), &edges))
        })
        .collect();
    let values = to_host(Tensor::cat(parts, 0));
    let mut log_probs = vec![0.0; edges.len()];
    order.iter().zip(values).for_each(|(&edge, value)| log_probs[edge] = value);
    log_probs
}

/// `[edges]`, in their order.
fn log_probs(
    chunks: &[DeviceMatrix],
    bias: Option<&[Tensor<2>]>,
    hidden: Tensor<2>,
    edges: &NodeEdges,
) -> Tensor<1> {
    let device = hidden.device();
    let (nodes, inputs) = (hidden.dims()[0], chunks[0].inputs(hidden));
    let logits = chunks.iter().enumerate().map(|(place, chunk)| {
        let logits = chunk.multiply(inputs.clone());
        match bias {
            Some(bias) => logits + bias[place].clone(),
            None => logits,
        }
    });
    let Folded { max, sum, logits } = fold(logits, VOCAB_CHUNK, nodes, edges, &device);
    let log_sums = max + sum.log();
    logits - log_sums.select(0, ints(edges.nodes.clone(), &device))
}
