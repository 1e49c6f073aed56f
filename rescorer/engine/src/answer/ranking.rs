//! A list in its new order, with the answer.

use std::borrow::Cow;
use std::collections::HashMap;

use rescorer_nbest::{NBest, TimedWord, UniqueHypotheses, Utterance};
use rescorer_perturb::Metric;

use crate::answer::answer_calibration::Evidence;
use crate::answer::choice::Choice;
use crate::answer::confidence::Confidence;
use crate::answer::joined::joined;
use crate::answer::rule::{Decision, DecisionRule, RuleAnswer};
use crate::error::Error;
use crate::fusion::weighting::Weighting;
use crate::scoring::list::{ListScores, candidates};

/// A hypothesis of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerHypothesis {
    /// Position of its first occurrence in the first-pass list.
    pub position: usize,
    /// The text as it came in.
    pub text: String,
    /// Best first-pass score of its occurrences.
    pub first_pass: f64,
    /// Language-model score; `None` where the model was not asked: the list has one text, or the model's weight is 0.
    pub lm_score: Option<f64>,
    /// Fused score; `None` where it would need that.
    pub total: Option<f64>,
    /// Probability that it has no error, where the policy has a [`Confidence`]; else its share of the posterior.
    pub confidence: f64,
}

/// A word of the answer, or another unit, and how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerWord {
    /// The word as it came in.
    pub word: String,
    /// Probability that it is right, where the policy has a [`Confidence`]; else its share of the posterior.
    pub confidence: f64,
    /// Where it begins in the recording, in seconds, where the recogniser said it of the words of its hypothesis.
    pub start: Option<f64>,
    /// Where it ends.
    pub end: Option<f64>,
    source: Source,
}

/// Where a word of the answer comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Source {
    /// Position of the hypothesis in the list.
    position: usize,
    /// Its place among the words of that.
    index: usize,
    /// The number of those.
    words: usize,
}

/// The answer for a list: its distinct hypotheses, the winner first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    hypotheses: Vec<AnswerHypothesis>,
    merged: Option<String>,
    words: Vec<AnswerWord>,
    confidence: f64,
    distinct: UniqueHypotheses,
}

impl Ranking {
    /// Fuses scores that were computed before; the largest total wins.
    ///
    /// # Errors
    /// A list without scores that needs some.
    pub fn new(nbest: &NBest, scores: &ListScores, weighting: impl Into<Weighting>) -> Result<Self, Error> {
        Self::decided(nbest, scores, weighting, &Decision::default(), None, Metric::default())
    }

    /// Fuses scores that were computed before, and answers by a rule. `metric` says what its words are, and which are the
    /// same; a normalisation alone stands for words.
    ///
    /// # Errors
    /// A list without scores that needs some.
    pub fn decided(
        nbest: &NBest,
        scores: &ListScores,
        weighting: impl Into<Weighting>,
        decision: &Decision,
        confidence: Option<&Confidence>,
        metric: impl Into<Metric>,
    ) -> Result<Self, Error> {
        let distinct = scores.distinct.hypotheses().iter();
        let texts: Vec<&str> =
            distinct.map(|hypothesis| nbest.hypotheses()[hypothesis.position].text.as_str()).collect();
        Self::of_texts(&texts, scores, &weighting.into(), decision, confidence, metric.into())
    }

    /// The answer for a list whose distinct hypotheses have these texts.
    pub(crate) fn of_texts(
        texts: &[impl AsRef<str>],
        scores: &ListScores,
        weighting: &Weighting,
        decision: &Decision,
        confidence: Option<&Confidence>,
        metric: Metric,
    ) -> Result<Self, Error> {
        scores.require_scores(weighting)?;
        let candidates = candidates(scores);
        let text = |index: usize| texts[index].as_ref();
        let spelled: Vec<Cow<'_, str>> =
            (0..candidates.len()).map(|index| metric.spelled(text(index))).collect();
        // What counts as the same word may be written in several ways; each place keeps its own.
        let written: Vec<Vec<&str>> = spelled.iter().map(|text| metric.unit.split(text)).collect();
        let keys: Vec<Vec<Cow<'_, str>>> = written
            .iter()
            .map(|words| words.iter().map(|word| metric.normalize.apply(word)).collect())
            .collect();
        let keys: Vec<Vec<&str>> =
            keys.iter().map(|words| words.iter().map(|word| word.as_ref()).collect()).collect();
        let RuleAnswer { hypothesis, words, posterior, same } =
            decision.answer(weighting, &candidates, &keys);
        let answered: Vec<&str> = words.iter().map(|word| keys[word.hypothesis][word.index]).collect();
        let merged = (decision.rule == DecisionRule::Merge && answered != keys[hypothesis])
            .then(|| joined(metric.unit, &words, &spelled));
        let words: Vec<AnswerWord> = words
            .iter()
            .map(|word| AnswerWord {
                word: written[word.hypothesis][word.index].to_owned(),
                confidence: confidence.map_or(word.posterior, |known| known.word.apply(word.posterior)),
                start: None,
                end: None,
                source: Source {
                    position: scores.distinct.hypotheses()[word.hypothesis].position,
                    index: word.index,
                    words: written[word.hypothesis].len(),
                },
            })
            .collect();
        let sure = |index: usize, share: f64| {
            confidence.map_or(share, |known| known.of_answer(&Evidence::new(&candidates, index, share)))
        };
        let confidence = sure(hypothesis, same);
        let mut order = weighting.order(&candidates);
        order.retain(|&index| index != hypothesis);
        order.insert(0, hypothesis);
        let hypotheses = order.into_iter().map(|index| AnswerHypothesis {
            position: scores.distinct.hypotheses()[index].position,
            text: text(index).to_owned(),
            first_pass: candidates[index].first_pass,
            lm_score: scores.is_scored().then_some(candidates[index].lm_score),
            total: scores.has_totals(weighting).then(|| weighting.total(&candidates[index], &candidates[0])),
            confidence: sure(index, posterior[index]),
        });
        let hypotheses = hypotheses.collect();
        Ok(Self { hypotheses, merged, words, confidence, distinct: scores.distinct.clone() })
    }

    /// Gives the words the times that the recogniser gave them. A word gets them if its hypothesis has times for as many words as the
    /// text has, and this one is the same; case and punctuation may differ.
    #[must_use]
    pub fn with_times(mut self, utterance: &Utterance) -> Self {
        let mut known: HashMap<usize, Vec<TimedWord>> = HashMap::new();
        for word in &mut self.words {
            let Source { position, index, words } = word.source;
            let timed = known.entry(position).or_insert_with(|| utterance.timed_words(position));
            let found = timed.get(index).filter(|found| timed.len() == words && found.is(&word.word));
            (word.start, word.end) = (found.map(|found| found.start), found.map(|found| found.end));
        }
        self
    }

    /// The text of the answer: that of the winner, or the one that was voted on.
    pub fn text(&self) -> &str {
        self.merged().unwrap_or(&self.best().text)
    }

    /// The text that was voted on, where it is not that of the winner.
    pub fn merged(&self) -> Option<&str> {
        self.merged.as_deref()
    }

    /// The words of the answer, or what other unit is asked for.
    pub fn words(&self) -> &[AnswerWord] {
        &self.words
    }

    /// The winner.
    pub fn best(&self) -> &AnswerHypothesis {
        &self.hypotheses[0]
    }

    /// The answer without the list.
    pub fn choice(&self) -> Choice {
        let AnswerHypothesis { position, first_pass, lm_score, total, .. } = *self.best();
        Choice { position, first_pass, lm_score, total, merged: self.merged.clone() }
    }

    /// All distinct hypotheses, best first.
    pub fn hypotheses(&self) -> &[AnswerHypothesis] {
        &self.hypotheses
    }

    /// Probability that the answer has no error, where the policy has a [`Confidence`]; else its share of the posterior.
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// Every listed position, repeats included, in the order of the answer, with its hypothesis.
    pub fn listed(&self) -> Vec<(usize, &AnswerHypothesis)> {
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
