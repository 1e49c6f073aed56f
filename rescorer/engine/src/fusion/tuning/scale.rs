//! How sharp the posterior of a list is.

use std::borrow::Cow;

use crate::answer::posterior::posterior;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;

/// Scales that are tried: 97 log-spaced ones, from totals in nats of whole sentences to means over tokens.
const SCALES: i32 = 97;
const LEAST_SCALE: f64 = 1e-2;
const SCALE_STEP: f64 = 1.1;

/// The scale under which the best hypotheses of the lists are the most likely. Lists whose hypotheses are equally good say nothing.
pub(crate) fn most_likely_scale(lists: &[&ScoredReference], weighting: &Weighting) -> f64 {
    let weighed: Vec<(&[usize], Cow<'_, [Candidate]>)> =
        lists.iter().map(|list| (&list.errors[..], list.weighed(weighting))).collect();
    let log_likelihood = |scale: f64| -> f64 {
        let of_list = |(errors, candidates): &(&[usize], Cow<'_, [Candidate]>)| {
            let least = errors.iter().min();
            let shares = posterior(candidates, weighting, scale);
            let best = shares.iter().zip(*errors).filter(|(_, errors)| Some(*errors) == least);
            best.map(|(share, _)| share).sum::<f64>().max(1e-12).ln()
        };
        weighed.iter().map(of_list).sum()
    };
    let scales = (0..SCALES).map(|step| LEAST_SCALE * SCALE_STEP.powi(step));
    let scored = scales.map(|scale| (scale, log_likelihood(scale)));
    scored.fold((1.0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best }).0
}
