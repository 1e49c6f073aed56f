use serde::{Deserialize, Serialize};

/// Weights that bring first pass and language model together, and the gate.
///
/// `total = first_pass + lm_weight · lm_score + length_bonus · words`, where words are those of the unit of error; higher is better. The first-pass best
/// is kept unless `total(best) − total(first) > margin`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fusion {
    /// Weight of the language-model score.
    pub lm_weight: f64,
    /// Reward for every word, or whatever the unit of error is.
    #[serde(default)]
    pub length_bonus: f64,
    /// Lead that another hypothesis needs over the first-pass best.
    #[serde(default)]
    pub margin: f64,
}

/// What fusion needs to know of a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// First-pass score, higher is better.
    pub first_pass: f64,
    /// Language-model score, natural log.
    pub lm_score: f64,
    /// Number of words, or of other units.
    pub words: usize,
    /// Weights that the list was answered with by an earlier rescorer, in place of those that are asked for.
    pub early_exit: Option<Fusion>,
}

impl Fusion {
    /// The fused score of a hypothesis.
    pub fn total(&self, candidate: &Candidate) -> f64 {
        let Self { lm_weight, length_bonus, .. } = candidate.early_exit.as_ref().unwrap_or(self);
        candidate.first_pass + lm_weight * candidate.lm_score + length_bonus * candidate.words as f64
    }

    /// Index of the winner among candidates in first-pass order; ties go to the earlier position.
    ///
    /// # Panics
    /// Without candidates.
    pub fn winner(&self, candidates: &[Candidate]) -> usize {
        let first = self.total(&candidates[0]);
        let (mut best, mut best_total) = (0, first);
        for (index, candidate) in candidates.iter().enumerate().skip(1) {
            let total = self.total(candidate);
            if total > best_total {
                (best, best_total) = (index, total);
            }
        }
        let margin = candidates[0].early_exit.map_or(self.margin, |weights| weights.margin);
        if best_total - first > margin { best } else { 0 }
    }

    /// Indices of the candidates, the winner first, the others by falling total, ties by position.
    ///
    /// # Panics
    /// Without candidates.
    pub fn order(&self, candidates: &[Candidate]) -> Vec<usize> {
        let winner = self.winner(candidates);
        let totals: Vec<f64> = candidates.iter().map(|candidate| self.total(candidate)).collect();
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by(|&a, &b| {
            (b == winner).cmp(&(a == winner)).then(totals[b].total_cmp(&totals[a])).then(a.cmp(&b))
        });
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(first_pass: f64, lm_score: f64, words: usize) -> Candidate {
        Candidate { first_pass, lm_score, words, early_exit: None }
    }

    fn list() -> Vec<Candidate> {
        vec![candidate(-1.0, -20.0, 3), candidate(-2.0, -16.0, 2), candidate(-3.0, -12.0, 2)]
    }

    #[test]
    fn totals_add_up_as_written() {
        let fusion = Fusion { lm_weight: 0.5, length_bonus: 0.25, margin: 0.0 };
        assert_eq!(fusion.total(&list()[0]), -1.0 - 10.0 + 0.75);
        assert_eq!(fusion.order(&list()), [2, 1, 0]);
    }

    #[test]
    fn weight_zero_keeps_the_order_and_ties_break_by_position() {
        assert_eq!(Fusion { lm_weight: 0.0, length_bonus: 0.0, margin: 0.0 }.order(&list()), [0, 1, 2]);
        let tie = Fusion { lm_weight: 0.25, length_bonus: 0.0, margin: 0.0 };
        assert_eq!(tie.order(&list()), [0, 1, 2], "all totals are -6");
    }

    #[test]
    fn the_gate_keeps_the_first_unless_the_lead_exceeds_the_margin() {
        let lead_is_2 = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 2.0 };
        assert_eq!(lead_is_2.order(&list()), [0, 2, 1]);
        assert_eq!(Fusion { margin: 1.9, ..lead_is_2 }.winner(&list()), 2);
    }
}
