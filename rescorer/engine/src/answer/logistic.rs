use nalgebra::{DMatrix, DVector};

/// Raw confidences are kept this far from 0 and 1, where the logit has no value.
const CLIP: f64 = 1e-4;

const STEPS: usize = 100;

/// Weights and intercept under which `σ(weights · features + intercept)` makes the outcomes the most likely; `None` without any.
///
/// As Platt does, the targets are not quite 0 and 1, so that outcomes that are all alike have an answer too. `penalty` is that of the
/// squares of the weights, for features of variance 1: it counts where there are few points, or features that say the same.
pub(super) fn fit<const FEATURES: usize>(
    points: &[([f64; FEATURES], bool)],
    penalty: f64,
) -> Option<([f64; FEATURES], f64)> {
    if points.is_empty() {
        return None;
    }
    let count = points.len() as f64;
    let right = points.iter().filter(|(_, right)| *right).count() as f64;
    let (high, low) = ((right + 1.0) / (right + 2.0), 1.0 / (count - right + 2.0));
    let mean: [f64; FEATURES] =
        std::array::from_fn(|at| points.iter().map(|(features, _)| features[at]).sum::<f64>() / count);
    let deviation: [f64; FEATURES] = std::array::from_fn(|at| {
        let square = |(features, _): &([f64; FEATURES], bool)| (features[at] - mean[at]).powi(2);
        let deviation = (points.iter().map(square).sum::<f64>() / count).sqrt();
        // A feature that never changes gets no weight.
        if deviation > 1e-9 { deviation } else { f64::INFINITY }
    });
    // Columns: the features, then 1 for the intercept.
    let features = DMatrix::from_fn(points.len(), FEATURES + 1, |row, at| {
        if at < FEATURES { (points[row].0[at] - mean[at]) / deviation[at] } else { 1.0 }
    });
    let targets =
        DVector::from_iterator(points.len(), points.iter().map(|(_, right)| if *right { high } else { low }));
    let ridge = DVector::from_fn(FEATURES + 1, |at, _| if at < FEATURES { penalty } else { 0.0 });
    let loss = |weights: &DVector<f64>| {
        // ln(1 + e^z) − target · z, without overflow.
        let cost = |(z, target): (&f64, &f64)| z.max(0.0) + (-z.abs()).exp().ln_1p() - target * z;
        let scores = &features * weights;
        scores.iter().zip(targets.iter()).map(cost).sum::<f64>()
            + 0.5 * weights.component_mul(weights).dot(&ridge)
    };
    let mut weights = DVector::zeros(FEATURES + 1);
    weights[FEATURES] = logit((right + 1.0) / (count + 2.0));
    let mut least = loss(&weights);
    // Newton's method; a step that does not help is halved.
    for _ in 0..STEPS {
        let probabilities = (&features * &weights).map(sigmoid);
        let gradient = features.tr_mul(&(&probabilities - &targets)) + weights.component_mul(&ridge);
        let mut weighted = features.clone();
        for (mut row, p) in weighted.row_iter_mut().zip(probabilities.iter()) {
            row *= p * (1.0 - p);
        }
        let curvature = features.tr_mul(&weighted) + DMatrix::from_diagonal(&ridge.add_scalar(1e-9));
        let Some(step) = curvature.cholesky().map(|factors| factors.solve(&gradient)) else { break };
        let next = (0..30).find_map(|halving| {
            let next = &weights - &step * 0.5f64.powi(halving);
            let less = loss(&next);
            (less < least).then_some((next, less))
        });
        let Some((next, less)) = next else { break };
        let is_done = least - less < 1e-12 * least.abs();
        (weights, least) = (next, less);
        if is_done {
            break;
        }
    }
    let scaled: [f64; FEATURES] = std::array::from_fn(|at| weights[at] / deviation[at]);
    let offset: f64 = scaled.iter().zip(mean).map(|(weight, mean)| weight * mean).sum();
    Some((scaled, weights[FEATURES] - offset))
}

pub(super) fn logit(raw: f64) -> f64 {
    let raw = raw.clamp(CLIP, 1.0 - CLIP);
    (raw / (1.0 - raw)).ln()
}

pub(super) fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outcomes drawn as often as the model says, features far from mean 0 and variance 1.
    #[test]
    fn the_weights_that_made_the_outcomes_are_found() {
        let (truth, intercept) = ([0.02, -1.5], 3.0);
        let mut points = Vec::new();
        for one in 0..40 {
            for other in 0..10 {
                let features = [-100.0 + 5.0 * f64::from(one), 2.0 + 0.1 * f64::from(other)];
                let z = truth[0] * features[0] + truth[1] * features[1] + intercept;
                let right = (1000.0 * sigmoid(z)).round() as usize;
                points.extend((0..1000).map(|n| (features, n < right)));
            }
        }
        let (weights, found) = fit(&points, 0.0).unwrap();
        for (weight, expected) in weights.iter().chain([&found]).zip([truth[0], truth[1], intercept]) {
            assert!((weight - expected).abs() < 0.01 * expected.abs(), "{weights:?} {found}");
        }
        let (held, _) = fit(&points, 1e6).unwrap();
        assert!(held[0].abs() < 0.1 * weights[0] && held[1].abs() < 0.1 * -weights[1], "{held:?}");
    }

    #[test]
    fn features_that_say_nothing_or_the_same_are_no_trouble() {
        let points: Vec<([f64; 3], bool)> =
            (0..20).map(|n| ([7.0, f64::from(n), 2.0 * f64::from(n)], n % 4 > 0)).collect();
        let (weights, intercept) = fit(&points, 1.0).unwrap();
        assert!(
            weights[0] == 0.0 && weights.iter().all(|weight| weight.is_finite()) && intercept.is_finite()
        );
        assert_eq!(fit::<2>(&[], 1.0), None);
    }
}
