use rescorer_nbest::NBest;

use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;
use crate::scoring::list::ListScores;
use crate::scoring::list::PreparedList;
use crate::scoring::need::Need;

/// The answer for a list, without the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Position in the first-pass list of the first occurrence of the hypothesis that was chosen, or voted on.
    pub position: usize,
    /// Best first-pass score of its occurrences.
    pub first_pass: f64,
    /// Language-model score; `None` where the model was not asked: the list has one text, or the model's weight is 0.
    pub lm_score: Option<f64>,
    /// Fused score; `None` where it would need that.
    pub total: Option<f64>,
    /// The text that was voted on word by word, where the rule is `merge` and it is not that of the hypothesis.
    pub merged: Option<String>,
}

impl Choice {
    /// Of a list that was searched.
    pub(crate) fn new(
        list: &PreparedList,
        index: usize,
        candidate: &Candidate,
        first: &Candidate,
        weighting: &Weighting,
    ) -> Self {
        let has_total = list.is_asked || !Need::of(weighting).asks(usize::MAX);
        Self {
            position: list.position(index),
            first_pass: candidate.first_pass,
            lm_score: list.is_asked.then_some(candidate.lm_score),
            total: has_total.then(|| weighting.total(candidate, first)),
            merged: None,
        }
    }

    /// The first-pass best, of which no score is known.
    pub(crate) fn first(list: &PreparedList) -> Self {
        let first_pass = list.distinct.hypotheses()[0].first_pass;
        Self { position: 0, first_pass, lm_score: None, total: None, merged: None }
    }

    /// Of a list that was scored.
    pub(crate) fn of_scores(
        scores: &ListScores,
        index: usize,
        candidates: &[Candidate],
        weighting: &Weighting,
    ) -> Self {
        let (candidate, first) = (&candidates[index], &candidates[0]);
        Self {
            position: scores.distinct.hypotheses()[index].position,
            first_pass: candidate.first_pass,
            lm_score: scores.is_scored().then_some(candidate.lm_score),
            total: scores.has_totals(weighting).then(|| weighting.total(candidate, first)),
            merged: None,
        }
    }

    /// The text of the answer for this list.
    ///
    /// # Panics
    /// For another list, which is shorter.
    pub fn text<'a>(&'a self, nbest: &'a NBest) -> &'a str {
        self.merged.as_deref().unwrap_or(&nbest.hypotheses()[self.position].text)
    }

    /// Whether it is another text than the first-pass best.
    ///
    /// # Panics
    /// As [`Choice::text`].
    pub fn changed(&self, nbest: &NBest) -> bool {
        self.text(nbest) != nbest.first().text
    }
}

/// The answers for lists that were searched together.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// In the order in which the lists were given.
    pub choices: Vec<Choice>,
    /// Trie nodes that were computed.
    pub nodes: usize,
}
