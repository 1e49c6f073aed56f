//! How strongly the prior holds, by inner cross-validation, weights that are means over the best settings, and weights of words.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::examples::{Examples, Objective};
use super::fit::{Fitting, fit};
use super::gate::{Gate, Saved};
use crate::error::Error;
use crate::fusion::features::{Feature, FeatureFusion, FeatureRow, WordWeights};
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

/// Strengths by which weights of words stay near 0.
const WORD_STRENGTHS: [f64; 3] = [0.1, 0.02, 0.005];

/// Confidence that weights of words save errors, at which they are taken: they save more than one standard error.
const WORDS_CONFIDENCE: f64 = 0.84;

/// Words whose weight is nearer to 0 are left out: they decide nothing.
const LEAST_WORD: f64 = 0.01;

/// Lists with which the weights go half the way from the prior: with so few the best setting is partly chance.
const HALF_WAY: f64 = 50.0;

/// Steps of the optimiser for each setting.
const STEPS: usize = 100;

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

/// What is fitted without one fold.
struct Fold {
    /// The lists of the other folds.
    examples: Examples,
    /// Mean squares of their features.
    scale: FeatureRow,
    /// Weights of all settings.
    weights: Vec<FeatureFusion>,
    /// Lists of the fold.
    held_out: Vec<usize>,
}

/// Fits weights of features to scored lists, near those of a prior.
///
/// How strongly the prior holds is chosen by cross-validation within the lists; the weights are means over the best settings, and with few
/// lists they go only part of the way from the prior. A gate then keeps answers that are worse than the first pass away. Too few lists to hold any out leave the prior as it is.
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
    let percent = |errors: usize| 100.0 * errors as f64 / words as f64;
    let first_pass_wer = percent(lists.iter().map(|list| list.first_pass().errors).sum());
    let folds = folds(lists, prior);
    if folds.is_empty() {
        let weighting = Weighting::Features(prior.clone());
        let errors = lists.iter().map(|list| list.rescored(&weighting).errors).sum();
        let (features, rescored_wer) = (prior.clone(), percent(errors));
        return Ok(FeatureTuned { features, first_pass_wer, rescored_wer, confidence: 0.5 });
    }
    let share = share(lists.len());
    let of_folds: Vec<FeatureFusion> =
        chosen(lists, prior, &folds).iter().map(|weights| between(prior, weights, share)).collect();
    let gate = Gate::new(lists, share, folds.iter().map(|fold| &fold.held_out[..]).zip(&of_folds));
    Ok(FeatureTuned {
        features: gate.closed(&mean(of_folds.iter())),
        first_pass_wer,
        rescored_wer: percent(gate.errors()),
        confidence: gate.confidence(),
    })
}

/// Share of the way from the prior that the weights of so many lists go: `n² / (n² + 50²)`.
fn share(lists: usize) -> f64 {
    let squares = (lists as f64).powi(2);
    squares / (squares + HALF_WAY.powi(2))
}

/// Errors on the lists of a fold.
fn held_out_errors(lists: &[&ScoredReference], fold: &Fold, weights: &FeatureFusion) -> Vec<usize> {
    let weighting = Weighting::Features(weights.clone());
    fold.held_out.iter().map(|&list| lists[list].rescored(&weighting).errors).collect()
}

/// Of the weights of all settings, `[folds][settings]`, those that make the fewest errors on lists that were held out or nearly so: the
/// mean of them for every fold.
fn best(lists: &[&ScoredReference], folds: &[Fold], weights: &[Vec<FeatureFusion>]) -> Vec<FeatureFusion> {
    let settings = weights[0].len();
    let of_setting = |setting: usize| -> usize {
        let pairs = folds.iter().zip(weights);
        pairs.flat_map(|(fold, weights)| held_out_errors(lists, fold, &weights[setting])).sum()
    };
    let errors: Vec<usize> = (0..settings).into_par_iter().map(of_setting).collect();
    let fewest = errors.iter().copied().min().unwrap_or(0);
    let most = (fewest as f64 * (1.0 + AS_GOOD)) as usize;
    let good = |weights: &Vec<FeatureFusion>| {
        mean(errors.iter().zip(weights).filter(|(errors, _)| **errors <= most).map(|(_, weights)| weights))
    };
    weights.iter().map(good).collect()
}

/// The weights of every fold, with weights of words where these save errors on lists that were held out.
fn chosen(lists: &[&ScoredReference], prior: &FeatureFusion, folds: &[Fold]) -> Vec<FeatureFusion> {
    let without: Vec<Vec<FeatureFusion>> = folds.iter().map(|fold| fold.weights.clone()).collect();
    let without = best(lists, folds, &without);
    let with = best(lists, folds, &folds.par_iter().map(|fold| fold.weigh_words(prior)).collect::<Vec<_>>());
    let errors = |weights: &[FeatureFusion]| -> Vec<usize> {
        folds.iter().zip(weights).flat_map(|(fold, weights)| held_out_errors(lists, fold, weights)).collect()
    };
    let mut saved = Saved::default();
    errors(&without).into_iter().zip(errors(&with)).for_each(|(without, with)| saved.add(without, with));
    if saved.confidence() >= WORDS_CONFIDENCE { with } else { without }
}

impl Fold {
    /// Weights of all settings with weights of words, for all strengths of these.
    fn weigh_words(&self, prior: &FeatureFusion) -> Vec<FeatureFusion> {
        let scale = &self.scale;
        let of_strength = |word_strength: f64| {
            self.weights.par_iter().enumerate().map(move |(setting, start)| {
                let objective = Objective { word_strength: Some(word_strength), ..objective(setting) };
                let fitting = Fitting { prior, objective, scale, free: &Feature::ALL, steps: STEPS };
                fit(&self.examples, start, &fitting)
            })
        };
        WORD_STRENGTHS.par_iter().flat_map(|&strength| of_strength(strength)).collect()
    }
}

/// What a setting minimises.
fn objective(setting: usize) -> Objective {
    let cross_entropy = CROSS_ENTROPIES[setting % CROSS_ENTROPIES.len()];
    let strength = STRENGTHS[setting / CROSS_ENTROPIES.len()];
    Objective { errors: 1.0, cross_entropy, strength, word_strength: None }
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
    Ok(fold_of.iter().map(|&fold| tuned[fold].clone()).collect())
}

/// Fits all settings without each fold; none where the lists have a single reference.
fn folds(lists: &[&ScoredReference], prior: &FeatureFusion) -> Vec<Fold> {
    let count = most_folds(lists.iter().copied(), FOLDS);
    let Ok(fold_of) = folds_of(lists.iter().copied(), count, SEED) else { return Vec::new() };
    let of_fold = |held_out: &usize| {
        let others = lists.iter().zip(&fold_of).filter(|(_, fold)| *fold != held_out);
        let examples = Examples::new(others.map(|(list, _)| *list));
        let scale = examples.squares();
        let mut starts = CROSS_ENTROPIES.map(|_| prior.clone());
        // Settings in the order of the strengths, so that the strongest come first.
        let of_setting = |setting: usize| {
            let start = &mut starts[setting % CROSS_ENTROPIES.len()];
            let (objective, free) = (objective(setting), &Feature::ALL);
            *start = fit(&examples, start, &Fitting { prior, objective, scale: &scale, free, steps: STEPS });
            start.clone()
        };
        let weights = (0..STRENGTHS.len() * CROSS_ENTROPIES.len()).map(of_setting).collect();
        let held_out = (0..lists.len()).filter(|&list| fold_of[list] == *held_out).collect();
        Fold { examples, scale, weights, held_out }
    };
    (0..count).into_par_iter().map(|held_out| of_fold(&held_out)).collect()
}

/// Weights between those of the prior (share 0) and others (share 1).
fn between(prior: &FeatureFusion, weights: &FeatureFusion, share: f64) -> FeatureFusion {
    let mut row = *prior.weights();
    row.iter_mut().zip(weights.weights()).for_each(|(prior, weight)| *prior += share * (weight - *prior));
    let words = weights.words().iter().map(|(word, weight)| (word.to_owned(), share * weight));
    FeatureFusion::of_row(row).with_words(WordWeights::new(words))
}

fn mean<'a>(weights: impl Iterator<Item = &'a FeatureFusion> + Clone) -> FeatureFusion {
    let count = weights.clone().count().max(1) as f64;
    let (mut sum, mut words): (FeatureRow, BTreeMap<&str, f64>) = ([0.0; Feature::COUNT], BTreeMap::new());
    for weights in weights {
        sum.iter_mut().zip(weights.weights()).for_each(|(sum, weight)| *sum += weight / count);
        weights.words().iter().for_each(|(word, weight)| *words.entry(word).or_default() += weight / count);
    }
    let words = words.into_iter().filter(|(_, weight)| weight.abs() >= LEAST_WORD);
    let words = words.map(|(word, weight)| (word.to_owned(), weight));
    FeatureFusion::of_row(sum).with_words(WordWeights::new(words))
}
