//! The winner among the hypotheses that are scored so far.

use crate::answer::choice::Choice;
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;
use crate::scoring::list::PreparedList;

/// What the same log-probabilities, summed in nats, may differ by from one forward pass to another.
const NOISE: f64 = 1e-3;

/// What is decided of a list.
#[derive(Clone, Default)]
pub(crate) struct BestSoFar {
    /// Hypotheses that are scored to their end: their number among the distinct ones.
    scored: Vec<(usize, Candidate)>,
    first: Option<Candidate>,
    /// Largest total, once the first-pass best is scored, with which all are compared.
    best: Option<f64>,
}

impl BestSoFar {
    /// All that there is to know of a list that the model is not asked about, nothing of others.
    pub(crate) fn unasked(weighting: &Weighting, list: &PreparedList) -> Self {
        let mut standing = Self::default();
        if !list.is_asked {
            (0..list.unique()).for_each(|index| standing.add(weighting, index, list.candidate(index, 0.0)));
        }
        standing
    }

    /// The first-pass best, once it is scored.
    pub(crate) fn first(&self) -> Option<Candidate> {
        self.first
    }

    pub(crate) fn add(&mut self, weighting: &Weighting, index: usize, candidate: Candidate) {
        self.scored.push((index, candidate));
        if index == 0 {
            self.first = Some(candidate);
        }
        let Some(first) = &self.first else { return };
        // What came before the first-pass best is compared now.
        let new = if index == 0 { &self.scored[..] } else { &self.scored[self.scored.len() - 1..] };
        let totals = new.iter().map(|(_, candidate)| weighting.total(candidate, first));
        self.best = totals.chain(self.best).reduce(f64::max);
    }

    /// Whether a hypothesis may be the winner of which this is known so far; where totals can rise, all may.
    pub(crate) fn may_win(&self, weighting: &Weighting, so_far: Candidate) -> bool {
        if !weighting.is_monotone() {
            return true;
        }
        let (Some(first), Some(best)) = (&self.first, self.best) else { return true };
        let bound = weighting.total(&Candidate { lm_score: so_far.lm_score + NOISE, ..so_far }, first);
        bound >= best.max(weighting.total(first, first) + weighting.margin(first))
    }

    pub(crate) fn choice(mut self, weighting: &Weighting, list: &PreparedList) -> Choice {
        self.scored.sort_unstable_by_key(|(index, _)| *index);
        let candidates: Vec<Candidate> = self.scored.iter().map(|(_, candidate)| *candidate).collect();
        let (index, candidate) = self.scored[weighting.winner(&candidates)];
        Choice::new(list, index, &candidate, &candidates[0], weighting)
    }

    /// The winner among those that are scored; `None` where the first-pass best is not.
    pub(crate) fn into_choice(self, weighting: &Weighting, list: &PreparedList) -> Option<Choice> {
        self.first.map(|_| self.choice(weighting, list))
    }
}
