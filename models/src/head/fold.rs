use burn::tensor::{Device, Tensor};

use super::edges::{NodeEdges, ints};
use super::folded::Folded;

/// Folds logits `[nodes, width]` chunk by chunk, so that those of the whole vocabulary never exist together. All
/// chunks but the last are `width` tokens wide.
///
/// With our kernel where there is one for this device, else with Burn's operations.
pub fn fold(
    chunks: impl Iterator<Item = Tensor<2>>,
    width: usize,
    nodes: usize,
    edges: &NodeEdges,
    device: &Device,
) -> Folded {
    #[cfg(all(feature = "cubecl", not(feature = "fusion")))]
    if let Some(kernel) = super::kernel::Fold::new(nodes, edges, device) {
        return kernel.run(chunks, width);
    }
    with_operations(chunks, width, nodes, edges, device)
}

/// The same with Burn's operations, on any device: each chunk is read three times.
pub fn with_operations(
    chunks: impl Iterator<Item = Tensor<2>>,
    width: usize,
    nodes: usize,
    edges: &NodeEdges,
    device: &Device,
) -> Folded {
    let mut running: Option<(Tensor<2>, Tensor<2>)> = None;
    // The edges come out chunk by chunk; `places` says where in that order each one stands.
    let mut pieces = Vec::new();
    let mut places = vec![0; edges.tokens.len()];
    let mut taken = 0;
    for (number, logits) in chunks.enumerate() {
        let start = number * width;
        let columns = logits.dims()[1];
        let inside = |edge: &usize| (start..start + columns).contains(&(edges.tokens[*edge] as usize));
        let mut indices = Vec::new();
        for edge in (0..edges.tokens.len()).filter(inside) {
            places[edge] = (taken + indices.len()) as i32;
            let column = edges.tokens[edge] as usize - start;
            indices.push((edges.nodes[edge] as usize * columns + column) as i32);
        }
        if !indices.is_empty() {
            // Few different lengths: what is added points at the first logit and is never asked for.
            indices.resize(indices.len().next_power_of_two(), 0);
            taken += indices.len();
            pieces.push(logits.clone().reshape([nodes * columns]).select(0, ints(indices, device)));
        }
        let max = logits.clone().max_dim(1);
        let max = match &running {
            Some((previous, _)) => max.max_pair(previous.clone()),
            None => max,
        };
        let sum = (logits - max.clone()).exp().sum_dim(1);
        let sum = match running {
            Some((previous, total)) => sum + total * (previous - max.clone()).exp(),
            None => sum,
        };
        running = Some((max, sum));
    }
    let (max, sum) = running.expect("a vocabulary has at least one chunk");
    Folded {
        max: max.reshape([nodes]),
        sum: sum.reshape([nodes]),
        logits: Tensor::cat(pieces, 0).select(0, ints(places, device)),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::device::ComputeDevice;
    use crate::to_host::to_host;

    const NODES: usize = 5;
    const WIDTH: usize = 700;
    const VOCAB: usize = 2 * WIDTH + 3;

    /// Sums of 1403 numbers in another order, of which the largest is 1.
    const TOLERANCE: f32 = 1e-5;

    /// Logits from −40 to 40, the largest in another chunk for each node.
    fn logits() -> Vec<Vec<f32>> {
        let logit = |node: usize, token: usize| {
            let high = if token == (node * 397) % VOCAB { 30.0 } else { 0.0 };
            10.0 * ((node * VOCAB + token) as f32 * 0.7).sin() + high
        };
        (0..NODES).map(|node| (0..VOCAB).map(|token| logit(node, token)).collect()).collect()
    }

    fn chunks(device: &Device) -> impl Iterator<Item = Tensor<2>> {
        let logits = logits();
        (0..VOCAB).step_by(WIDTH).map(move |start| {
            let columns = WIDTH.min(VOCAB - start);
            let values: Vec<f32> =
                logits.iter().flat_map(|row| row[start..start + columns].iter().copied()).collect();
            Tensor::from_data(TensorData::new(values, [NODES, columns]), device)
        })
    }

    /// Borders of chunks, a node without edges, a node with more edges than workers.
    fn edges() -> NodeEdges {
        let of = |node: i32, tokens: Vec<i32>| tokens.into_iter().map(move |token| (node, token));
        let all = of(0, vec![0, 699, 700, 1399, 1400, 1402])
            .chain(of(1, vec![397]))
            .chain(of(3, (0..900).map(|token| (token * 7) % VOCAB as i32).collect()))
            .chain(of(4, vec![5, 5]));
        let (nodes, tokens) = all.unzip();
        NodeEdges { nodes, tokens }
    }

    fn check(folded: Folded) {
        let (max, sum, found) = (to_host(folded.max), to_host(folded.sum), to_host(folded.logits));
        for (node, row) in logits().iter().enumerate() {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let expected: f64 = row.iter().map(|logit| f64::from(logit - largest).exp()).sum();
            assert_eq!(max[node], largest, "node {node}");
            assert!((f64::from(sum[node]) / expected - 1.0).abs() < f64::from(TOLERANCE), "node {node}");
        }
        let edges = edges();
        assert_eq!(found.len(), edges.tokens.len());
        for ((node, token), logit) in edges.nodes.iter().zip(&edges.tokens).zip(found) {
            assert_eq!(logit, logits()[*node as usize][*token as usize], "node {node}, token {token}");
        }
    }

    #[test]
    fn operations_fold_as_the_whole_row_does() {
        let device = ComputeDevice::tensors_on_cpu();
        check(with_operations(chunks(device.burn()), WIDTH, NODES, &edges(), device.burn()));
    }

    /// The kernel against the same numbers, and the operations on the same device.
    #[cfg(all(feature = "cubecl", not(feature = "fusion")))]
    #[test]
    fn the_kernel_folds_as_the_operations_do() {
        let Some(device) = ComputeDevice::gpu_of_tests() else { return };
        let device = device.burn();
        let kernel = super::super::kernel::Fold::new(NODES, &edges(), device).unwrap();
        check(kernel.run(chunks(device), WIDTH));
        check(with_operations(chunks(device), WIDTH, NODES, &edges(), device));
    }
}
