//! Default policies that are as cautious as costs little.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rescorer::fusion::{Feature, FeatureFusion, ScoredReference, Weighting, fit_prior};

use crate::sets::{Scored, Set, fitted};

/// What a change of words must be worth beyond what the fit asks.
const MARGINS: [f64; 9] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0];

/// Share of the mean reduction on left-out families that caution may cost.
const COST: f64 = 0.05;

/// Policies that leave families of sets out.
pub struct Policies<'a> {
    /// What was fitted without a family, or without none.
    fits: BTreeMap<Option<&'a str>, FeatureFusion>,
    /// What each family gains behind every margin by the fit that left it out: the mean relative reduction of its sets in percent.
    gains: BTreeMap<&'a str, [f64; MARGINS.len()]>,
}

impl<'a> Policies<'a> {
    /// Fits a policy to all sets, and for every family one without it.
    pub fn new(sets: &'a [Set], scored: &[Scored]) -> Self {
        let families: BTreeSet<&str> = sets.iter().map(|set| set.family.as_str()).collect();
        let left_out: Vec<Option<&str>> = families.iter().copied().map(Some).chain([None]).collect();
        let fit = |family: Option<&'a str>| (family, fit_prior(&fitted(sets, scored, family)));
        let fits: BTreeMap<Option<&str>, FeatureFusion> = left_out.into_par_iter().map(fit).collect();
        let gains = families.into_iter().map(|family| {
            let own = sets.iter().zip(scored).filter(|(set, _)| set.family == family && set.weight > 0.0);
            let own: Vec<&Scored> = own.map(|(_, scored)| scored).collect();
            let of_margin = |margin: f64| {
                let weights = behind(&fits[&Some(family)], margin);
                mean(own.iter().map(|scored| reduction(&scored.fitted[0][0].lists, &weights)))
            };
            (family, MARGINS.map(of_margin))
        });
        let gains = gains.collect();
        Self { fits, gains }
    }

    /// The default policy of all families, or all but one: what was fitted, less the largest margin whose mean gain on the families, each
    /// by the fit that left it out, is near the best. On lists of a recogniser that nobody has seen, a change that is not made costs
    /// little, and one that is made may cost much. The family that is left out has no part in the choice.
    pub fn without(&self, family: Option<&'a str>) -> FeatureFusion {
        let others = || self.gains.iter().filter(|(other, _)| Some(**other) != family);
        let means: Vec<f64> =
            (0..MARGINS.len()).map(|at| mean(others().map(|(_, gains)| gains[at]))).collect();
        let best = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let near = MARGINS.iter().zip(&means).rev().find(|(_, mean)| **mean >= (1.0 - COST) * best);
        let margin = near.map_or(0.0, |(margin, _)| *margin);
        eprintln!("without {}: margin {margin}, gains {means:.2?}", family.unwrap_or("none"));
        behind(&self.fits[&family], margin)
    }
}

/// The weights, where a change must be worth more.
fn behind(weights: &FeatureFusion, margin: f64) -> FeatureFusion {
    let weight = |feature| match feature {
        Feature::Change => weights.weight(feature) - margin,
        other => weights.weight(other),
    };
    FeatureFusion::new(Feature::ALL.map(|feature| (feature, weight(feature))))
}

/// Relative reduction of the WER in percent.
pub fn reduction<'l>(
    lists: impl IntoIterator<Item = &'l ScoredReference, IntoIter: Clone>,
    features: &FeatureFusion,
) -> f64 {
    let lists = lists.into_iter();
    let weighting = Weighting::Features(features.clone());
    let first: usize = lists.clone().map(|list| list.first_pass().errors).sum();
    let rescored: usize = lists.map(|list| list.rescored(&weighting).errors).sum();
    100.0 * (first as f64 - rescored as f64) / first.max(1) as f64
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / count.max(1) as f64
}
