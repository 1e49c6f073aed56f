//! The fold of the head as one kernel for each chunk, for every GPU that Burn reaches through cubecl.

use burn::backend::Cube;
use burn::tensor::{Device, Int, Tensor as BurnTensor};
use cubecl::prelude::*;

use super::edges::{NodeEdges, ints};
use super::folded::Folded;
use crate::cube::{LOWEST, larger_of};

/// Workers of a node: a power of two, and what every adapter allows.
const UNITS: u32 = 256;

/// One node for each cube: its workers walk its logits once, each with a maximum and a sum of its own, join them
/// with those of the chunks before, and pick the logits of the edges.
#[cube(launch)]
fn fold_chunk(
    logits: &Tensor<f32>,
    first_edges: &Tensor<i32>,
    tokens: &Tensor<i32>,
    max: &mut Tensor<f32>,
    sum: &mut Tensor<f32>,
    edge_logits: &mut Tensor<f32>,
    start: i32,
    #[comptime] units: usize,
) {
    let node = CUBE_POS_X as usize;
    let unit = UNIT_POS_X as usize;
    let columns = logits.shape(1);
    let row = node * logits.stride(0);

    let mut own_max = f32::new(LOWEST);
    let mut own_sum = f32::new(0.0);
    let mut column = unit;
    while column < columns {
        let logit = logits[row + column];
        if logit > own_max {
            own_sum = own_sum * (own_max - logit).exp() + f32::new(1.0);
            own_max = logit;
        } else {
            own_sum += (logit - own_max).exp();
        }
        column += units;
    }

    let mut maxima = Shared::new_slice(units);
    let mut sums = Shared::new_slice(units);
    maxima[unit] = own_max;
    sums[unit] = own_sum;
    sync_cube();
    let mut half = (units / 2).runtime();
    while half > 0 {
        if unit < half {
            let (a, b) = (maxima[unit], maxima[unit + half]);
            let larger = larger_of(a, b);
            sums[unit] = sums[unit] * (a - larger).exp() + sums[unit + half] * (b - larger).exp();
            maxima[unit] = larger;
        }
        sync_cube();
        half /= 2;
    }
    if unit == 0 {
        let larger = larger_of(max[node], maxima[0]);
        sum[node] = sum[node] * (max[node] - larger).exp() + sums[0] * (maxima[0] - larger).exp();
        max[node] = larger;
    }

    let end = first_edges[node + 1] as usize;
    let mut edge = first_edges[node] as usize + unit;
    while edge < end {
        let column = tokens[edge] - start;
        if column >= 0 && (column as usize) < columns {
            edge_logits[edge] = logits[row + column as usize];
        }
        edge += units;
    }
}

/// The buffers of a fold on the GPU.
pub struct Fold {
    nodes: usize,
    /// The first edge of every node, and behind them the number of edges: `[nodes + 1]`.
    first_edges: BurnTensor<1, Int>,
    tokens: BurnTensor<1, Int>,
    folded: Folded,
}

impl Fold {
    /// `None` on a device that has no such kernels.
    pub fn new(nodes: usize, edges: &NodeEdges, device: &Device) -> Option<Self> {
        let full = |value: f32, len: usize| BurnTensor::<1>::full([len], value, device);
        let max = full(LOWEST, nodes);
        max.clone().try_into_primitive::<Cube>().ok()?;
        let first = |node: i32| edges.nodes.partition_point(|at| *at < node) as i32;
        let first_edges = (0..=nodes as i32).map(first).collect();
        let folded = Folded { max, sum: full(0.0, nodes), logits: full(0.0, edges.tokens.len()) };
        let tokens = ints(edges.tokens.clone(), device);
        Some(Self { nodes, first_edges: ints(first_edges, device), tokens, folded })
    }

    /// See [`fold`](super::fold::fold).
    pub fn run(self, chunks: impl Iterator<Item = BurnTensor<2>>, width: usize) -> Folded {
        for (number, logits) in chunks.enumerate() {
            self.add(logits, (number * width) as i32);
        }
        self.folded
    }

    /// Starts the kernel, which writes into the buffers of `folded`.
    fn add(&self, logits: BurnTensor<2>, start: i32) {
        let argument = |tensor: &BurnTensor<1>| float(tensor.clone());
        let Folded { max, sum, logits: edge_logits } = &self.folded;
        let logits = logits.try_into_primitive::<Cube>().expect("logits lie where the buffers lie");
        let client = logits.client.clone();
        fold_chunk::launch(
            &client,
            CubeCount::Static(self.nodes as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            logits.into_tensor_arg(),
            int(self.first_edges.clone()),
            int(self.tokens.clone()),
            argument(max),
            argument(sum),
            argument(edge_logits),
            start,
            UNITS as usize,
        );
    }
}

fn float(tensor: BurnTensor<1>) -> TensorArg {
    tensor.try_into_primitive::<Cube>().expect("the buffers were made on such a device").into_tensor_arg()
}

fn int(tensor: BurnTensor<1, Int>) -> TensorArg {
    tensor.try_into_primitive::<Cube>().expect("the buffers were made on such a device").into_tensor_arg()
}
