//! Softmax as one kernel; with Burn's operations it is six, each with a pass over the scores.

use burn::backend::Cube;
use burn::tensor::Tensor as BurnTensor;
use cubecl::prelude::*;

use crate::cube::{LOWEST, larger_of, largest_of_units, sum_of_units};

/// Workers of a row: a power of two, and the least number of keys.
const UNITS: u32 = 64;

/// One row of scores for each cube; rows and heads lie along x, blocks along y.
#[cube(launch)]
fn softmax_row(
    scores: &Tensor<f32>,
    bias: &Tensor<f32>,
    weights: &mut Tensor<f32>,
    rows: u32,
    #[comptime] units: usize,
) {
    let unit = UNIT_POS_X as usize;
    let keys = scores.shape(3);
    let start = (CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X) as usize * keys;
    let bias_start = (CUBE_POS_Y * rows + CUBE_POS_X % rows) as usize * keys;

    let mut shared = Shared::new_slice(units);
    let mut own = f32::new(LOWEST);
    let mut key = unit;
    while key < keys {
        own = larger_of(own, scores[start + key] + bias[bias_start + key]);
        key += units;
    }
    let max = largest_of_units(own, &mut shared, units);

    let mut own = f32::new(0.0);
    let mut key = unit;
    while key < keys {
        let weight = (scores[start + key] + bias[bias_start + key] - max).exp();
        weights[start + key] = weight;
        own += weight;
        key += units;
    }
    let sum = sum_of_units(own, &mut shared, units);

    let mut key = unit;
    while key < keys {
        weights[start + key] /= sum;
        key += units;
    }
}

/// See [`masked_softmax`](super::masked_softmax); `None` on a device that has no such kernels.
pub fn masked_softmax(scores: &BurnTensor<4>, bias: &BurnTensor<4>) -> Option<BurnTensor<4>> {
    let shape = scores.dims();
    let [blocks, heads, rows, _] = shape;
    // One axis, so that its rows lie behind each other whatever the device likes best.
    let weights = BurnTensor::<1>::empty([shape.iter().product::<usize>()], &scores.device());
    let contiguous = |tensor: &BurnTensor<4>| {
        tensor.clone().try_into_primitive::<Cube>().ok().map(burn_cubecl::kernel::into_contiguous)
    };
    let (scores, bias) = (contiguous(scores)?, contiguous(bias)?);
    let out = weights.clone().try_into_primitive::<Cube>().ok()?;
    let client = scores.client.clone();
    softmax_row::launch(
        &client,
        CubeCount::Static((heads * rows) as u32, blocks as u32, 1),
        CubeDim::new_1d(UNITS),
        scores.into_tensor_arg(),
        bias.into_tensor_arg(),
        out.into_tensor_arg(),
        rows as u32,
        UNITS as usize,
    );
    Some(weights.reshape(shape))
}
