use serde::{Deserialize, Serialize};

use crate::answer::logistic::{self, logit, sigmoid};
use crate::fusion::weights::Candidate;

/// Of the squares of the weights, for features of variance 1.
const PENALTY: f64 = 1.0;

/// What is known of an answer without its reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Share of the posterior that says the same.
    pub share: f64,
    /// First-pass score of the hypothesis, of that which was voted on for a merged text.
    pub first_pass: f64,
    /// Whose numbers it is judged with.
    pub kind: AnswerKind,
}

/// Answers whose shares and scores mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// Of a list with other hypotheses.
    Rivalled,
    /// Of a list with no other hypothesis: its share of 1 says nothing.
    Alone,
    /// An earlier rescorer's answer that stands: its scores are others.
    EarlyExit,
}

impl Evidence {
    /// Of one of the hypotheses of a list, whose text has this share of the posterior.
    ///
    /// # Panics
    /// Where there is no such hypothesis.
    pub fn new(candidates: &[Candidate], hypothesis: usize, share: f64) -> Self {
        let Candidate { first_pass, early_exit, .. } = candidates[hypothesis];
        let kind = match early_exit {
            _ if candidates.len() == 1 => AnswerKind::Alone,
            Some(_) => AnswerKind::EarlyExit,
            None => AnswerKind::Rivalled,
        };
        Self { share, first_pass, kind }
    }
}

/// Turns what is known of an answer into the probability that it has no error:
/// `σ(slope · logit(share) + first_pass · score + intercept)`.
///
/// The share says how far ahead of the other hypotheses the answer is, the first-pass score whether what was said is likely to be in
/// the list at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerCalibration {
    /// Factor of the logit of the share.
    pub slope: f64,
    /// Factor of the first-pass score; 0 in policies of before.
    #[serde(default)]
    pub first_pass: f64,
    /// What is added.
    pub intercept: f64,
}

impl AnswerCalibration {
    /// Fits to answers and whether each was right; `None` without any.
    pub fn fit(answers: &[(Evidence, bool)]) -> Option<Self> {
        let point =
            |(evidence, right): &(Evidence, bool)| ([logit(evidence.share), evidence.first_pass], *right);
        let points: Vec<([f64; 2], bool)> = answers.iter().map(point).collect();
        let ([slope, first_pass], intercept) = logistic::fit(&points, PENALTY)?;
        Some(Self { slope, first_pass, intercept })
    }

    /// The probability.
    #[must_use]
    pub fn apply(&self, evidence: &Evidence) -> f64 {
        let Self { slope, first_pass, intercept } = self;
        sigmoid(slope * logit(evidence.share) + first_pass * evidence.first_pass + intercept)
    }

    /// The same probability for every answer.
    pub(super) fn constant(probability: f64) -> Self {
        Self { intercept: logit(probability), ..Self::default() }
    }
}
