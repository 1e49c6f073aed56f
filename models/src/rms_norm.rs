use burn::tensor::{Tensor, TensorData};

use crate::device::ComputeDevice;

/// Root-mean-square norm: `y = x / sqrt(mean(x²) + ε) · γ`.
///
/// # Shapes
/// `x, y: [nodes, d_model]`, `γ: [d_model]`.
///
/// # Reference
/// Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4; ε as in Llama.
pub struct RmsNorm {
    gamma: Tensor<2>,
    epsilon: f64,
}

impl RmsNorm {
    /// Takes over γ.
    pub fn new(gamma: Vec<f32>, epsilon: f64, device: &ComputeDevice) -> Self {
        let shape = [1, gamma.len()];
        Self { gamma: Tensor::from_data(TensorData::new(gamma, shape), device.burn()), epsilon }
    }

    /// `y = x / sqrt(mean(x²) + ε) · γ`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mean_square = (x.clone() * x.clone()).mean_dim(1);
        x * (mean_square + self.epsilon).sqrt().recip() * self.gamma.clone()
    }
}
