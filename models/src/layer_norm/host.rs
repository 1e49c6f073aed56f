use std::sync::Arc;

use burn::tensor::Tensor;

use crate::normalised::normalise;

/// The norm on host memory.
pub fn forward(x: Tensor<2>, gamma: &Arc<[f32]>, beta: &[f32], epsilon: f32) -> Tensor<2> {
    let forward = |row: &mut [f32]| {
        let (mean, scale) = moments(row, epsilon);
        for ((value, gamma), beta) in row.iter_mut().zip(&**gamma).zip(beta) {
            *value = (*value - mean) * scale * gamma + beta;
        }
    };
    normalise(x, gamma, epsilon, forward, backward)
}

/// `μ` and `1 / sqrt(mean((x − μ)²) + ε)`
fn moments(row: &[f32], epsilon: f32) -> (f32, f32) {
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
    (mean, (variance + epsilon).sqrt().recip())
}

/// With `s = 1 / sqrt(mean((x − μ)²) + ε)` and `n = (x − μ)·s`: `∂L/∂x = s·(g − mean(g) − n·mean(g·n))`.
fn backward(g: &mut [f32], x: &[f32], epsilon: f32) {
    let width = x.len() as f32;
    let (mean, scale) = moments(x, epsilon);
    let mean_g = g.iter().sum::<f32>() / width;
    let along = g.iter().zip(x).map(|(g, x)| g * (x - mean) * scale).sum::<f32>() / width;
    g.iter_mut().zip(x).for_each(|(g, x)| *g = scale * (*g - mean_g - (x - mean) * scale * along));
}

#[cfg(all(test, feature = "training"))]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::gradient::Derivative;
    use crate::normalised::Normalised;
    use crate::to_host::to_host;

    const WIDTH: usize = 7;

    #[test]
    fn gradients_are_slopes() {
        let x: Vec<f32> = (0..3 * WIDTH).map(|i| (i as f32 * 0.7).sin() * 3.0 + 1.0).collect();
        let gamma: Arc<[f32]> = (0..WIDTH).map(|i| 1.0 + 0.1 * i as f32).collect();
        let kept = Normalised { x: x.clone().into(), gamma: gamma.clone(), epsilon: 1e-5, backward };
        let weights: Vec<f32> = (0..x.len()).map(|i| (i as f32 * 1.3).cos()).collect();
        let [gradient] = kept.gradients(weights.clone());
        let loss = |x: &[f32]| -> f32 {
            let x = TensorData::new(x.to_vec(), [3, WIDTH]);
            let y = forward(Tensor::from_data(x, &Device::flex()), &gamma, &[0.5; WIDTH], 1e-5);
            to_host(y).iter().zip(&weights).map(|(y, w)| y * w).sum()
        };
        for (at, slope) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut x = x.clone();
                x[at] += by;
                loss(&x)
            };
            let found = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((found - slope).abs() < 5e-3, "{at}: {found} {slope}");
        }
    }
}
