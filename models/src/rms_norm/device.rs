use burn::tensor::Tensor;

/// The norm on tensors, with our kernel where there is one for this device, else with Burn's operations.
///
/// # Shapes
/// `gamma: [1, len]`; the width of `x` is a multiple of `len`.
pub fn forward(x: Tensor<2>, gamma: &Tensor<2>, epsilon: f64) -> Tensor<2> {
    let ([nodes, width], [_, len]) = (x.dims(), gamma.dims());
    if width == len {
        return rows(x, gamma, epsilon);
    }
    rows(x.reshape([nodes * width / len, len]), gamma, epsilon).reshape([nodes, width])
}

fn rows(x: Tensor<2>, gamma: &Tensor<2>, epsilon: f64) -> Tensor<2> {
    #[cfg(all(feature = "cubecl", not(feature = "fusion")))]
    if let Some(y) = super::kernel::rms_norm(&x, gamma, epsilon as f32) {
        return y;
    }
    let mean_square = (x.clone() * x.clone()).mean_dim(1);
    x * (mean_square + epsilon).sqrt().recip() * gamma.clone()
}
