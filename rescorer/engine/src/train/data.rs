use std::sync::Arc;

use rescorer_nbest::{UniqueHypothesis, Utterance};
use rescorer_perturb::{Metric, word_errors};

use super::stage::{Judge, Stage};
use super::teacher::Teacher;
use crate::error::Error;
use crate::scoring::scorer::Scorer;

/// A list in the form that training reads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Example {
    /// The utterance.
    pub id: String,
    /// Tokens of what was said before; none where there is no context.
    pub context: Arc<[u32]>,
    /// Tokens of the reference, without BOS and EOS.
    pub reference: Option<Vec<u32>>,
    /// Tokens of the distinct hypotheses, in first-pass order.
    pub hypotheses: Vec<Vec<u32>>,
    /// Their first-pass scores.
    pub first_pass: Vec<f64>,
    /// Their words, or other units.
    pub words: Vec<usize>,
    /// Their errors; empty without a reference.
    pub errors: Vec<usize>,
    /// The teacher's scores; empty without one.
    pub teacher: Vec<f64>,
}

impl Example {
    /// Tokenises an utterance and counts the errors of its hypotheses.
    ///
    /// # Errors
    /// A text that with its context is longer than the model's own, or one that the teacher has no score for.
    pub fn new(
        scorer: &Scorer,
        utterance: &Utterance,
        metric: Metric,
        teacher: Option<&Teacher>,
    ) -> Result<Self, Error> {
        let context = utterance.context.as_deref().unwrap_or_default();
        let list = scorer.prepare_in_context(&utterance.id, &utterance.nbest, context)?;
        let reference = utterance.reference.as_deref();
        let before = list.context.len();
        let tokens =
            reference.map(|text| scorer.encode_reference(&utterance.id, text, before)).transpose()?;
        let errors = reference.map(|reference| {
            let Metric { normalize, unit } = metric;
            let reference = normalize.apply(reference);
            let reference = unit.split(&reference);
            let texts = list.distinct.hypotheses().iter();
            let texts = texts.map(|hypothesis| &utterance.nbest.hypotheses()[hypothesis.position].text);
            texts.map(|text| word_errors(&reference, &unit.split(&normalize.apply(text)))).collect()
        });
        let taught = |teacher: &Teacher| -> Result<Vec<f64>, Error> {
            let score = |position: usize| {
                teacher.score(&utterance.id, position, &utterance.nbest.hypotheses()[position].text)
            };
            list.distinct.hypotheses().iter().map(|hypothesis| score(hypothesis.position)).collect()
        };
        let teacher = teacher.map(taught).transpose()?.unwrap_or_default();
        let words = |hypothesis: &UniqueHypothesis| {
            metric.unit.count(&utterance.nbest.hypotheses()[hypothesis.position].text)
        };
        Ok(Self {
            id: utterance.id.clone(),
            context: list.context.clone(),
            reference: tokens,
            first_pass: list.distinct.hypotheses().iter().map(|hypothesis| hypothesis.first_pass).collect(),
            words: list.distinct.hypotheses().iter().map(words).collect(),
            hypotheses: list.sequences,
            errors: errors.unwrap_or_default(),
            teacher,
        })
    }

    /// A text without hypotheses, of which only the likelihood is trained.
    pub(super) fn of_reference(tokens: Vec<u32>) -> Self {
        Self { reference: Some(tokens), ..Self::default() }
    }

    /// The hypotheses that take part in a stage: the first ones, and where the fewest errors are not among them the
    /// best one in place of the last.
    pub fn chosen(&self, stage: &Stage) -> Vec<usize> {
        let count = self.hypotheses.len().min(stage.hypotheses);
        let mut chosen: Vec<usize> = (0..count).collect();
        let fewest = (0..self.errors.len()).min_by_key(|&i| self.errors[i]);
        if let (Some(best), Some(last)) = (fewest, chosen.last_mut())
            && best > *last
            && self.errors[best] < self.errors[..count].iter().copied().min().unwrap_or(0)
        {
            *last = best;
        }
        chosen
    }

    /// The preferred hypothesis of those chosen, and the one it is preferred to, by their places among the chosen;
    /// `None` where none is better than another. `lm_scores` are those of the chosen.
    pub fn pair(&self, stage: &Stage, chosen: &[usize], lm_scores: &[f64]) -> Option<(usize, usize)> {
        match stage.judge {
            Judge::Reference => {
                let errors = |place: &usize| self.errors.get(chosen[*place]).copied();
                // Of equally good ones the one that the first pass likes better.
                let better = (0..chosen.len()).min_by_key(|place| (errors(place), *place))?;
                let worse = (0..chosen.len()).max_by_key(errors)?;
                (errors(&better)? < errors(&worse)?).then_some((better, worse))
            }
            Judge::Rescorer => {
                let totals: Vec<f64> = chosen
                    .iter()
                    .zip(lm_scores)
                    .map(|(&at, lm_score)| stage.fused(self.first_pass[at], *lm_score, self.words[at]))
                    .collect();
                let by_total = |a: &usize, b: &usize| totals[*a].total_cmp(&totals[*b]).then(b.cmp(a));
                let better = (0..chosen.len()).max_by(by_total)?;
                let worse = (0..chosen.len()).min_by(by_total)?;
                (better != worse).then_some((better, worse))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Recipe;

    fn example() -> Example {
        Example {
            id: "u".into(),
            reference: Some(vec![5]),
            hypotheses: vec![vec![5], vec![6], vec![7], vec![8]],
            first_pass: vec![0.0, -1.0, -2.0, -3.0],
            words: vec![1; 4],
            errors: vec![2, 1, 2, 0],
            ..Example::default()
        }
    }

    fn stage(text: &str) -> Stage {
        Recipe::parse(&format!("[training]\n{text}")).unwrap().stages().unwrap().remove(0)
    }

    #[test]
    fn the_best_hypothesis_is_never_left_out() {
        assert_eq!(example().chosen(&stage("")), [0, 1, 2, 3]);
        assert_eq!(example().chosen(&stage("hypotheses = 3")), [0, 1, 3]);
        let tie = Example { errors: vec![2, 0, 2, 0], ..example() };
        assert_eq!(tie.chosen(&stage("hypotheses = 3")), [0, 1, 2]);
        let unknown = Example { errors: Vec::new(), ..example() };
        assert_eq!(unknown.chosen(&stage("hypotheses = 2")), [0, 1]);
    }

    #[test]
    fn pairs_by_errors_and_by_scores() {
        let chosen = [0, 1, 2, 3];
        let by_errors = stage("preference = 1.0");
        assert_eq!(example().pair(&by_errors, &chosen, &[0.0; 4]), Some((3, 2)));
        let equal = Example { errors: vec![1; 4], ..example() };
        assert_eq!(equal.pair(&by_errors, &chosen, &[0.0; 4]), None);
        let unknown = Example { errors: Vec::new(), ..example() };
        assert_eq!(unknown.pair(&by_errors, &chosen, &[0.0; 4]), None);
        let by_scores = stage("preference = 1.0\njudge = \"rescorer\"");
        assert_eq!(unknown.pair(&by_scores, &chosen, &[0.0, 5.0, -9.0, 0.0]), Some((1, 2)));
        assert_eq!(unknown.pair(&by_scores, &chosen[..1], &[0.0]), None);
    }
}
