use std::borrow::Cow;

use rescorer_nbest::{UniqueHypotheses, UniqueHypothesis, Utterance};
use rescorer_perturb::{
    ErrorCounts, MarkedReference, Metric, Unit, UtteranceErrors, align, spoken, word_errors,
};

use crate::error::Error;
use crate::fusion::content_hash::content_hash;
use crate::fusion::features::{Feature, FeatureFusion, WordChanges, WordWeights, table, word_changes};
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;
use crate::scoring::decoder::endings::Estimates;
use crate::scoring::list::FirstStageScores;
use crate::scoring::list::ListScores;
use crate::scoring::list::candidates;

/// A scored list with the errors of every hypothesis: all that tuning and evaluation need.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredReference {
    /// The utterance.
    pub id: String,
    /// Hash of list and reference.
    pub hash: String,
    /// The reference after normalisation.
    pub reference: String,
    /// The reference as it was written, where it has sclite's marks.
    pub marked: Option<MarkedReference>,
    /// What errors are counted in, and after what normalisation.
    pub metric: Metric,
    /// Units of the reference.
    pub reference_words: usize,
    /// The distinct hypotheses after normalisation, in first-pass order.
    pub texts: Vec<String>,
    /// Their scores and features.
    pub candidates: Vec<Candidate>,
    /// Errors of the distinct hypotheses, unit cost.
    pub errors: Vec<usize>,
    /// Their substitutions, deletions and insertions, from the alignment with sclite's costs.
    pub counts: Vec<ErrorCounts>,
    /// How the words of the distinct hypotheses differ from those of the first-pass best.
    pub(crate) word_changes: Vec<WordChanges>,
    /// What a search takes each to be worth before it is scored to its end; nothing where tokens have no scores.
    pub(crate) estimates: Estimates,
    /// What the rescorer before knows of the list, where there is one.
    pub first_stage: Option<FirstStageScores>,
}

/// Texts of the distinct hypotheses as they were written.
fn written(utterance: &Utterance, distinct: &UniqueHypotheses) -> Vec<String> {
    let text = |known: &UniqueHypothesis| utterance.nbest.hypotheses()[known.position].text.clone();
    distinct.hypotheses().iter().map(text).collect()
}

/// How the words of the texts differ from those of the first.
fn changes(texts: &[String], unit: Unit) -> Vec<WordChanges> {
    let spoken: Vec<Cow<'_, str>> = texts.iter().map(|text| spoken(text)).collect();
    let words: Vec<Vec<&str>> = spoken.iter().map(|text| unit.split(text)).collect();
    words.iter().map(|own| word_changes(own, &words[0])).collect()
}

impl ScoredReference {
    /// Counts the errors of every distinct hypothesis, and computes its features where the list was prepared without them.
    ///
    /// # Errors
    /// [`Error::NoReference`].
    pub fn new(utterance: &Utterance, scores: &ListScores, metric: impl Into<Metric>) -> Result<Self, Error> {
        let mut list = Self::without_features(utterance, scores, metric)?;
        if scores.features.is_empty() {
            return Ok(list.featured(utterance));
        }
        list.word_changes = changes(&written(utterance, &scores.distinct), list.metric.unit);
        Ok(list)
    }

    /// Counts the errors of every distinct hypothesis, for weights that are classic: features that the list was prepared without are
    /// all 0.
    ///
    /// # Errors
    /// [`Error::NoReference`].
    pub fn without_features(
        utterance: &Utterance,
        scores: &ListScores,
        metric: impl Into<Metric>,
    ) -> Result<Self, Error> {
        let metric = metric.into();
        let Metric { normalize, unit } = metric;
        let reference =
            utterance.reference.as_deref().ok_or_else(|| Error::NoReference { id: utterance.id.clone() })?;
        let marked = MarkedReference::new(reference);
        let reference = normalize.apply(reference).into_owned();
        let reference_words = unit.split(&reference);
        let mut texts = Vec::new();
        let mut errors = Vec::new();
        let mut counts = Vec::new();
        for hypothesis in scores.distinct.hypotheses() {
            let text = normalize.apply(&utterance.nbest.hypotheses()[hypothesis.position].text);
            let text_words = unit.split(&text);
            errors.push(word_errors(&reference_words, &text_words));
            counts.push(align(&reference_words, &text_words).counts());
            texts.push(text.into_owned());
        }
        // Words are weighed where it is known by what weights.
        let mut candidates = candidates(scores);
        candidates.iter_mut().for_each(|candidate| candidate.features[Feature::LearnedWords.index()] = 0.0);
        Ok(Self {
            id: utterance.id.clone(),
            hash: content_hash(utterance),
            marked,
            metric,
            reference_words: reference_words.len(),
            texts,
            word_changes: vec![WordChanges::new(); scores.distinct.hypotheses().len()],
            estimates: match scores.scores.iter().all(|score| score.log_probs.len() == score.tokens.len()) {
                true => Estimates::new(&scores.scores),
                false => Estimates::default(),
            },
            candidates,
            errors,
            counts,
            reference,
            first_stage: scores.first_stage.clone(),
        })
    }

    /// The list with the features of its hypotheses; `utterance` is what it was made of.
    pub(crate) fn featured(mut self, utterance: &Utterance) -> Self {
        let distinct = &utterance.nbest.unique();
        let texts = &written(utterance, distinct);
        let tokens = &self.candidates.iter().map(|candidate| candidate.tokens).collect::<Vec<_>>();
        let (unit, words) = (self.metric.unit, &WordWeights::default());
        let rows = table::rows(&table::List { distinct, texts, tokens, unit, words });
        self.candidates.iter_mut().zip(rows).for_each(|(candidate, row)| candidate.features = row);
        self.word_changes = changes(texts, unit);
        self
    }

    /// Errors of a normalised text against the reference as sclite reads its marks; as ever where it has none.
    pub fn read_by_sclite(&self, text: &str) -> UtteranceErrors {
        let text = self.metric.unit.split(text);
        match &self.marked {
            Some(marked) => marked.errors(&text, self.metric),
            None => UtteranceErrors {
                errors: word_errors(&self.metric.unit.split(&self.reference), &text),
                reference_words: self.reference_words,
            },
        }
    }

    /// The candidates with what this weighting has learned of their words.
    pub(crate) fn weighed(&self, weighting: &Weighting) -> Cow<'_, [Candidate]> {
        match weighting.features().map(FeatureFusion::words) {
            Some(words) if !words.is_empty() => {
                let mut candidates = self.candidates.clone();
                for (candidate, changes) in candidates.iter_mut().zip(&self.word_changes) {
                    candidate.features[Feature::LearnedWords.index()] = words.total(changes);
                }
                Cow::Owned(candidates)
            }
            _ => Cow::Borrowed(&self.candidates),
        }
    }

    /// Errors of the first-pass best.
    pub fn first_pass(&self) -> UtteranceErrors {
        self.row(0)
    }

    /// Errors of the hypothesis that is picked.
    pub fn rescored(&self, weighting: &Weighting) -> UtteranceErrors {
        self.row(weighting.winner(&self.weighed(weighting)))
    }

    /// Errors of the best hypothesis of the list.
    pub fn oracle(&self) -> UtteranceErrors {
        let errors = self.errors.iter().copied().min().unwrap_or(0);
        UtteranceErrors { errors, reference_words: self.reference_words }
    }

    fn row(&self, index: usize) -> UtteranceErrors {
        UtteranceErrors { errors: self.errors[index], reference_words: self.reference_words }
    }
}
