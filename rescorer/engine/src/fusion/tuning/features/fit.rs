//! Weights of the least loss near those of a prior.

use super::examples::{Examples, Objective, Weights};
use crate::fusion::features::{Feature, FeatureFusion, FeatureRow, WordWeights};

/// First rate of the optimiser, which falls to 0 with the cosine.
const RATE: f64 = 0.05;
/// Decay of the means of gradient and squared gradient.
const MEAN_DECAY: f64 = 0.9;
const SQUARE_DECAY: f64 = 0.99;

/// How weights are fitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fitting<'a> {
    /// Weights that they stay near.
    pub prior: &'a FeatureFusion,
    pub objective: Objective,
    /// What the squared distance to the prior counts for each feature.
    pub scale: &'a FeatureRow,
    /// Features whose weights are fitted; the others stay as they are.
    pub free: &'a [Feature],
    /// Steps of the optimiser.
    pub steps: usize,
}

/// Minimises `errors · expected errors + cross_entropy · cross-entropy + strength · Σ scale · (weight − prior)² + word_strength · |words|²` by
/// Adam, beginning with `start`. Weights of the model's features stay at 0 or above.
///
/// # Reference
/// Expected errors over a list: Prabhavalkar et al. 2018, "Minimum word error rate training for attention-based sequence-to-sequence
/// models", equation 3. Adam: Kingma and Ba 2015, algorithm 1.
pub(crate) fn fit(examples: &Examples, start: &FeatureFusion, fitting: &Fitting<'_>) -> FeatureFusion {
    let Fitting { prior, objective, scale, free, steps } = *fitting;
    let Objective { errors, cross_entropy, strength, word_strength } = objective;
    let prior = prior.weights();
    let vocabulary = if word_strength.is_some() { examples.vocabulary() } else { &[] };
    let words = vocabulary.iter().map(|word| start.words().weight(word)).collect();
    let mut weights = Weights { features: *start.weights(), words };
    let mut features = Moments::new(Feature::COUNT);
    let mut words = Moments::new(vocabulary.len());
    for step in 0..steps {
        let (_, gradient) = examples.loss(&weights, errors, cross_entropy);
        let rate = RATE * 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / steps as f64).cos());
        for index in free.iter().map(|feature| feature.index()) {
            let distance = weights.features[index] - prior[index];
            let slope = gradient.features[index] + 2.0 * strength * scale[index] * distance;
            weights.features[index] -= rate * features.step(index, slope, step);
        }
        for feature in Feature::OF_MODEL {
            let weight = &mut weights.features[feature.index()];
            *weight = weight.max(0.0);
        }
        for (index, weight) in weights.words.iter_mut().enumerate() {
            let slope = gradient.words[index] + 2.0 * word_strength.unwrap_or(0.0) * *weight;
            *weight -= rate * words.step(index, slope, step);
        }
    }
    let words = WordWeights::new(vocabulary.iter().cloned().zip(weights.words));
    FeatureFusion::of_row(weights.features).with_words(words)
}

/// Running means of gradients and of their squares.
struct Moments {
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn new(count: usize) -> Self {
        Self { means: vec![0.0; count], squares: vec![0.0; count] }
    }

    /// What a weight with this slope moves by, as a share of the rate.
    fn step(&mut self, index: usize, slope: f64, step: usize) -> f64 {
        let (mean, square) = (&mut self.means[index], &mut self.squares[index]);
        *mean = MEAN_DECAY * *mean + (1.0 - MEAN_DECAY) * slope;
        *square = SQUARE_DECAY * *square + (1.0 - SQUARE_DECAY) * slope * slope;
        let [of_mean, of_square] = [MEAN_DECAY, SQUARE_DECAY].map(|decay| 1.0 - decay.powi(step as i32 + 1));
        (*mean / of_mean) / ((*square / of_square).sqrt() + 1e-8)
    }
}
