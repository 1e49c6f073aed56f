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
                let mean_square = (x.clone() * x.clone()).mean_dim(1);
                x * (mean_square + self.epsilon).sqrt().recip() * gamma.as_ref().clone()
            }
            Gamma::Host(gamma) => self.on_host(x, gamma),
        }
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
