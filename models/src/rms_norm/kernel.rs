//! The norm as one kernel, which reads its input twice; with Burn's operations it is seven, each with a pass over
//! memory.

use burn::backend::Cube;
use burn::tensor::Tensor as BurnTensor;
use cubecl::prelude::*;

use crate::cube::sum_of_units;

/// Workers of a node: a power of two, and what every adapter allows.
const UNITS: u32 = 128;

/// One node for each cube.
#[cube(launch)]
fn norm_row(
    x: &Tensor<f32>,
    gamma: &Tensor<f32>,
    y: &mut Tensor<f32>,
    epsilon: f32,
    #[comptime] units: usize,
) {
    let node = CUBE_POS_X as usize;
    let unit = UNIT_POS_X as usize;
    let columns = x.shape(1);
    let row = node * x.stride(0);

    let mut own = f32::new(0.0);
    let mut column = unit;
    while column < columns {
        own += x[row + column] * x[row + column];
        column += units;
    }
    let mut shared = Shared::new_slice(units);
    let sum = sum_of_units(own, &mut shared, units);
    let root = (sum / f32::cast_from(columns as u32) + epsilon).sqrt();

    let out = node * y.stride(0);
    let mut column = unit;
    while column < columns {
        y[out + column] = x[row + column] / root * gamma[column];
        column += units;
    }
}

/// `x / sqrt(mean(x²) + ε) · γ`; `None` on a device that has no such kernels.
///
/// # Shapes
/// `x, y: [nodes, d_model]`, `gamma: [1, d_model]`.
pub fn rms_norm(x: &BurnTensor<2>, gamma: &BurnTensor<2>, epsilon: f32) -> Option<BurnTensor<2>> {
    let [nodes, _] = x.dims();
    let y = BurnTensor::<2>::empty(x.dims(), &x.device());
    let primitive = |tensor: &BurnTensor<2>| tensor.clone().try_into_primitive::<Cube>().ok();
    let (x, gamma, out) = (primitive(x)?, primitive(gamma)?, primitive(&y)?);
    let x = burn_cubecl::kernel::into_contiguous(x);
    let client = x.client.clone();
    norm_row::launch(
        &client,
        CubeCount::Static(nodes as u32, 1, 1),
        CubeDim::new_1d(UNITS),
        x.into_tensor_arg(),
        gamma.into_tensor_arg(),
        out.into_tensor_arg(),
        epsilon,
        UNITS as usize,
    );
    Some(y)
}
