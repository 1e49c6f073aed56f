use burn::tensor::activation::silu;
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;
use rten_simd::SimdUnaryOp;
use rten_vecmath::Silu;

use crate::device::ComputeDevice;
use crate::linear::to_host;

/// Gated activation `silu(gate) · up`, with `silu(x) = x / (1 + exp(−x))`.
///
/// # Shapes
/// All `[nodes, d_ff]`.
///
/// # Reference
/// Shazeer 2020, "GLU Variants Improve Transformer", eq. 6.
pub fn swiglu(gate: Tensor<2>, up: Tensor<2>, device: &ComputeDevice) -> Tensor<2> {
    if !device.is_cpu() {
        return silu(gate) * up;
    }
    let shape: [usize; 2] = gate.dims();
    let (mut gate, up) = (to_host(gate), to_host(up));
    gate.par_chunks_mut(shape[1]).zip(up.par_chunks(shape[1])).for_each(|(gate, up)| {
        Silu {}.map_mut(gate);
        gate.iter_mut().zip(up).for_each(|(gate, up)| *gate *= up);
    });
    Tensor::from_data(TensorData::new::<f32, _>(gate, shape), device.burn())
}
