//! Who is to answer a list: a probability for the model alone and for every adapter.

/// Probability that a list is of the same domain as the one before it in its conversation.
const STAY: f64 = 0.9;

/// Probabilities of none, which comes first, and of every adapter. They sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Posterior(Vec<f64>);

impl Posterior {
    /// All alike, before anything is known.
    pub(crate) fn uniform(adapters: usize) -> Self {
        let choices = adapters + 1;
        Self(vec![1.0 / choices as f64; choices])
    }

    /// After a list whose log-odds against none are these, one for every adapter:
    /// `p_a ∝ prior_a · exp(log_odds_a)`, with 0 for none.
    pub(crate) fn after(&self, log_odds: &[f64]) -> Self {
        let log_odds = std::iter::once(0.0).chain(log_odds.iter().copied());
        let logs: Vec<f64> = self.0.iter().zip(log_odds).map(|(prior, odds)| prior.ln() + odds).collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
        let sum: f64 = shares.iter().sum();
        Self(shares.iter().map(|share| share / sum).collect())
    }

    /// The prior of the next list of the conversation: `0.9 · p + 0.1 · uniform`.
    pub(crate) fn carried(&self) -> Self {
        let uniform = (1.0 - STAY) / self.0.len() as f64;
        Self(self.0.iter().map(|share| STAY * share + uniform).collect())
    }

    /// The most probable: none, or the number of an adapter; with its probability. None goes before adapters that are as probable,
    /// and an adapter before later ones.
    pub(crate) fn best(&self) -> (Option<usize>, f64) {
        let shares = self.0.iter().copied().enumerate();
        let (at, share) = shares.fold((0, f64::NEG_INFINITY), |best, (at, share)| match share > best.1 {
            true => (at, share),
            false => best,
        });
        (at.checked_sub(1), share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &Posterior, expected: &[f64]) {
        assert_eq!(found.0.len(), expected.len());
        assert!(found.0.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
    }

    #[test]
    fn odds_multiply_the_prior() {
        let uniform = Posterior::uniform(2);
        close(&uniform, &[1.0 / 3.0; 3]);
        assert_eq!(uniform.best().0, None, "nothing speaks for an adapter");
        // Odds of 2 and 1/2 against none: 2 : 4 : 1 of 7.
        let found = uniform.after(&[2f64.ln(), -(2f64.ln())]);
        close(&found, &[2.0 / 7.0, 4.0 / 7.0, 1.0 / 7.0]);
        assert_eq!(found.best().0, Some(0));
        // The same once more: 4 : 16 : 1 of 21.
        close(&found.after(&[2f64.ln(), -(2f64.ln())]), &[4.0 / 21.0, 16.0 / 21.0, 1.0 / 21.0]);
        close(&uniform.after(&[-2000.0, 2000.0]), &[0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_conversation_leans_to_where_it_was() {
        let sure = Posterior(vec![0.0, 1.0]);
        close(&sure.carried(), &[0.05, 0.95]);
        // Even odds leave the lean; odds of 1/19 bring it back to even, which is none.
        close(&sure.carried().after(&[0.0]), &[0.05, 0.95]);
        close(&sure.carried().after(&[(1.0f64 / 19.0).ln()]), &[0.5, 0.5]);
        // What is certain can be given up.
        assert_eq!(sure.carried().after(&[-10.0]).best().0, None);
    }
}
