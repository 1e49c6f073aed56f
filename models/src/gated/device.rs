use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, gelu_approximate, relu, silu};

use super::activation::Activation;

/// `act(gate) · up` on tensors.
pub fn gated(gate: Tensor<2>, up: Tensor<2>, activation: Activation) -> Tensor<2> {
    match activation {
        Activation::Silu => silu(gate) * up,
        Activation::GeluTanh => gelu_approximate(gate) * up,
        Activation::Gelu => gelu(gate) * up,
        Activation::Relu => relu(gate) * up,
    }
}
