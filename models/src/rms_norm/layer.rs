use burn::tensor::Tensor;

use crate::backend::Backend;
use crate::device::ComputeDevice;

/// Root-mean-square norm: `y = x / sqrt(mean(x²) + ε) · γ`.
///
/// # Shapes
/// `x, y: [nodes, d_model]`, `γ: [d_model]`; or heads side by side, each normalised by itself: `[nodes, heads · head_dim]`,
/// `γ: [head_dim]`.
///
/// # Reference
/// Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4; ε as in Llama.
pub struct RmsNorm<B: Backend> {
    gamma: B::Vector,
    epsilon: f64,
}

impl<B: Backend> RmsNorm<B> {
    /// Takes over γ.
    pub fn new(gamma: Vec<f32>, epsilon: f64, device: &ComputeDevice) -> Self {
        Self { gamma: B::vector(gamma, device), epsilon }
    }

    /// `y = x / sqrt(mean(x²) + ε) · γ`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        B::rms_norm(x, &self.gamma, self.epsilon)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::backend::{Host, Tensors};
    use crate::to_host::to_host;

    const NODES: usize = 3;
    const WIDTH: usize = 300;

    /// Sums of 300 squares in another order.
    const TOLERANCE: f32 = 1e-5;

    fn values(phase: f32, count: usize) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * 0.7 + phase).sin() * (1 + i / WIDTH) as f32).collect()
    }

    fn forward<B: Backend>(device: &ComputeDevice) -> Vec<f32> {
        let x = TensorData::new(values(0.0, NODES * WIDTH), [NODES, WIDTH]);
        let norm = RmsNorm::<B>::new(values(1.0, WIDTH), 1e-5, device);
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
        let norm = RmsNorm::<Host>::new(vec![1.0, 2.0], 0.0, &ComputeDevice::cpu());
        let x = Tensor::from_data([[3.0, 4.0]], ComputeDevice::cpu().burn());
        let root = 12.5f32.sqrt();
        compare(&to_host(norm.forward(x)), &[3.0 / root, 8.0 / root]);
    }

    #[test]
    fn operations_and_host_agree() {
        compare(
            &forward::<Tensors>(&ComputeDevice::tensors_on_cpu()),
            &forward::<Host>(&ComputeDevice::cpu()),
        );
    }

    #[cfg(feature = "cubecl")]
    #[test]
    fn the_kernel_agrees_with_the_host() {
        let Some(device) = ComputeDevice::gpu_of_tests() else { return };
        compare(&forward::<Tensors>(&device), &forward::<Host>(&ComputeDevice::cpu()));
    }
}
