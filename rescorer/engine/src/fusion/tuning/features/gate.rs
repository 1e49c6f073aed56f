//! How much a change of words has to be worth, so that answers are no worse than the first pass.

use crate::fusion::features::{Feature, FeatureFusion};
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;

/// What is taken from the weight of [`Feature::Change`], the gentlest first; the last closes the gate.
const GATES: [f64; 7] = [0.0, 0.125, 0.25, 0.5, 1.0, 2.0, f64::INFINITY];

/// Confidence that is asked for.
const CONFIDENCE: f64 = 0.95;

/// The gate that was chosen on lists that the weights had not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gate {
    gate: f64,
    errors: usize,
    confidence: f64,
}

/// What a gate saves on lists, in errors.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Saved {
    errors: usize,
    sum: f64,
    squares: f64,
    lists: f64,
}

impl Gate {
    /// Tries all gates on the lists of every fold, with the weights that did not see them. Of those that are no worse than the first
    /// pass with the confidence that is asked for, the one of the fewest errors; where there is none, the most confident; and where that
    /// has less than half of `share`, the one that is closed. `share` is how much the lists count beside the prior, which helps on most
    /// lists: a few errors more among a few lists are chance.
    pub fn new<'a>(
        lists: &[&ScoredReference],
        share: f64,
        folds: impl Iterator<Item = (&'a [usize], &'a FeatureFusion)> + Clone,
    ) -> Self {
        let tried = GATES.map(|gate| {
            let mut saved = Saved::default();
            for (held_out, weights) in folds.clone() {
                let weighting = Weighting::Features(close(weights, gate));
                for &list in held_out {
                    let list = lists[list];
                    saved.add(list.first_pass().errors, list.rescored(&weighting).errors);
                }
            }
            Self { gate, errors: saved.errors, confidence: saved.confidence() }
        });
        let sure = tried.iter().filter(|gate| gate.confidence >= CONFIDENCE && gate.gate.is_finite());
        let fewest = sure.reduce(|best, next| if next.errors < best.errors { next } else { best });
        let finite = tried.iter().filter(|gate| gate.gate.is_finite());
        let surest = finite.reduce(|best, next| if next.confidence > best.confidence { next } else { best });
        let closed = tried[GATES.len() - 1];
        *fewest.or(surest.filter(|gate| gate.confidence >= 0.5 * share)).unwrap_or(&closed)
    }

    /// The weights behind the gate.
    pub fn closed(&self, weights: &FeatureFusion) -> FeatureFusion {
        close(weights, self.gate)
    }

    /// Errors on the lists.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Probability that the answers are no worse than the first pass.
    pub fn confidence(&self) -> f64 {
        self.confidence
    }
}

fn close(weights: &FeatureFusion, gate: f64) -> FeatureFusion {
    if gate.is_infinite() {
        return FeatureFusion::new([]);
    }
    let mut row = *weights.weights();
    row[Feature::Change.index()] -= gate;
    FeatureFusion::of_row(row).with_words(weights.words().clone())
}

impl Saved {
    /// Counts a list.
    pub fn add(&mut self, first: usize, rescored: usize) {
        let saved = first as f64 - rescored as f64;
        self.errors += rescored;
        self.sum += saved;
        self.squares += saved * saved;
        self.lists += 1.0;
    }

    /// Probability that the mean saving is 0 or more: that of a normal distribution around the mean that was measured. Where nothing
    /// changed, 1.
    pub fn confidence(&self) -> f64 {
        let variance = self.squares - self.sum * self.sum / self.lists.max(1.0);
        if variance <= 0.0 {
            return if self.sum >= 0.0 { 1.0 } else { 0.0 };
        }
        normal(self.sum / variance.sqrt())
    }
}

/// The standard normal distribution function.
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_is_normal() {
        for (z, expected) in [(0.0, 0.5), (1.644_853_6, 0.95), (-1.0, 0.158_655_3), (3.0, 0.998_650_1)] {
            assert!((normal(z) - expected).abs() < 1e-6, "{z}");
        }
    }

    #[test]
    fn savings_that_vary_are_less_sure() {
        let confidence = |savings: &[(usize, usize)]| {
            let mut saved = Saved::default();
            savings.iter().for_each(|(first, rescored)| saved.add(*first, *rescored));
            saved.confidence()
        };
        assert_eq!(confidence(&[(1, 1), (4, 4)]), 1.0);
        let steady = confidence(&[(1, 0), (1, 0), (1, 1), (1, 0)]);
        let varying = confidence(&[(9, 0), (0, 6), (1, 1), (1, 1)]);
        assert!(steady > 0.95 && varying < 0.7, "{steady} {varying}");
    }
}
