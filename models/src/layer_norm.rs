//! Layer norm, and the choice between it and the root-mean-square norm.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::device::ComputeDevice;
use crate::gradient::{Derivative, Inputs};
use crate::linear::to_host;
use crate::rms_norm::RmsNorm;

/// The norm of a family.
pub enum Norm {
    /// Of Llama and its kin.
    Rms(RmsNorm),
    /// Of GPT-2.
    Layer(LayerNorm),
}

impl Norm {
    /// Normalises every row.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Rms(norm) => norm.forward(x),
            Self::Layer(norm) => norm.forward(x),
        }
    }
}

/// Layer norm: `y = (x − μ) / sqrt(mean((x − μ)²) + ε) · γ + β` with `μ = mean(x)`.
///
/// # Shapes
/// `x, y: [nodes, d_model]`, `γ, β: [d_model]`.
///
/// # Reference
/// Ba, Kiros, Hinton 2016, "Layer Normalization".
pub struct LayerNorm {
    weights: Weights,
    epsilon: f64,
}

enum Weights {
    /// γ and β, each `[1, d_model]`.
    Tensor(Box<[Tensor<2>; 2]>),
    Host(Arc<[f32]>, Vec<f32>),
}

impl LayerNorm {
    /// Takes over γ and β.
    pub fn new(gamma: Vec<f32>, beta: Vec<f32>, epsilon: f64, device: &ComputeDevice) -> Self {
        let weights = if device.is_cpu() {
            Weights::Host(gamma.into(), beta)
        } else {
            let tensor = |values: Vec<f32>| {
                let shape = [1, values.len()];
                Tensor::from_data(TensorData::new(values, shape), device.burn())
            };
            Weights::Tensor(Box::new([tensor(gamma), tensor(beta)]))
        };
        Self { weights, epsilon }
    }

    /// Normalises every row.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.weights {
            Weights::Tensor(weights) => {
                let [gamma, beta] = &**weights;
                let centred = x.clone() - x.mean_dim(1);
                let variance = (centred.clone() * centred.clone()).mean_dim(1);
                centred * (variance + self.epsilon).sqrt().recip() * gamma.clone() + beta.clone()
            }
            Weights::Host(gamma, beta) => self.on_host(x, gamma, beta),
        }
    }

    fn on_host(&self, x: Tensor<2>, gamma: &Arc<[f32]>, beta: &[f32]) -> Tensor<2> {
        let (shape, device, inputs) = (x.dims(), x.device(), Inputs::of([&x]));
        let mut x = to_host(x);
        let kept = inputs.is_recorded().then(|| x.clone());
        let epsilon = self.epsilon as f32;
        x.par_chunks_exact_mut(gamma.len()).for_each(|row| {
            let (mean, scale) = moments(row, epsilon);
            for ((value, gamma), beta) in row.iter_mut().zip(&**gamma).zip(beta) {
                *value = (*value - mean) * scale * gamma + beta;
            }
        });
        inputs.finish(x, shape, &device, || Normalised {
            x: kept.unwrap_or_default().into(),
            gamma: gamma.clone(),
            epsilon,
        })
    }
}

/// `μ` and `1 / sqrt(mean((x − μ)²) + ε)`
fn moments(row: &[f32], epsilon: f32) -> (f32, f32) {
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
    (mean, (variance + epsilon).sqrt().recip())
}

/// What the way back needs.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
struct Normalised {
    x: Arc<[f32]>,
    gamma: Arc<[f32]>,
    epsilon: f32,
}

impl Derivative<1> for Normalised {
    /// With `s = 1 / sqrt(mean((x − μ)²) + ε)`, `n = (x − μ)·s` and `g = ∂L/∂y · γ`: `∂L/∂x = s·(g − mean(g) − n·mean(g·n))`.
    #[cfg(feature = "training")]
    fn gradients(&self, mut y: Vec<f32>) -> [Vec<f32>; 1] {
        let width = self.gamma.len();
        y.par_chunks_exact_mut(width).zip(self.x.par_chunks_exact(width)).for_each(|(y, x)| {
            let (mean, scale) = moments(x, self.epsilon);
            y.iter_mut().zip(&*self.gamma).for_each(|(y, gamma)| *y *= gamma);
            let mean_g = y.iter().sum::<f32>() / width as f32;
            let along = y.iter().zip(x).map(|(g, x)| g * (x - mean) * scale).sum::<f32>() / width as f32;
            y.iter_mut().zip(x).for_each(|(y, x)| *y = scale * (*y - mean_g - (x - mean) * scale * along));
        });
        [y]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 7;

    fn norm(device: &ComputeDevice) -> LayerNorm {
        let gamma = (0..WIDTH).map(|i| 1.0 + 0.1 * i as f32).collect();
        LayerNorm::new(gamma, vec![0.5; WIDTH], 1e-5, device)
    }

    fn forward(values: &[f32], device: &ComputeDevice) -> Vec<f32> {
        let x = TensorData::new(values.to_vec(), [values.len() / WIDTH, WIDTH]);
        to_host(norm(device).forward(Tensor::from_data(x, device.burn())))
    }

    fn values() -> Vec<f32> {
        (0..3 * WIDTH).map(|i| (i as f32 * 0.7).sin() * 3.0 + 1.0).collect()
    }

    #[test]
    fn a_row_by_hand() {
        let device = ComputeDevice::cpu();
        let norm = LayerNorm::new(vec![1.0, 2.0], vec![0.0, 1.0], 0.0, &device);
        let y = to_host(norm.forward(Tensor::from_data([[3.0, 5.0]], device.burn())));
        assert_eq!(y, [-1.0, 3.0], "mean 4, deviation 1");
    }

    #[test]
    fn operations_and_host_agree() {
        let (host, tensors) = (ComputeDevice::cpu(), ComputeDevice::tensors_on_cpu());
        for (a, b) in forward(&values(), &host).iter().zip(forward(&values(), &tensors)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[cfg(feature = "training")]
    #[test]
    fn gradients_are_slopes() {
        let device = ComputeDevice::cpu();
        let x = values();
        let gamma: Vec<f32> = (0..WIDTH).map(|i| 1.0 + 0.1 * i as f32).collect();
        let kept = Normalised { x: x.clone().into(), gamma: gamma.into(), epsilon: 1e-5 };
        let weights: Vec<f32> = (0..x.len()).map(|i| (i as f32 * 1.3).cos()).collect();
        let [gradient] = kept.gradients(weights.clone());
        let loss = |x: &[f32]| -> f32 { forward(x, &device).iter().zip(&weights).map(|(y, w)| y * w).sum() };
        for (at, slope) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut x = x.clone();
                x[at] += by;
                loss(&x)
            };
            let found = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((found - slope).abs() < 5e-3, "{at}: {found} {slope}");
        }
    }
}
