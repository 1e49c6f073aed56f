//! Softmax as one kernel; with Burn's operations it is six, each with a pass over the scores.

use burn::backend::Cube;
use burn::tensor::Tensor as BurnTensor;
use cubecl::prelude::*;

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

    let mut own = f32::new(-3.0e38);
    let mut key = unit;
    while key < keys {
        let score = scores[start + key] + bias[bias_start + key];
        if score > own {
            own = score;
        }
        key += units;
    }
    let mut shared = Shared::new_slice(units);
    shared[unit] = own;
    sync_cube();
    let mut half = (units / 2).runtime();
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            if other > shared[unit] {
                shared[unit] = other;
            }
        }
        sync_cube();
        half /= 2;
    }
    let max = shared[0];
    // Everyone has read the maximum before the sums take its place.
    sync_cube();

    let mut own = f32::new(0.0);
    let mut key = unit;
    while key < keys {
        let weight = (scores[start + key] + bias[bias_start + key] - max).exp();
        weights[start + key] = weight;
        own += weight;
        key += units;
    }
    shared[unit] = own;
    sync_cube();
    let mut half = (units / 2).runtime();
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            shared[unit] += other;
        }
        sync_cube();
        half /= 2;
    }
    let sum = shared[0];

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
