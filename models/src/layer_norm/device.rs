use burn::tensor::Tensor;

/// The norm on tensors.
///
/// # Shapes
/// `gamma, beta: [1, d_model]`.
pub fn forward(x: Tensor<2>, gamma: &Tensor<2>, beta: &Tensor<2>, epsilon: f64) -> Tensor<2> {
    let centred = x.clone() - x.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    centred * (variance + epsilon).sqrt().recip() * gamma.clone() + beta.clone()
}
