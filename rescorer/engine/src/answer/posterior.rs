use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weights::{Candidate, Fusion};

/// Scales that are tried: 97 log-spaced ones, from totals in nats of whole sentences to means over tokens.
const SCALES: i32 = 97;
const LEAST_SCALE: f64 = 1e-2;
const SCALE_STEP: f64 = 1.1;

/// Share of every hypothesis in the posterior, `softmax(scale · total)`.
pub(crate) fn posterior(candidates: &[Candidate], fusion: &Fusion, scale: f64) -> Vec<f64> {
    let totals: Vec<f64> = candidates.iter().map(|candidate| scale * fusion.total(candidate)).collect();
    let max = totals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = totals.iter().map(|total| (total - max).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// The scale under which the best hypotheses of the lists are the most likely. Lists whose hypotheses are equally good say nothing.
pub(crate) fn most_likely_scale(lists: &[&ScoredReference], fusion: &Fusion) -> f64 {
    let log_likelihood = |scale: f64| -> f64 {
        let of_list = |list: &&ScoredReference| {
            let least = list.errors.iter().min();
            let shares = posterior(&list.candidates, fusion, scale);
            let best = shares.iter().zip(&list.errors).filter(|(_, errors)| Some(*errors) == least);
            best.map(|(share, _)| share).sum::<f64>().max(1e-12).ln()
        };
        lists.iter().map(of_list).sum()
    };
    let scales = (0..SCALES).map(|step| LEAST_SCALE * SCALE_STEP.powi(step));
    let scored = scales.map(|scale| (scale, log_likelihood(scale)));
    scored.fold((1.0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best }).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_a_softmax() {
        let candidate = |first_pass| Candidate { first_pass, lm_score: -1.0, words: 2, early_exit: None };
        let fusion = Fusion { lm_weight: 1.0, length_bonus: 0.0, margin: 0.0 };
        let shares = posterior(&[candidate(-1.0), candidate(-1.0 - 3f64.ln())], &fusion, 1.0);
        assert!((shares[0] - 0.75).abs() < 1e-12);
        let shares = posterior(&[candidate(-1.0), candidate(-1.0 - 3f64.ln())], &fusion, 2.0);
        assert!((shares[0] - 0.9).abs() < 1e-12);
    }
}
