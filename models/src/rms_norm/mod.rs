//! The norm of Llama-type models.

#[cfg(all(feature = "cubecl", not(feature = "fusion")))]
mod kernel;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::SumSquare;

use crate::device::ComputeDevice;
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
    Host(Vec<f32>),
}

impl RmsNorm {
    /// Takes over γ.
    pub fn new(gamma: Vec<f32>, epsilon: f64, device: &ComputeDevice) -> Self {
        let gamma = if device.is_cpu() {
            Gamma::Host(gamma)
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

    fn with_operations(&self, x: Tensor<2>, gamma: &Tensor<2>) -> Tensor<2> {
        let mean_square = (x.clone() * x.clone()).mean_dim(1);
        x * (mean_square + self.epsilon).sqrt().recip() * gamma.clone()
    }

    fn on_host(&self, x: Tensor<2>, gamma: &[f32]) -> Tensor<2> {
        let (shape, device) = (x.dims(), x.device());
        let mut x = to_host(x);
        x.par_chunks_exact_mut(gamma.len()).for_each(|row| {
            let mean_square = SumSquare::new(row).dispatch() / row.len() as f32;
            let scale = (mean_square + self.epsilon as f32).sqrt().recip();
            row.iter_mut().zip(gamma).for_each(|(value, gamma)| *value *= scale * gamma);
        });
        Tensor::from_data(TensorData::new::<f32, _>(x, shape), &device)
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
