//! What the norms of the rows of a tensor have in common on host memory.

use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::gradient::{Derivative, Inputs};
use crate::to_host::to_host;

/// From `g = ∂L/∂y · γ` and `x`, a row each, and ε: `∂L/∂x` in the place of g.
pub type Backward = fn(&mut [f32], &[f32], f32);

/// Normalises rows as long as γ, whatever they belong to, each by `forward`.
pub fn normalise(
    x: Tensor<2>,
    gamma: &Arc<[f32]>,
    epsilon: f32,
    forward: impl Fn(&mut [f32]) + Send + Sync,
    backward: Backward,
) -> Tensor<2> {
    let (shape, device, inputs) = (x.dims(), x.device(), Inputs::of([&x]));
    let mut x = to_host(x);
    let kept = inputs.is_recorded().then(|| x.clone());
    x.par_chunks_exact_mut(gamma.len()).for_each(forward);
    inputs.finish(x, shape, &device, || Normalised {
        x: kept.unwrap_or_default().into(),
        gamma: gamma.clone(),
        epsilon,
        backward,
    })
}

/// What the way back needs.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
pub struct Normalised {
    pub x: Arc<Vec<f32>>,
    pub gamma: Arc<[f32]>,
    pub epsilon: f32,
    pub backward: Backward,
}

impl Derivative<1> for Normalised {
    #[cfg(feature = "training")]
    fn gradients(&self, mut y: Vec<f32>) -> [Vec<f32>; 1] {
        let width = self.gamma.len();
        y.par_chunks_exact_mut(width).zip(self.x.par_chunks_exact(width)).for_each(|(y, x)| {
            y.iter_mut().zip(&*self.gamma).for_each(|(y, gamma)| *y *= gamma);
            (self.backward)(y, x, self.epsilon);
        });
        [y]
    }
}
