use std::sync::Arc;

use burn::tensor::Tensor;
use rten_simd::SimdOp;
use rten_vecmath::SumSquare;

use crate::normalised::normalise;

/// The norm on host memory. Rows are as long as γ, whatever they belong to.
pub fn forward(x: Tensor<2>, gamma: &Arc<[f32]>, epsilon: f32) -> Tensor<2> {
    let forward = |row: &mut [f32]| {
        let scale = inverse_root(row, epsilon);
        row.iter_mut().zip(&**gamma).for_each(|(value, gamma)| *value *= scale * gamma);
    };
    normalise(x, gamma, epsilon, forward, backward)
}

/// `1 / sqrt(mean(x²) + ε)`
fn inverse_root(row: &[f32], epsilon: f32) -> f32 {
    let mean_square = SumSquare::new(row).dispatch() / row.len() as f32;
    (mean_square + epsilon).sqrt().recip()
}

/// With `s = 1 / sqrt(mean(x²) + ε)`, so that `y = x · s · γ`: `∂L/∂x = s·g − x · s³ · mean(g·x)`.
fn backward(g: &mut [f32], x: &[f32], epsilon: f32) {
    let scale = inverse_root(x, epsilon);
    let mean = g.iter().zip(x).map(|(g, x)| g * x).sum::<f32>() / x.len() as f32;
    let along = scale.powi(3) * mean;
    g.iter_mut().zip(x).for_each(|(g, x)| *g = scale * *g - along * x);
}
