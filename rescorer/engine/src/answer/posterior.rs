use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;

/// Share of every hypothesis in the posterior, `softmax(scale · total)`.
pub(crate) fn posterior(candidates: &[Candidate], weighting: &Weighting, scale: f64) -> Vec<f64> {
    let totals: Vec<f64> = weighting.totals(candidates).into_iter().map(|total| scale * total).collect();
    let max = totals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = totals.iter().map(|total| (total - max).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::weights::Fusion;

    #[test]
    fn shares_are_a_softmax() {
        let candidate = |first_pass| Candidate::new(first_pass, -1.0, 2);
        let fusion = Weighting::Classic(Fusion { lm_weight: 1.0, length_bonus: 0.0, margin: 0.0 });
        let shares = posterior(&[candidate(-1.0), candidate(-1.0 - 3f64.ln())], &fusion, 1.0);
        assert!((shares[0] - 0.75).abs() < 1e-12);
        let shares = posterior(&[candidate(-1.0), candidate(-1.0 - 3f64.ln())], &fusion, 2.0);
        assert!((shares[0] - 0.9).abs() < 1e-12);
    }
}
