//! The winner among the hypotheses that are scored so far.

use crate::answer::choice::Choice;
use crate::fusion::weights::{Candidate, Fusion};
use crate::scoring::list::PreparedList;

/// What the same log-probabilities, summed in nats, may differ by from one forward pass to another.
const NOISE: f64 = 1e-3;

/// What is decided of a list.
#[derive(Clone, Default)]
pub(crate) struct BestSoFar {
    /// Hypotheses that are scored to their end: their number among the distinct ones.
    scored: Vec<(usize, Candidate)>,
    first: Option<f64>,
    best: Option<f64>,
}

impl BestSoFar {
    /// All that there is to know of a list that the model is not asked about, nothing of others.
    pub(crate) fn unasked(fusion: &Fusion, list: &PreparedList) -> Self {
        let mut standing = Self::default();
        if !list.is_asked {
            (0..list.unique()).for_each(|index| standing.add(fusion, index, list.candidate(index, 0.0)));
        }
        standing
    }

    pub(crate) fn add(&mut self, fusion: &Fusion, index: usize, candidate: Candidate) {
        let total = fusion.total(&candidate);
        if index == 0 {
            self.first = Some(total);
        }
        self.best = Some(self.best.map_or(total, |best| best.max(total)));
        self.scored.push((index, candidate));
    }

    /// Whether a hypothesis whose total so far is `bound` may be the winner; with a negative weight totals rise, and all may.
    pub(crate) fn may_win(&self, fusion: &Fusion, bound: f64) -> bool {
        if fusion.lm_weight < 0.0 {
            return true;
        }
        let (Some(first), Some(best)) = (self.first, self.best) else { return true };
        bound + NOISE * fusion.lm_weight >= best.max(first + fusion.margin)
    }

    pub(crate) fn choice(mut self, fusion: &Fusion, list: &PreparedList) -> Choice {
        self.scored.sort_unstable_by_key(|(index, _)| *index);
        let candidates: Vec<Candidate> = self.scored.iter().map(|(_, candidate)| *candidate).collect();
        let (index, candidate) = self.scored[fusion.winner(&candidates)];
        Choice::new(list, index, &candidate, fusion)
    }

    /// The winner among those that are scored; `None` where the first-pass best is not.
    pub(crate) fn into_choice(self, fusion: &Fusion, list: &PreparedList) -> Option<Choice> {
        self.first.map(|_| self.choice(fusion, list))
    }
}
