//! Softmax of masked attention scores on a GPU.

#[cfg(all(feature = "cubecl", not(feature = "fusion")))]
mod kernel;

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

/// `softmax(scores + bias)` over the keys, with our kernel where there is one, else with Burn's operations.
///
/// # Shapes
/// `scores` and the result `[blocks, heads, rows, keys]`, `bias: [blocks, 1, rows, keys]`.
pub fn masked_softmax(scores: Tensor<4>, bias: &Tensor<4>) -> Tensor<4> {
    #[cfg(all(feature = "cubecl", not(feature = "fusion")))]
    if let Some(weights) = kernel::masked_softmax(&scores, bias) {
        return weights;
    }
    softmax(scores + bias.clone(), 3)
}

#[cfg(all(test, feature = "cubecl"))]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::device::ComputeDevice;
    use crate::to_host::to_host;

    const SHAPE: [usize; 4] = [2, 3, 5, 150];

    /// Sums of 150 numbers in another order, of which the largest is 1.
    const TOLERANCE: f32 = 1e-6;

    fn weights(device: &ComputeDevice) -> Vec<f32> {
        let [blocks, heads, rows, keys] = SHAPE;
        let scores: Vec<f32> =
            (0..blocks * heads * rows * keys).map(|i| 20.0 * (i as f32 * 0.7).sin()).collect();
        // Every row sees another part of the keys.
        let bias: Vec<f32> =
            (0..blocks * rows * keys).map(|i| if (i * 7) % 11 < 4 { 0.0 } else { -1e30 }).collect();
        let scores = Tensor::from_data(TensorData::new(scores, SHAPE), device.burn());
        let bias = Tensor::from_data(TensorData::new(bias, [blocks, 1, rows, keys]), device.burn());
        to_host(masked_softmax(scores, &bias))
    }

    #[test]
    fn the_kernel_agrees_with_the_operations() {
        let Some(device) = ComputeDevice::gpu_of_tests() else { return };
        let (found, expected) = (weights(&device), weights(&ComputeDevice::tensors_on_cpu()));
        assert_eq!(found.len(), expected.len());
        assert!(expected.iter().filter(|weight| **weight > 0.0).count() > 1000);
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < TOLERANCE, "{a} {b}");
        }
    }
}
