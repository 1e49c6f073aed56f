use rescorer_nbest::{Distinct, NBest};

use crate::scorer::ListScores;
use crate::{Candidate, Choice, Error, Fusion, Scorer};

/// A hypothesis of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RescoredHypothesis {
    /// Position of its first occurrence in the first-pass list.
    pub position: usize,
    /// The text as it came in.
    pub text: String,
    /// Best first-pass score of its occurrences.
    pub first_pass: f64,
    /// Language-model score.
    pub lm_score: f64,
    /// Fused score.
    pub total: f64,
}

/// The answer for a list: its distinct hypotheses, the winner first.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescored {
    hypotheses: Vec<RescoredHypothesis>,
    confidence: f64,
    distinct: Distinct,
}

impl Rescored {
    /// Fuses scores that were computed before.
    pub fn new(nbest: &NBest, scores: &ListScores, fusion: &Fusion) -> Self {
        let candidates = candidates(scores);
        let totals: Vec<f64> = candidates.iter().map(|candidate| fusion.total(candidate)).collect();
        let order = fusion.order(&candidates);
        let max = totals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = totals.iter().map(|total| (total - max).exp()).sum();
        let confidence = (totals[order[0]] - max).exp() / sum;
        let hypotheses = order
            .iter()
            .map(|&index| {
                let position = scores.distinct.hypotheses()[index].position;
                RescoredHypothesis {
                    position,
                    text: nbest.hypotheses()[position].text.clone(),
                    first_pass: candidates[index].first_pass,
                    lm_score: candidates[index].lm_score,
                    total: totals[index],
                }
            })
            .collect();
        Self { hypotheses, confidence, distinct: scores.distinct.clone() }
    }

    /// The winner.
    pub fn best(&self) -> &RescoredHypothesis {
        &self.hypotheses[0]
    }

    /// The winner without its text.
    pub fn choice(&self) -> Choice {
        let RescoredHypothesis { position, first_pass, lm_score, total, .. } = *self.best();
        Choice { position, first_pass, lm_score, total }
    }

    /// All distinct hypotheses, best first.
    pub fn hypotheses(&self) -> &[RescoredHypothesis] {
        &self.hypotheses
    }

    /// Posterior of the winner: the softmax of the totals. Not calibrated.
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// Every listed position, repeats included, in the order of the answer, with its hypothesis.
    pub fn listed(&self) -> Vec<(usize, &RescoredHypothesis)> {
        // Distinct hypotheses stand in the order of their first occurrence.
        let mut place = vec![0; self.hypotheses.len()];
        for (at, hypothesis) in self.hypotheses.iter().enumerate() {
            place[self.distinct.listed()[hypothesis.position]] = at;
        }
        let listed = self.distinct.listed().iter().enumerate();
        let mut order: Vec<(usize, usize)> =
            listed.map(|(position, &distinct)| (place[distinct], position)).collect();
        order.sort_unstable();
        order.into_iter().map(|(at, position)| (position, &self.hypotheses[at])).collect()
    }
}

/// What fusion needs of the distinct hypotheses of a list.
pub fn candidates(scores: &ListScores) -> Vec<Candidate> {
    let distinct = scores.distinct.hypotheses().iter().zip(&scores.words).zip(&scores.scores);
    distinct
        .map(|((hypothesis, &words), score)| Candidate {
            first_pass: hypothesis.first_pass,
            lm_score: score.lm_score,
            words,
        })
        .collect()
}

/// The second pass: a scorer and the weights that fuse its scores with the first pass.
#[derive(Clone)]
pub struct Rescorer {
    scorer: Scorer,
    fusion: Fusion,
}

impl Rescorer {
    /// A rescorer with these weights.
    pub fn new(scorer: Scorer, fusion: Fusion) -> Self {
        Self { scorer, fusion }
    }

    /// The scorer.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// The weights.
    pub fn fusion(&self) -> &Fusion {
        &self.fusion
    }

    /// Scores a list and picks the best hypothesis. Where the winner is all that is wanted,
    /// [`Rescorer::choose`] is faster.
    ///
    /// # Errors
    /// A hypothesis longer than the model's context; a model that fails.
    pub fn rescore(&self, nbest: &NBest) -> Result<Rescored, Error> {
        let scores = self.scorer.score_list(nbest)?;
        Ok(Rescored::new(nbest, &scores, &self.fusion))
    }
}
