//! How strongly the prior holds, by inner cross-validation, and weights that are means over the best settings.

use rayon::prelude::*;
use serde::Serialize;

use super::examples::{Examples, Objective};
use super::fit::fit;
use super::gate::Gate;
use crate::error::Error;
use crate::fusion::features::{Feature, FeatureFusion, FeatureRow};
use crate::fusion::tuning::folds::{folds_of, most_folds};
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;

/// Folds of the inner cross-validation, and the seed by which lists come into them: another than that of the outer folds, which
/// would leave one of them empty.
const FOLDS: usize = 5;
const SEED: u64 = 0x1f01d;

/// Strengths of the prior, the strongest first: each fit begins with the one before.
const STRENGTHS: [f64; 8] = [1.0, 0.2, 0.06, 0.02, 0.007, 0.002, 0.0005, 0.0001];

/// What the cross-entropy counts beside the expected errors.
const CROSS_ENTROPIES: [f64; 2] = [0.0, 0.1];

/// Share of errors more than the fewest with which a setting is as good as the best; the weights of all those are averaged.
const AS_GOOD: f64 = 0.003;

/// Weights of features, and what they are worth on lists that were held out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureTuned {
    /// The weights.
    pub features: FeatureFusion,
    /// WER of the first pass, in percent.
    pub first_pass_wer: f64,
    /// WER on lists that were held out in turn, in percent.
    pub rescored_wer: f64,
    /// Probability that the answers are no worse than the first pass, by those lists.
    pub confidence: f64,
}

/// Weights of all settings, fitted without one fold.
struct Fold {
    /// `[settings]`.
    weights: Vec<FeatureFusion>,
    /// Lists of the fold.
    held_out: Vec<usize>,
}

/// Fits weights of features to scored lists, near those of a prior.
///
/// How strongly the prior holds is chosen by cross-validation within the lists; the weights are means over the best settings. A gate
/// then keeps answers that are worse than the first pass away. Too few lists to hold any out leave the prior as it is.
///
/// # Errors
/// No lists, or no reference words.
pub fn tune_features(lists: &[ScoredReference], prior: &FeatureFusion) -> Result<FeatureTuned, Error> {
    tune_on(&lists.iter().collect::<Vec<_>>(), prior)
}

fn tune_on(lists: &[&ScoredReference], prior: &FeatureFusion) -> Result<FeatureTuned, Error> {
    let words: usize = lists.iter().map(|list| list.reference_words).sum();
    if words == 0 {
        let unit = lists.first().map(|list| list.metric.unit).unwrap_or_default();
        return Err(Error::no_words("tune", lists.len(), unit));
    }
    let folds = folds(lists, prior);
    let errors_of = |weights: &FeatureFusion, held_out: &[usize]| -> usize {
        let weighting = Weighting::Features(*weights);
        held_out.iter().map(|&list| lists[list].rescored(&weighting).errors).sum()
    };
    let settings = STRENGTHS.len() * CROSS_ENTROPIES.len();
    let errors: Vec<usize> = (0..settings)
        .into_par_iter()
        .map(|setting| folds.iter().map(|fold| errors_of(&fold.weights[setting], &fold.held_out)).sum())
        .collect();
    let mut order: Vec<usize> = (0..settings).collect();
    // Of settings that are equally good, the strongest prior.
    order.sort_by_key(|&setting| (errors[setting], setting));
    let most = (errors[order[0]] as f64 * (1.0 + AS_GOOD)) as usize;
    order.retain(|&setting| errors[setting] <= most);
    let best = |fold: &Fold| mean(order.iter().map(|&setting| &fold.weights[setting]));
    let of_folds: Vec<FeatureFusion> = folds.iter().map(best).collect();
    let percent = |errors: usize| 100.0 * errors as f64 / words as f64;
    let first_pass_wer = percent(lists.iter().map(|list| list.first_pass().errors).sum());
    if of_folds.is_empty() {
        let errors = lists.iter().map(|list| list.rescored(&Weighting::Features(*prior)).errors).sum();
        let (features, rescored_wer) = (*prior, percent(errors));
        return Ok(FeatureTuned { features, first_pass_wer, rescored_wer, confidence: 0.5 });
    }
    let gate = Gate::new(lists, folds.iter().map(|fold| &fold.held_out[..]).zip(&of_folds));
    Ok(FeatureTuned {
        features: gate.closed(&mean(of_folds.iter())),
        first_pass_wer,
        rescored_wer: percent(gate.errors()),
        confidence: gate.confidence(),
    })
}

/// Fits weights for every list on the lists of the other folds, which are those of
/// [`cross_validate`](crate::fusion::cross_validate).
///
/// # Errors
/// As that.
pub fn cross_validate_features(
    lists: &[ScoredReference],
    prior: &FeatureFusion,
    folds: usize,
    seed: u64,
) -> Result<Vec<Weighting>, Error> {
    if lists.iter().all(|list| list.reference_words == 0) {
        let unit = lists.first().map(|list| list.metric.unit).unwrap_or_default();
        return Err(Error::no_words("cross-validate", lists.len(), unit));
    }
    let fold_of = folds_of(lists, folds, seed)?;
    let tuned = (0..folds)
        .map(|held_out| {
            let others = lists.iter().zip(&fold_of).filter(|(_, fold)| **fold != held_out);
            let others: Vec<&ScoredReference> = others.map(|(list, _)| list).collect();
            Ok(Weighting::Features(tune_on(&others, prior)?.features))
        })
        .collect::<Result<Vec<Weighting>, Error>>()?;
    Ok(fold_of.iter().map(|&fold| tuned[fold]).collect())
}

/// Fits all settings without each fold; none where the lists have a single reference.
fn folds(lists: &[&ScoredReference], prior: &FeatureFusion) -> Vec<Fold> {
    let count = most_folds(lists.iter().copied(), FOLDS);
    let Ok(fold_of) = folds_of(lists.iter().copied(), count, SEED) else { return Vec::new() };
    let of_fold = |held_out: &usize| {
        let others = lists.iter().zip(&fold_of).filter(|(_, fold)| *fold != held_out);
        let examples = Examples::new(others.map(|(list, _)| *list));
        let paths = CROSS_ENTROPIES.par_iter().map(|&cross_entropy| {
            let mut start = *prior;
            let path = STRENGTHS.map(|strength| {
                let objective = Objective { errors: 1.0, cross_entropy, strength };
                start = fit(&examples, prior, &start, objective, &Feature::ALL);
                start
            });
            path.to_vec()
        });
        let by_entropy: Vec<Vec<FeatureFusion>> = paths.collect();
        // Settings in the order of the strengths, so that the strongest come first.
        let weights = (0..STRENGTHS.len()).flat_map(|at| by_entropy.iter().map(move |path| path[at]));
        Fold {
            weights: weights.collect(),
            held_out: (0..lists.len()).filter(|&list| fold_of[list] == *held_out).collect(),
        }
    };
    (0..count).into_par_iter().map(|held_out| of_fold(&held_out)).collect()
}

fn mean<'a>(weights: impl Iterator<Item = &'a FeatureFusion>) -> FeatureFusion {
    let (mut sum, mut count): (FeatureRow, f64) = ([0.0; Feature::COUNT], 0.0);
    for weights in weights {
        sum.iter_mut().zip(weights.weights()).for_each(|(sum, weight)| *sum += weight);
        count += 1.0;
    }
    FeatureFusion::of_row(sum.map(|sum| sum / count.max(1.0)))
}
