//! The N-best list.

use crate::{Error, Hypothesis, Place, ScoreScale, TermUse};

/// The hypotheses of one utterance in first-pass order, best first.
///
/// Three things always hold: there is at least one hypothesis; all have a score or none has; every score is
/// finite. Lists are equal if their hypotheses are.
#[derive(Clone, Debug)]
pub struct NBest {
    pub(crate) hypotheses: Vec<Hypothesis>,
    scale: ScoreScale,
    /// What a vocabulary has to do with each; empty without one.
    pub(crate) uses: Vec<TermUse>,
    /// What those at the end that have terms put in were made from.
    pub(crate) sources: Vec<usize>,
}

impl PartialEq for NBest {
    fn eq(&self, other: &Self) -> bool {
        self.hypotheses == other.hypotheses
    }
}

// A list is never empty.
#[allow(clippy::len_without_is_empty)]
impl NBest {
    /// A list of these hypotheses.
    ///
    /// # Errors
    /// [`Error::NoHypotheses`], [`Error::MixedScores`], [`Error::NotFinite`].
    pub fn new(hypotheses: Vec<Hypothesis>) -> Result<Self, Error> {
        Self::checked(hypotheses, &Place::default())
    }

    /// A list without scores.
    ///
    /// # Errors
    /// [`Error::NoHypotheses`] if there is no text.
    pub fn from_texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        Self::new(texts.into_iter().map(Hypothesis::new).collect())
    }

    pub(crate) fn checked(hypotheses: Vec<Hypothesis>, place: &Place) -> Result<Self, Error> {
        if hypotheses.is_empty() {
            return Err(Error::NoHypotheses { place: place.clone() });
        }
        let scored = hypotheses.iter().position(|h| h.score.is_some());
        let unscored = hypotheses.iter().position(|h| h.score.is_none());
        if let (Some(scored), Some(unscored)) = (scored, unscored) {
            return Err(Error::MixedScores { place: place.clone(), scored, unscored });
        }
        if let Some(score) = hypotheses.iter().filter_map(|h| h.score).find(|s| !s.is_finite()) {
            return Err(Error::NotFinite { place: place.clone(), value: score.to_string() });
        }
        Ok(Self { hypotheses, scale: ScoreScale::Unknown, uses: Vec::new(), sources: Vec::new() })
    }

    /// Says what the scores are logarithms of.
    #[must_use]
    pub fn with_score_scale(self, scale: ScoreScale) -> Self {
        Self { scale, ..self }
    }

    /// What the scores are logarithms of; [`ScoreScale::Unknown`] unless the reader knew it.
    pub fn score_scale(&self) -> ScoreScale {
        self.scale
    }

    /// The hypotheses, best of the first pass first.
    pub fn hypotheses(&self) -> &[Hypothesis] {
        &self.hypotheses
    }

    /// The hypotheses, taken out of the list.
    pub fn into_hypotheses(self) -> Vec<Hypothesis> {
        self.hypotheses
    }

    /// The list with every hypothesis changed, but for text and score.
    pub(crate) fn mapped(mut self, change: impl FnMut(&mut Hypothesis)) -> Self {
        self.hypotheses.iter_mut().for_each(change);
        self
    }

    /// Iterates over the hypotheses in first-pass order.
    pub fn iter(&self) -> std::slice::Iter<'_, Hypothesis> {
        self.hypotheses.iter()
    }

    /// The number of hypotheses, repeated ones included; at least 1.
    pub fn len(&self) -> usize {
        self.hypotheses.len()
    }

    /// The first-pass best: the hypothesis at position 0.
    pub fn first(&self) -> &Hypothesis {
        &self.hypotheses[0]
    }

    /// Whether the hypotheses have scores.
    pub fn is_scored(&self) -> bool {
        self.first().score.is_some()
    }

    /// The first-pass score of every hypothesis: its score, or −position where the list has no scores.
    pub fn first_pass(&self) -> Vec<f64> {
        let rank = |position: usize| 0.0 - self.source(position) as f64;
        self.iter().enumerate().map(|(position, h)| h.score.unwrap_or_else(|| rank(position))).collect()
    }
}

impl<'a> IntoIterator for &'a NBest {
    type Item = &'a Hypothesis;
    type IntoIter = std::slice::Iter<'a, Hypothesis>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(hypotheses: Vec<Hypothesis>) -> String {
        NBest::new(hypotheses).unwrap_err().to_string()
    }

    #[test]
    fn refuses_what_is_no_list() {
        assert_eq!(refusal(vec![]), "the utterance has no hypotheses; remove it");
        assert_eq!(
            refusal(vec![Hypothesis::scored("a", -1.0), Hypothesis::new("b")]),
            "the utterance mixes hypotheses with a score (position 0) and without (position 1); \
             score all or none"
        );
        for (score, value) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf")] {
            assert_eq!(
                refusal(vec![Hypothesis::scored("a", score)]),
                format!("the utterance holds {value}, which is not a finite number; mend the score")
            );
        }
    }

    #[test]
    fn lists_without_scores_are_scored_by_position() {
        let list = NBest::from_texts(["a", "b", "a"]).unwrap();
        assert!(!list.is_scored());
        assert_eq!(list.first_pass(), [0.0, -1.0, -2.0]);
        assert!(list.first_pass()[0].is_sign_positive());
        assert_eq!(list.iter().map(|h| h.text.as_str()).collect::<String>(), "aba");
    }

    #[test]
    fn scores_are_the_first_pass() {
        let list = NBest::new(vec![Hypothesis::scored("", -1.0), Hypothesis::scored("b", 2.0)]).unwrap();
        assert_eq!(list.first_pass(), [-1.0, 2.0]);
        assert_eq!((list.len(), list.first().text.as_str()), (2, ""));
    }
}
