//! The two kinds of fusion, behind one face.

use crate::fusion::features::FeatureFusion;
use crate::fusion::weights::{Candidate, Fusion};

/// How a hypothesis gets its total.
#[derive(Debug, Clone, PartialEq)]
pub enum Weighting {
    /// By three numbers, on the scale of the first pass.
    Classic(Fusion),
    /// By the weights of features.
    Features(FeatureFusion),
}

impl Weighting {
    /// The total of a hypothesis of a list with this first-pass best; higher is better.
    pub fn total(&self, candidate: &Candidate, first: &Candidate) -> f64 {
        match (candidate.early_exit, self) {
            (Some(fusion), _) => fusion.total(candidate),
            (None, Self::Classic(fusion)) => fusion.total(candidate),
            (None, Self::Features(features)) => features.total(candidate, first),
        }
    }

    /// The totals of a list.
    ///
    /// # Panics
    /// Without candidates.
    pub fn totals(&self, candidates: &[Candidate]) -> Vec<f64> {
        candidates.iter().map(|candidate| self.total(candidate, &candidates[0])).collect()
    }

    /// Lead that another hypothesis needs over the first-pass best of a list. With features it is among the totals.
    pub(crate) fn margin(&self, first: &Candidate) -> f64 {
        match (first.early_exit, self) {
            (Some(fusion), _) => fusion.margin,
            (None, Self::Classic(fusion)) => fusion.margin,
            (None, Self::Features(_)) => 0.0,
        }
    }

    /// Index of the winner among candidates in first-pass order; ties go to the earlier position.
    ///
    /// # Panics
    /// Without candidates.
    pub fn winner(&self, candidates: &[Candidate]) -> usize {
        let first = &candidates[0];
        self.best(first, candidates.iter().map(|candidate| self.total(candidate, first)))
    }

    /// Index of the largest total, of which the first is that of the first-pass best; that stays within the margin.
    fn best(&self, first: &Candidate, mut totals: impl Iterator<Item = f64>) -> usize {
        let first_total = totals.next().unwrap_or_default();
        let (mut best, mut best_total) = (0, first_total);
        for (index, total) in (1..).zip(totals) {
            if total > best_total {
                (best, best_total) = (index, total);
            }
        }
        if best_total - first_total > self.margin(first) { best } else { 0 }
    }

    /// Indices of the candidates, the winner first, the others by falling total, ties by position.
    ///
    /// # Panics
    /// Without candidates.
    pub fn order(&self, candidates: &[Candidate]) -> Vec<usize> {
        let totals = self.totals(candidates);
        let winner = self.best(&candidates[0], totals.iter().copied());
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by(|&a, &b| {
            (b == winner).cmp(&(a == winner)).then(totals[b].total_cmp(&totals[a])).then(a.cmp(&b))
        });
        order
    }

    /// Whether the language model's scores count.
    pub(crate) fn asks_model(&self) -> bool {
        match self {
            Self::Classic(fusion) => fusion.lm_weight != 0.0,
            Self::Features(features) => features.asks_model(),
        }
    }

    /// Whether the total rises with the language-model score, so that what is known of a hypothesis bounds it.
    pub(crate) fn is_monotone(&self) -> bool {
        match self {
            Self::Classic(fusion) => fusion.lm_weight >= 0.0,
            Self::Features(_) => true,
        }
    }

    /// Whether candidates need their features.
    pub(crate) fn wants_features(&self) -> bool {
        matches!(self, Self::Features(_))
    }

    /// The three numbers, where it is those.
    pub fn classic(&self) -> Option<&Fusion> {
        match self {
            Self::Classic(fusion) => Some(fusion),
            Self::Features(_) => None,
        }
    }

    /// The weights of features, where it is those.
    pub fn features(&self) -> Option<&FeatureFusion> {
        match self {
            Self::Classic(_) => None,
            Self::Features(features) => Some(features),
        }
    }
}

impl From<Fusion> for Weighting {
    fn from(fusion: Fusion) -> Self {
        Self::Classic(fusion)
    }
}

impl From<&Fusion> for Weighting {
    fn from(fusion: &Fusion) -> Self {
        Self::Classic(*fusion)
    }
}

impl From<&Weighting> for Weighting {
    fn from(weighting: &Weighting) -> Self {
        weighting.clone()
    }
}

impl From<FeatureFusion> for Weighting {
    fn from(features: FeatureFusion) -> Self {
        Self::Features(features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::features::Feature;

    fn list() -> Vec<Candidate> {
        vec![Candidate::new(-1.0, -20.0, 3), Candidate::new(-2.0, -16.0, 2), Candidate::new(-3.0, -12.0, 2)]
    }

    fn classic(lm_weight: f64, margin: f64) -> Weighting {
        Fusion { lm_weight, length_bonus: 0.0, margin }.into()
    }

    #[test]
    fn weight_zero_keeps_the_order_and_ties_break_by_position() {
        assert_eq!(classic(0.0, 0.0).order(&list()), [0, 1, 2]);
        assert_eq!(classic(0.25, 0.0).order(&list()), [0, 1, 2], "all totals are -6");
    }

    #[test]
    fn the_gate_keeps_the_first_unless_the_lead_exceeds_the_margin() {
        assert_eq!(classic(0.5, 2.0).order(&list()), [0, 2, 1], "the lead is 2");
        assert_eq!(classic(0.5, 1.9).winner(&list()), 2);
    }

    #[test]
    fn features_are_compared_with_the_first_pass_best() {
        let list: Vec<Candidate> = list().into_iter().map(|one| Candidate { tokens: 4, ..one }).collect();
        let features = FeatureFusion::new([(Feature::Lm5, 2.0), (Feature::LmMean, 1.0)]);
        let totals = Weighting::Features(features).totals(&list);
        let expected = [0.0, 2.0 * 0.8f64.tanh() + 3f64.tanh(), 2.0 * 1.6f64.tanh() + 6f64.tanh()];
        assert!(totals.iter().zip(expected).all(|(total, expected)| (total - expected).abs() < 1e-12));
    }
}
