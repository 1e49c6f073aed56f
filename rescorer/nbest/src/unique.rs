//! A list with repeated hypotheses taken together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::{Hypothesis, NBest, ScorePart, ScoreScale, scores};

/// The distinct hypotheses of a list, in the order of their first occurrence.
///
/// Hypotheses with exactly the same text are one: it has the position of its first occurrence and the best of
/// their scores. `listed` leads back, so that every line of the list can be written out.
#[derive(Clone, Debug, PartialEq)]
pub struct UniqueHypotheses {
    hypotheses: Vec<UniqueHypothesis>,
    listed: Vec<usize>,
    recognised: usize,
    scale: ScoreScale,
    parts: Vec<(ScorePart, Vec<f64>)>,
}

/// One distinct hypothesis; its text is that of the list at `position`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UniqueHypothesis {
    /// Position of the first occurrence in the list.
    pub position: usize,
    /// Best score of the occurrences, `None` in a list without scores.
    pub score: Option<f64>,
    /// Best first-pass score of the occurrences: `score`, or −position in a list without scores.
    pub first_pass: f64,
    /// The position, or where terms were put in, that of the hypothesis that it was made from.
    pub source: usize,
    /// Sum of the weights of a vocabulary's terms in the text.
    pub term_weight: f64,
    /// Sum of the distances in sound of terms that were put in.
    pub term_distance: f64,
}

impl NBest {
    /// The list with repeated texts taken together.
    pub fn unique(&self) -> UniqueHypotheses {
        UniqueHypotheses::of(self)
    }
}

impl UniqueHypotheses {
    pub(crate) fn of(list: &NBest) -> Self {
        if let [only] = list.hypotheses() {
            let hypotheses = vec![UniqueHypothesis::of(list, 0, only.score, only.score.unwrap_or(0.0))];
            let scale = list.score_scale();
            return Self { hypotheses, listed: vec![0], recognised: 1, scale, parts: Vec::new() };
        }
        let mut hypotheses: Vec<UniqueHypothesis> = Vec::new();
        let mut index_of: HashMap<&str, usize> = HashMap::with_capacity(list.len());
        let mut listed = Vec::with_capacity(list.len());
        // Position of the occurrence with the best score.
        let mut best = Vec::new();
        for (position, (hypothesis, first_pass)) in list.iter().zip(list.first_pass()).enumerate() {
            match index_of.entry(&hypothesis.text) {
                Entry::Vacant(entry) => {
                    listed.push(*entry.insert(hypotheses.len()));
                    hypotheses.push(UniqueHypothesis::of(list, position, hypothesis.score, first_pass));
                    best.push(position);
                }
                Entry::Occupied(entry) => {
                    let known = &mut hypotheses[*entry.get()];
                    if first_pass > known.first_pass {
                        best[*entry.get()] = position;
                        (known.score, known.first_pass) = (hypothesis.score, first_pass);
                    }
                    listed.push(*entry.get());
                }
            }
        }
        let best: Vec<&Hypothesis> =
            best.into_iter().map(|position| &list.hypotheses()[list.source(position)]).collect();
        let parts = scores::of_parts(&best);
        Self { hypotheses, listed, recognised: list.recognised(), scale: list.score_scale(), parts }
    }

    /// The distinct hypotheses, in the order of their first occurrence.
    pub fn hypotheses(&self) -> &[UniqueHypothesis] {
        &self.hypotheses
    }

    /// The same hypotheses with other first-pass scores, in their order.
    #[must_use]
    pub fn with_first_pass(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        self.hypotheses.iter_mut().zip(values).for_each(|(hypothesis, value)| hypothesis.first_pass = value);
        self
    }

    /// What their scores are logarithms of.
    pub fn score_scale(&self) -> ScoreScale {
        self.scale
    }

    /// The scores of single models that the recogniser gave beside every text, higher is better: for each its values, in the order of
    /// the hypotheses. Of repeats that with the best first-pass score counts; where terms were put in, the values are those of the source.
    pub fn score_parts(&self) -> &[(ScorePart, Vec<f64>)] {
        &self.parts
    }

    /// For every position of the list, the index of its distinct hypothesis.
    pub fn listed(&self) -> &[usize] {
        &self.listed
    }

    /// For every position that the recogniser wrote, the index of its distinct hypothesis.
    pub fn recognised(&self) -> &[usize] {
        &self.listed[..self.recognised]
    }
}

impl UniqueHypothesis {
    fn of(list: &NBest, position: usize, score: Option<f64>, first_pass: f64) -> Self {
        let (term_weight, term_distance) =
            list.terms(position).map_or((0.0, 0.0), |terms| (terms.weight, terms.distance));
        Self { position, score, first_pass, source: list.source(position), term_weight, term_distance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hypothesis;

    #[test]
    fn repeats_keep_the_first_position_and_the_best_score() {
        let list = [("a", -2.0), ("b", -3.0), ("a", -1.0), ("B", -4.0), ("b", -5.0)];
        let list = NBest::new(list.map(|(text, score)| Hypothesis::scored(text, score)).to_vec()).unwrap();
        let distinct = list.unique();
        let found: Vec<_> =
            distinct.hypotheses().iter().map(|h| (h.position, h.score, h.first_pass)).collect();
        assert_eq!(found, [(0, Some(-1.0), -1.0), (1, Some(-3.0), -3.0), (3, Some(-4.0), -4.0)]);
        assert_eq!(distinct.listed(), [0, 1, 0, 2, 1]);
    }

    #[test]
    fn scores_of_single_models_stay_apart() {
        let hypothesis = |text: &str, score: f64, extra: serde_json::Value| Hypothesis {
            extra: extra.as_object().cloned().unwrap_or_default(),
            ..Hypothesis::scored(text, score)
        };
        let list = |extras: [serde_json::Value; 3]| {
            let [first, second, third] = extras;
            let list = vec![
                hypothesis("a", -2.0, first),
                hypothesis("b", -3.0, second),
                hypothesis("a", -1.0, third),
            ];
            NBest::new(list).unwrap()
        };
        let extra = |ctc: f64, cost: &str| serde_json::json!({"ctc": ctc, "lm_cost": cost, "duration": 3});
        let full = list([extra(-1.0, "4"), extra(-2.5, "-1"), extra(-0.5, "5")]);
        // The second "a" has the better score.
        let expected = [(ScorePart::Ctc, vec![-0.5, -2.5]), (ScorePart::Language, vec![-5.0, 1.0])];
        assert_eq!(full.unique().score_parts(), expected);
        let gap = list([extra(-1.0, "4"), extra(-2.5, ""), extra(-0.5, "5")]);
        assert_eq!(gap.unique().score_parts(), &expected[..1], "a part that is not beside every text");
        let ours = serde_json::json!({"first_pass_position": 0, "lm_score": -3.0});
        assert_eq!(list([ours.clone(), ours.clone(), ours]).unique().score_parts(), []);
        // A text with a term put in has the numbers of its source.
        let made = full.with_terms(Vec::new(), [(1, "B".to_owned(), crate::TermUse::default())]).unique();
        assert_eq!(made.score_parts()[0].1, [-0.5, -2.5, -2.5]);
    }

    #[test]
    fn one_hypothesis_is_distinct() {
        for (hypothesis, score, first_pass) in
            [(Hypothesis::scored("a", -2.0), Some(-2.0), -2.0), (Hypothesis::new("a"), None, 0.0)]
        {
            let distinct = NBest::new(vec![hypothesis]).unwrap().unique();
            let [only] = distinct.hypotheses() else { panic!("{distinct:?}") };
            assert_eq!((only.position, only.score, only.first_pass), (0, score, first_pass));
            assert_eq!(distinct.listed(), [0]);
        }
    }

    #[test]
    fn without_scores_the_first_position_counts() {
        let distinct = NBest::from_texts(["a", "", "a", ""]).unwrap().unique();
        let found: Vec<_> =
            distinct.hypotheses().iter().map(|h| (h.position, h.score, h.first_pass)).collect();
        assert_eq!(found, [(0, None, 0.0), (1, None, -1.0)]);
        assert_eq!(distinct.listed(), [0, 1, 0, 1]);
    }
}
