use burn::tensor::Tensor;

use crate::backend::Backend;
use crate::device::ComputeDevice;

/// Layer norm: `y = (x − μ) / sqrt(mean((x − μ)²) + ε) · γ + β` with `μ = mean(x)`.
///
/// # Shapes
/// `x, y: [nodes, d_model]`, `γ, β: [d_model]`.
///
/// # Reference
/// Ba, Kiros, Hinton 2016, "Layer Normalization".
pub struct LayerNorm<B: Backend> {
    gamma: B::Vector,
    beta: B::Vector,
    epsilon: f64,
}

impl<B: Backend> LayerNorm<B> {
    /// Takes over γ and β.
    pub fn new(gamma: Vec<f32>, beta: Vec<f32>, epsilon: f64, device: &ComputeDevice) -> Self {
        Self { gamma: B::vector(gamma, device), beta: B::vector(beta, device), epsilon }
    }

    /// Normalises every row.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        B::layer_norm(x, &self.gamma, &self.beta, self.epsilon)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::backend::{Host, Tensors};
    use crate::to_host::to_host;

    const WIDTH: usize = 7;

    fn norm<B: Backend>(device: &ComputeDevice) -> LayerNorm<B> {
        let gamma = (0..WIDTH).map(|i| 1.0 + 0.1 * i as f32).collect();
        LayerNorm::new(gamma, vec![0.5; WIDTH], 1e-5, device)
    }

    fn forward<B: Backend>(values: &[f32], device: &ComputeDevice) -> Vec<f32> {
        let x = TensorData::new(values.to_vec(), [values.len() / WIDTH, WIDTH]);
        to_host(norm::<B>(device).forward(Tensor::from_data(x, device.burn())))
    }

    fn values() -> Vec<f32> {
        (0..3 * WIDTH).map(|i| (i as f32 * 0.7).sin() * 3.0 + 1.0).collect()
    }

    #[test]
    fn a_row_by_hand() {
        let device = ComputeDevice::cpu();
        let norm = LayerNorm::<Host>::new(vec![1.0, 2.0], vec![0.0, 1.0], 0.0, &device);
        let y = to_host(norm.forward(Tensor::from_data([[3.0, 5.0]], device.burn())));
        assert_eq!(y, [-1.0, 3.0], "mean 4, deviation 1");
    }

    #[test]
    fn operations_and_host_agree() {
        let (host, tensors) = (ComputeDevice::cpu(), ComputeDevice::tensors_on_cpu());
        for (a, b) in forward::<Host>(&values(), &host).iter().zip(forward::<Tensors>(&values(), &tensors)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
