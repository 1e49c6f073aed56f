//! The norm of Llama-type models.

#[cfg(all(feature = "cubecl", not(feature = "fusion")))]
mod kernel;

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::SumSquare;

use crate::device::ComputeDevice;
use crate::gradient::{Derivative, Inputs};
use crate::linear::to_host;

/// Root-mean-square norm: `y = x / sqrt(mean(x²) + ε) · γ`.
///
/// # Shapes
/// `x, y: [nodes, d_model]`, `γ: [d_model]`.
///
/// # Reference
/// Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4; ε as in Llama.
pub struct RmsNorm {
    gamma: Gamma,
    epsilon: f64,
}

enum Gamma {
    /// `[1, d_model]`
    Tensor(Box<Tensor<2>>),
    Host(Arc<[f32]>),
}

impl RmsNorm {
    /// Takes over γ.
    pub fn new(gamma: Vec<f32>, epsilon: f64, device: &ComputeDevice) -> Self {
        let gamma = if device.is_cpu() {
            Gamma::Host(gamma.into())
        } else {
            let shape = [1, gamma.len()];
            Gamma::Tensor(Box::new(Tensor::from_data(TensorData::new(gamma, shape), device.burn())))
        };
        Self { gamma, epsilon }
    }

    /// `y = x / sqrt(mean(x²) + ε) · γ`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.gamma {
            Gamma::Tensor(gamma) => {
                #[cfg(all(feature = "cubecl", not(feature = "fusion")))]
                if let Some(y) = kernel::rms_norm(&x, gamma, self.epsilon as f32) {
                    return y;
                }
                self.with_operations(x, gamma)
            }
            Gamma::Host(gamma) => self.on_host(x, gamma),
        }
    }

    /// The same for each head of a node by itself.
    ///
    /// # Shapes
    /// `[nodes, heads · head_dim]`, `γ: [head_dim]`.
    pub fn forward_heads(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.gamma {
            // Rows of γ's length, whatever they belong to.
            Gamma::Host(gamma) => self.on_host(x, gamma),
            Gamma::Tensor(gamma) => {
                let ([nodes, width], [_, head_dim]) = (x.dims(), gamma.dims());
                self.forward(x.reshape([nodes * width / head_dim, head_dim])).reshape([nodes, width])
            }
        }
    }

    fn with_operations(&self, x: Tensor<2>, gamma: &Tensor<2>) -> Tensor<2> {
        let mean_square = (x.clone() * x.clone()).mean_dim(1);
        x * (mean_square + self.epsilon).sqrt().recip() * gamma.clone()
    }

    fn on_host(&self, x: Tensor<2>, gamma: &Arc<[f32]>) -> Tensor<2> {
        let (shape, device, inputs) = (x.dims(), x.device(), Inputs::of([&x]));
        let mut x = to_host(x);
        let kept = inputs.is_recorded().then(|| x.clone());
        let epsilon = self.epsilon as f32;
        x.par_chunks_exact_mut(gamma.len()).for_each(|row| {
            let scale = inverse_root(row, epsilon);
            row.iter_mut().zip(&**gamma).for_each(|(value, gamma)| *value *= scale * gamma);
        });
        inputs.finish(x, shape, &device, || Normalised {
            x: kept.unwrap_or_default().into(),
            gamma: gamma.clone(),
            epsilon,
        })
    }
}

/// `1 / sqrt(mean(x²) + ε)`
fn inverse_root(row: &[f32], epsilon: f32) -> f32 {
    let mean_square = SumSquare::new(row).dispatch() / row.len() as f32;
    (mean_square + epsilon).sqrt().recip()
}

/// What the way back needs of `y = x · s · γ` with `s = 1 / sqrt(mean(x²) + ε)`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
struct Normalised {
    x: Arc<[f32]>,
    gamma: Arc<[f32]>,
    epsilon: f32,
}

impl Derivative<1> for Normalised {
    /// With `g = ∂L/∂y · γ`: `∂L/∂x = s·g − x · s³ · mean(g·x)`.
    #[cfg(feature = "training")]
    fn gradients(&self, mut y: Vec<f32>) -> [Vec<f32>; 1] {
        let width = self.gamma.len();
        y.par_chunks_exact_mut(width).zip(self.x.par_chunks_exact(width)).for_each(|(y, x)| {
            let scale = inverse_root(x, self.epsilon);
            y.iter_mut().zip(&*self.gamma).for_each(|(y, gamma)| *y *= gamma);
            let mean = y.iter().zip(x).map(|(y, x)| y * x).sum::<f32>() / width as f32;
            let along = scale.powi(3) * mean;
            y.iter_mut().zip(x).for_each(|(y, x)| *y = scale * *y - along * x);
        });
        [y]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: usize = 3;
    const WIDTH: usize = 300;

    /// Sums of 300 squares in another order.
    const TOLERANCE: f32 = 1e-5;

    fn values(phase: f32, count: usize) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * 0.7 + phase).sin() * (1 + i / WIDTH) as f32).collect()
    }

    fn forward(device: &ComputeDevice) -> Vec<f32> {
        let x = TensorData::new(values(0.0, NODES * WIDTH), [NODES, WIDTH]);
        let norm = RmsNorm::new(values(1.0, WIDTH), 1e-5, device);
        to_host(norm.forward(Tensor::from_data(x, device.burn())))
    }

    fn compare(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < TOLERANCE, "{a} {b}");
        }
    }

    #[test]
    fn a_row_by_hand() {
        let norm = RmsNorm::new(vec![1.0, 2.0], 0.0, &ComputeDevice::cpu());
        let x = Tensor::from_data([[3.0, 4.0]], ComputeDevice::cpu().burn());
        let root = 12.5f32.sqrt();
        compare(&to_host(norm.forward(x)), &[3.0 / root, 8.0 / root]);
    }

    #[test]
    fn operations_and_host_agree() {
        compare(&forward(&ComputeDevice::tensors_on_cpu()), &forward(&ComputeDevice::cpu()));
    }

    #[cfg(feature = "cubecl")]
    #[test]
    fn the_kernel_agrees_with_the_host() {
        let Some(device) = ComputeDevice::gpu_of_tests() else { return };
        compare(&forward(&device), &forward(&ComputeDevice::cpu()));
    }
}
