use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::SumSquare;

use crate::gradient::{Derivative, Inputs};
use crate::to_host::to_host;

/// The norm on host memory. Rows are as long as γ, whatever they belong to.
pub fn forward(x: Tensor<2>, gamma: &Arc<[f32]>, epsilon: f32) -> Tensor<2> {
    let (shape, device, inputs) = (x.dims(), x.device(), Inputs::of([&x]));
    let mut x = to_host(x);
    let kept = inputs.is_recorded().then(|| x.clone());
    x.par_chunks_exact_mut(gamma.len()).for_each(|row| {
        let scale = inverse_root(row, epsilon);
        row.iter_mut().zip(&**gamma).for_each(|(value, gamma)| *value *= scale * gamma);
    });
    inputs.finish(x, shape, &device, || Normalised {
        x: kept.unwrap_or_default().into(),
        gamma: gamma.clone(),
        epsilon,
    })
}

/// `1 / sqrt(mean(x²) + ε)`
fn inverse_root(row: &[f32], epsilon: f32) -> f32 {
    let mean_square = SumSquare::new(row).dispatch() / row.len() as f32;
    (mean_square + epsilon).sqrt().recip()
}

/// What the way back needs of `y = x · s · γ` with `s = 1 / sqrt(mean(x²) + ε)`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
struct Normalised {
    x: Arc<[f32]>,
    gamma: Arc<[f32]>,
    epsilon: f32,
}

impl Derivative<1> for Normalised {
    /// With `g = ∂L/∂y · γ`: `∂L/∂x = s·g − x · s³ · mean(g·x)`.
    #[cfg(feature = "training")]
    fn gradients(&self, mut y: Vec<f32>) -> [Vec<f32>; 1] {
        let width = self.gamma.len();
        y.par_chunks_exact_mut(width).zip(self.x.par_chunks_exact(width)).for_each(|(y, x)| {
            let scale = inverse_root(x, self.epsilon);
            y.iter_mut().zip(&*self.gamma).for_each(|(y, gamma)| *y *= gamma);
            let mean = y.iter().zip(x).map(|(y, x)| y * x).sum::<f32>() / width as f32;
            let along = scale.powi(3) * mean;
            y.iter_mut().zip(x).for_each(|(y, x)| *y = scale * *y - along * x);
        });
        [y]
    }
}
