//! Weights of the least loss near those of a prior.

use super::examples::{Examples, Objective};
use crate::fusion::features::{Feature, FeatureFusion};

/// Steps of the optimiser, and the first of its rates, which falls to 0 with the cosine.
const STEPS: usize = 300;
const RATE: f64 = 0.05;
/// Decay of the means of gradient and squared gradient.
const MEAN_DECAY: f64 = 0.9;
const SQUARE_DECAY: f64 = 0.99;

/// Minimises `errors · expected errors + cross_entropy · cross-entropy + strength · |weights − prior|²` by Adam, beginning with `start`. Weights
/// of the model's features stay at 0 or above, those of features that are not `free` as they are.
///
/// # Reference
/// Expected errors over a list: Prabhavalkar et al. 2018, "Minimum word error rate training for attention-based sequence-to-sequence
/// models", equation 3. Adam: Kingma and Ba 2015, algorithm 1.
pub(crate) fn fit(
    examples: &Examples,
    prior: &FeatureFusion,
    start: &FeatureFusion,
    objective: Objective,
    free: &[Feature],
) -> FeatureFusion {
    let Objective { errors, cross_entropy, strength } = objective;
    let prior = prior.weights();
    let mut weights = *start.weights();
    let (mut means, mut squares) = ([0.0; Feature::COUNT], [0.0; Feature::COUNT]);
    for step in 0..STEPS {
        let (_, gradient) = examples.loss(&weights, errors, cross_entropy);
        let rate = RATE * 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / STEPS as f64).cos());
        let corrections = [MEAN_DECAY, SQUARE_DECAY].map(|decay| 1.0 - decay.powi(step as i32 + 1));
        for index in free.iter().map(|feature| feature.index()) {
            let slope = gradient[index] + 2.0 * strength * (weights[index] - prior[index]);
            means[index] = MEAN_DECAY * means[index] + (1.0 - MEAN_DECAY) * slope;
            squares[index] = SQUARE_DECAY * squares[index] + (1.0 - SQUARE_DECAY) * slope * slope;
            let (mean, square) = (means[index] / corrections[0], squares[index] / corrections[1]);
            weights[index] -= rate * mean / (square.sqrt() + 1e-8);
        }
        weights = *FeatureFusion::of_row(weights).weights();
    }
    FeatureFusion::of_row(weights)
}
