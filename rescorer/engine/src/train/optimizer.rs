use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer as _};
use burn::tensor::Tensor;

/// AdamW over a list of matrices, with one bound for the norm of all their gradients together.
///
/// The step itself is Burn's. Its own clipping bounds each matrix for itself, so the bound is here.
pub struct Optimizer {
    adam: AdamW,
    clip: f32,
    states: Vec<Option<AdamWState<2>>>,
}

/// What an optimizer remembers of a matrix.
pub struct Moments {
    /// Steps so far.
    pub time: usize,
    /// Smoothed gradients, and smoothed squares of them.
    pub moments: [Tensor<2>; 2],
}

impl Optimizer {
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn new(matrices: usize, weight_decay: f32, clip: f32) -> Self {
        let config = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay);
        Self { adam: config.build(), clip, states: vec![None; matrices] }
    }

    /// Bounds the gradients: where their norm is above `clip`, all are made smaller alike. Returns the norm.
    pub fn clip(&self, gradients: &mut [Tensor<2>]) -> f32 {
        let squares =
            gradients.iter().map(|gradient| (gradient.clone() * gradient.clone()).sum().into_scalar::<f32>());
        let norm = squares.map(f64::from).sum::<f64>().sqrt() as f32;
        if norm > self.clip {
            // As PyTorch's clip_grad_norm_.
            let factor = self.clip / (norm + 1e-6);
            gradients.iter_mut().for_each(|gradient| *gradient = gradient.clone() * factor);
        }
        norm
    }

    /// The matrices after a step.
    pub fn step(&mut self, rate: f64, matrices: Vec<Tensor<2>>, gradients: &[Tensor<2>]) -> Vec<Tensor<2>> {
        let steps = matrices.into_iter().zip(gradients).zip(&mut self.states);
        let steps = steps.map(|((matrix, gradient), state)| {
            let (matrix, next) = self.adam.step(rate, matrix, gradient.clone(), state.take());
            *state = next;
            matrix
        });
        steps.collect()
    }

    /// What a checkpoint has to hold; nothing before the first step.
    pub fn moments(&self) -> Vec<Option<Moments>> {
        let moments = self.states.iter().map(|state| {
            state.as_ref().map(|AdamWState { momentum, .. }| Moments {
                time: momentum.time,
                moments: [momentum.moment_1.clone(), momentum.moment_2.clone()],
            })
        });
        moments.collect()
    }

    /// Takes over what [`Optimizer::moments`] gave.
    pub fn restore(&mut self, moments: Vec<Option<Moments>>) {
        let state = |Moments { time, moments: [moment_1, moment_2] }| {
            AdamWState::new(AdaptiveMomentumState { time, moment_1, moment_2, max_moment_2: None })
        };
        self.states = moments.into_iter().map(|moments| moments.map(state)).collect();
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn matrix(values: [f32; 2]) -> Tensor<2> {
        Tensor::from_data([values], &Device::flex())
    }

    #[test]
    fn all_gradients_share_one_bound() {
        let optimizer = Optimizer::new(2, 0.0, 1.0);
        let mut gradients = [matrix([3.0, 0.0]), matrix([0.0, 4.0])];
        assert_eq!(optimizer.clip(&mut gradients), 5.0);
        let clipped = gradients[1].to_data().try_into_vec::<f32>().unwrap();
        assert!((clipped[1] - 0.8).abs() < 1e-5, "{clipped:?}");
        assert!(optimizer.clip(&mut [matrix([0.1, 0.0]), matrix([0.0, 0.0])]) < 0.11);
    }

    #[test]
    fn what_is_restored_goes_on_alike() {
        let gradients = |step: usize| [matrix([step as f32, -1.0])];
        let mut one = Optimizer::new(1, 0.01, 1.0);
        let mut values = vec![matrix([1.0, 2.0])];
        for step in 0..3 {
            values = one.step(0.1, values, &gradients(step));
        }
        let mut other = Optimizer::new(1, 0.01, 1.0);
        other.restore(one.moments());
        let next = |optimizer: &mut Optimizer| {
            let stepped = optimizer.step(0.1, values.clone(), &gradients(3));
            stepped[0].to_data().try_into_vec::<f32>().unwrap()
        };
        assert_eq!(next(&mut one), next(&mut other));
    }

    /// The first step of Adam moves every number by the rate, against its gradient.
    #[test]
    fn the_first_step_by_hand() {
        let mut optimizer = Optimizer::new(1, 0.0, 9.0);
        let stepped = optimizer.step(0.1, vec![matrix([1.0, 2.0])], &[matrix([5.0, -0.2])]);
        let values = stepped[0].to_data().try_into_vec::<f32>().unwrap();
        assert!((values[0] - 0.9).abs() < 1e-6 && (values[1] - 2.1).abs() < 1e-6, "{values:?}");
    }
}
