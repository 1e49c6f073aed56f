//! Weights for lists of which no reference is known: those of many recognisers together.

use super::examples::{Examples, Objective};
use super::fit::{Fitting, fit};
use crate::fusion::features::{Feature, FeatureFusion};
use crate::fusion::tuning::scored_reference::ScoredReference;

/// Features that mean the same for every recogniser. Gates by the size of a list, agreement and repeats depend on how long its lists are
/// and how they were made.
const FREE: [Feature; 16] = [
    Feature::FirstPassDeviations,
    Feature::FirstPass5,
    Feature::FirstPass20,
    Feature::FirstPassShare,
    Feature::RankScored,
    Feature::RankUnscored,
    Feature::Lm5,
    Feature::Lm20,
    Feature::LmMean,
    Feature::Words,
    Feature::Longer,
    Feature::Edits,
    Feature::EditRate,
    Feature::Change,
    Feature::ChangeUnscored,
    Feature::ChangeUnknown,
];

/// What an error counts that is added to the first pass: with scores; without; without scores and repeats, where nothing but the order
/// tells how sure the first pass is.
const CAUTIONS: [f64; 3] = [1.1, 1.3, 3.0];

const STRENGTH: f64 = 1e-3;

/// Rounds of the optimiser, and steps of each.
const ROUNDS: usize = 6;
const STEPS: usize = 300;

/// Lists of one recogniser.
#[derive(Debug, Clone)]
pub struct PriorSet {
    /// Its lists.
    pub lists: Vec<ScoredReference>,
    /// What it counts among the sets.
    pub weight: f64,
}

/// Fits one set of weights to the lists of several recognisers, for lists of others: the prior of [`tune`](crate::fusion::tune).
///
/// Errors that are added count more than errors that are saved. It begins with the cross-entropy, which is convex, and goes on with
/// expected errors.
pub fn fit_prior(sets: &[PriorSet]) -> FeatureFusion {
    let of_set = |set: &PriorSet| Examples::weighted(&set.lists, set.weight, caution);
    let examples = sets.iter().map(of_set).reduce(Examples::and).unwrap_or_default();
    let zero = FeatureFusion::new([]);
    let entropy = Objective { errors: 0.0, cross_entropy: 1.0, strength: STRENGTH, word_strength: None };
    let errors = Objective { errors: 1.0, cross_entropy: 0.0, ..entropy };
    [entropy, errors].into_iter().fold(zero.clone(), |start, objective| {
        let fitting =
            Fitting { prior: &zero, objective, scale: &[1.0; Feature::COUNT], free: &FREE, steps: STEPS };
        (0..ROUNDS).fold(start, |start, _| fit(&examples, &start, &fitting))
    })
}

fn caution(list: &ScoredReference) -> f64 {
    let has = |feature: Feature| list.candidates.iter().any(|one| one.features[feature.index()] != 0.0);
    match (has(Feature::ChangeUnknown), has(Feature::RankUnscored)) {
        (true, _) => CAUTIONS[2],
        (false, true) => CAUTIONS[1],
        (false, false) => CAUTIONS[0],
    }
}
