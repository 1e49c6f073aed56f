use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;
use rten_simd::SimdUnaryOp;
use rten_vecmath::{ApproxGelu, Gelu, Silu};
#[cfg(feature = "training")]
use rten_vecmath::{Erf, Sigmoid, Tanh};

use super::activation::Activation;
use crate::gradient::{Derivative, Inputs};
use crate::to_host::to_host;

/// `act(gate) · up` on host memory.
pub fn gated(gate: Tensor<2>, up: Tensor<2>, activation: Activation) -> Tensor<2> {
    let (shape, device, inputs) = (gate.dims(), gate.device(), Inputs::of([&gate, &up]));
    let (mut gate, up) = (to_host(gate), to_host(up));
    let kept = inputs.is_recorded().then(|| gate.clone());
    gate.par_chunks_mut(shape[1]).zip(up.par_chunks(shape[1])).for_each(|(gate, up)| {
        map(activation, gate);
        gate.iter_mut().zip(up).for_each(|(gate, up)| *gate *= up);
    });
    let kept = || Gated { gate: kept.unwrap_or_default().into(), up: up.into(), activation };
    inputs.finish(gate, shape, &device, kept)
}

fn map(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Silu => Silu {}.map_mut(values),
        Activation::GeluTanh => ApproxGelu {}.map_mut(values),
        Activation::Gelu => Gelu {}.map_mut(values),
        Activation::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
    }
}

/// What the way back needs of `act(gate) · up`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
struct Gated {
    gate: Arc<Vec<f32>>,
    up: Arc<Vec<f32>>,
    activation: Activation,
}

impl Derivative<2> for Gated {
    /// `∂L/∂gate = ∂L/∂y · up · act'(gate)`, `∂L/∂up = ∂L/∂y · act(gate)`.
    ///
    /// With `σ = 1 / (1 + exp(−x))` the first `act' = σ·(1 + x·(1 − σ))`; with `t = tanh(u)`, `u = c·(x + 0.044715·x³)`,
    /// `c = sqrt(2/π)` the second `act' = (1 + t)/2 + x/2 · (1 − t²) · c·(1 + 3·0.044715·x²)`; with `e = erf(x/√2)` the third
    /// `act' = (1 + e)/2 + x·exp(−x²/2)/√(2π)`.
    #[cfg(feature = "training")]
    fn gradients(&self, mut y: Vec<f32>) -> [Vec<f32>; 2] {
        const CHUNK: usize = 4096;
        const CUBIC: f32 = 0.044_715;
        let root = std::f32::consts::FRAC_2_PI.sqrt();
        let mut of_up = vec![0.0; y.len()];
        let inputs = self.gate.par_chunks(CHUNK).zip(self.up.par_chunks(CHUNK));
        y.par_chunks_mut(CHUNK).zip(of_up.par_chunks_mut(CHUNK)).zip(inputs).for_each(
            |((y, of_up), (gate, up))| match self.activation {
                Activation::Silu => {
                    of_up.copy_from_slice(gate);
                    Sigmoid {}.map_mut(of_up);
                    for (((y, of_up), gate), up) in y.iter_mut().zip(of_up).zip(gate).zip(up) {
                        let (gradient, sigma) = (*y, *of_up);
                        *of_up = gradient * gate * sigma;
                        *y = gradient * up * sigma * (1.0 + gate * (1.0 - sigma));
                    }
                }
                Activation::GeluTanh => {
                    let inner = gate.iter().map(|x| root * (x + CUBIC * x * x * x));
                    of_up.iter_mut().zip(inner).for_each(|(of_up, inner)| *of_up = inner);
                    Tanh {}.map_mut(of_up);
                    for (((y, of_up), x), up) in y.iter_mut().zip(of_up).zip(gate).zip(up) {
                        let (gradient, tanh) = (*y, *of_up);
                        *of_up = gradient * 0.5 * x * (1.0 + tanh);
                        let slope = 0.5 * x * (1.0 - tanh * tanh) * root * (1.0 + 3.0 * CUBIC * x * x);
                        *y = gradient * up * (0.5 * (1.0 + tanh) + slope);
                    }
                }
                Activation::Gelu => {
                    let inner = gate.iter().map(|x| x * std::f32::consts::FRAC_1_SQRT_2);
                    of_up.iter_mut().zip(inner).for_each(|(of_up, inner)| *of_up = inner);
                    Erf {}.map_mut(of_up);
                    let density = std::f32::consts::TAU.sqrt().recip();
                    for (((y, of_up), x), up) in y.iter_mut().zip(of_up).zip(gate).zip(up) {
                        let (gradient, share) = (*y, 0.5 * (1.0 + *of_up));
                        *of_up = gradient * x * share;
                        *y = gradient * up * (share + x * density * (-0.5 * x * x).exp());
                    }
                }
                Activation::Relu => {
                    for (((y, of_up), x), up) in y.iter_mut().zip(of_up).zip(gate).zip(up) {
                        *of_up = *y * x.max(0.0);
                        *y = if *x > 0.0 { *y * up } else { 0.0 };
                    }
                }
            },
        );
        [y, of_up]
    }
}

#[cfg(all(test, feature = "training"))]
mod tests {
    use super::*;

    /// Differences of f32 over a step of 1e-2.
    const TOLERANCE: f32 = 2e-3;

    #[test]
    fn gradients_are_slopes() {
        let device = burn::tensor::Device::flex();
        // None at 0, where ReLU has no slope.
        let gate: Vec<f32> = (0..9).map(|i| i as f32 * 0.8 - 3.1).collect();
        let up: Vec<f32> = (0..9).map(|i| 1.0 - i as f32 * 0.3).collect();
        for activation in [Activation::Silu, Activation::GeluTanh, Activation::Gelu, Activation::Relu] {
            let y = |gate: &[f32], up: &[f32]| {
                let tensor = |values: &[f32]| {
                    let data = burn::tensor::TensorData::new(values.to_vec(), [1, 9]);
                    Tensor::<2>::from_data(data, &device)
                };
                to_host(gated(tensor(gate), tensor(up), activation))
            };
            let kept = Gated { gate: gate.clone().into(), up: up.clone().into(), activation };
            let [of_gate, of_up] = kept.gradients(vec![1.0; 9]);
            let moved = |values: &[f32], by: f32| -> Vec<f32> { values.iter().map(|x| x + by).collect() };
            let step = 1e-2;
            for (index, (gate_slope, up_slope)) in of_gate.iter().zip(&of_up).enumerate() {
                let slope = |high: Vec<f32>, low: Vec<f32>| (high[index] - low[index]) / (2.0 * step);
                let found = slope(y(&moved(&gate, step), &up), y(&moved(&gate, -step), &up));
                assert!(
                    (found - gate_slope).abs() < TOLERANCE,
                    "{activation:?} {index}: {found} {gate_slope}"
                );
                let found = slope(y(&gate, &moved(&up, step)), y(&gate, &moved(&up, -step)));
                assert!((found - up_slope).abs() < TOLERANCE, "{activation:?} {index}: {found} {up_slope}");
            }
        }
    }
}
