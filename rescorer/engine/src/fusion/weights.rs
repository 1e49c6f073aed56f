use serde::{Deserialize, Serialize};

use crate::fusion::features::{Feature, FeatureRow};

/// Weights that bring first pass and language model together, and the gate.
///
/// `total = first_pass + lm_weight · lm_score + length_bonus · words`, where words are those of the unit of error; higher is better. The first-pass best
/// is kept unless `total(best) − total(first) > margin`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fusion {
    /// Weight of the language-model score.
    pub lm_weight: f64,
    /// Reward for every word, or whatever the unit of error is.
    #[serde(default)]
    pub length_bonus: f64,
    /// Lead that another hypothesis needs over the first-pass best.
    #[serde(default)]
    pub margin: f64,
}

/// What fusion needs to know of a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// First-pass score, higher is better.
    pub first_pass: f64,
    /// Language-model score, natural log.
    pub lm_score: f64,
    /// Number of words, or of other units.
    pub words: usize,
    /// Number of tokens that the language-model score is for.
    pub tokens: usize,
    /// What is known of it without the language model; all 0 where no features are weighed.
    pub(crate) features: FeatureRow,
    /// Weights that the list was answered with by an earlier rescorer, in place of those that are asked for.
    pub early_exit: Option<Fusion>,
}

impl Candidate {
    /// A hypothesis of which these numbers are known.
    pub fn new(first_pass: f64, lm_score: f64, words: usize) -> Self {
        Self { first_pass, lm_score, words, tokens: 0, features: [0.0; Feature::COUNT], early_exit: None }
    }
}

impl Fusion {
    /// The fused score of a hypothesis.
    pub fn total(&self, candidate: &Candidate) -> f64 {
        let Self { lm_weight, length_bonus, .. } = self;
        candidate.first_pass + lm_weight * candidate.lm_score + length_bonus * candidate.words as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_add_up_as_written() {
        let fusion = Fusion { lm_weight: 0.5, length_bonus: 0.25, margin: 0.0 };
        assert_eq!(fusion.total(&Candidate::new(-1.0, -20.0, 3)), -1.0 - 10.0 + 0.75);
    }
}
