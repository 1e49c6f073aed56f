//! How sharp the posterior of a list is.

use crate::answer::posterior::posterior;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;

/// Scales that are tried: 97 log-spaced ones, from totals in nats of whole sentences to means over tokens.
const SCALES: i32 = 97;
const LEAST_SCALE: f64 = 1e-2;
const SCALE_STEP: f64 = 1.1;

/// The scale under which the best hypotheses of the lists are the most likely. Lists whose hypotheses are equally good say nothing.
pub(crate) fn most_likely_scale(lists: &[&ScoredReference], weighting: &Weighting) -> f64 {
    let log_likelihood = |scale: f64| -> f64 {
        let of_list = |list: &&ScoredReference| {
            let least = list.errors.iter().min();
            let shares = posterior(&list.candidates, weighting, scale);
            let best = shares.iter().zip(&list.errors).filter(|(_, errors)| Some(*errors) == least);
            best.map(|(share, _)| share).sum::<f64>().max(1e-12).ln()
        };
        lists.iter().map(of_list).sum()
    };
    let scales = (0..SCALES).map(|step| LEAST_SCALE * SCALE_STEP.powi(step));
    let scored = scales.map(|scale| (scale, log_likelihood(scale)));
    scored.fold((1.0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best }).0
}
