use std::sync::Arc;

use burn::tensor::Tensor;
use burn::tensor::activation::silu;
use rayon::prelude::*;
use rten_simd::SimdUnaryOp;
#[cfg(feature = "training")]
use rten_vecmath::Sigmoid;
use rten_vecmath::Silu;

use crate::device::ComputeDevice;
use crate::gradient::{Derivative, Inputs};
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
    let (shape, device, inputs) = (gate.dims(), gate.device(), Inputs::of([&gate, &up]));
    let (mut gate, up) = (to_host(gate), to_host(up));
    let kept = inputs.is_recorded().then(|| gate.clone());
    gate.par_chunks_mut(shape[1]).zip(up.par_chunks(shape[1])).for_each(|(gate, up)| {
        Silu {}.map_mut(gate);
        gate.iter_mut().zip(up).for_each(|(gate, up)| *gate *= up);
    });
    let kept = || Gated { gate: kept.unwrap_or_default().into(), up: up.into() };
    inputs.finish(gate, shape, &device, kept)
}

/// What the way back needs of `silu(gate) · up`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
struct Gated {
    gate: Arc<[f32]>,
    up: Arc<[f32]>,
}

impl Derivative<2> for Gated {
    /// With `σ = 1 / (1 + exp(−gate))`: `∂L/∂gate = ∂L/∂y · up · σ·(1 + gate·(1 − σ))`,
    /// `∂L/∂up = ∂L/∂y · gate·σ`.
    #[cfg(feature = "training")]
    fn gradients(&self, mut y: Vec<f32>) -> [Vec<f32>; 2] {
        const CHUNK: usize = 4096;
        let mut of_up = vec![0.0; y.len()];
        let inputs = self.gate.par_chunks(CHUNK).zip(self.up.par_chunks(CHUNK));
        y.par_chunks_mut(CHUNK).zip(of_up.par_chunks_mut(CHUNK)).zip(inputs).for_each(
            |((y, of_up), (gate, up))| {
                of_up.copy_from_slice(gate);
                Sigmoid {}.map_mut(of_up);
                for (((y, of_up), gate), up) in y.iter_mut().zip(of_up).zip(gate).zip(up) {
                    let (gradient, sigma) = (*y, *of_up);
                    *of_up = gradient * gate * sigma;
                    *y = gradient * up * sigma * (1.0 + gate * (1.0 - sigma));
                }
            },
        );
        [y, of_up]
    }
}
