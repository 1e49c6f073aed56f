use rescorer_nbest::Utterance;
use rescorer_perturb::{ErrorCounts, MarkedReference, Metric, UtteranceErrors, align, word_errors};

use crate::error::Error;
use crate::fusion::content_hash::content_hash;
use crate::fusion::features::table;
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;
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
    /// What the rescorer before knows of the list, where there is one.
    pub first_stage: Option<FirstStageScores>,
}

impl ScoredReference {
    /// Counts the errors of every distinct hypothesis, and computes its features where the list was prepared without them.
    ///
    /// # Errors
    /// [`Error::NoReference`].
    pub fn new(utterance: &Utterance, scores: &ListScores, metric: impl Into<Metric>) -> Result<Self, Error> {
        let list = Self::without_features(utterance, scores, metric)?;
        Ok(if scores.features.is_empty() { list.featured(utterance) } else { list })
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
        Ok(Self {
            id: utterance.id.clone(),
            hash: content_hash(utterance),
            marked,
            metric,
            reference_words: reference_words.len(),
            texts,
            candidates: candidates(scores),
            errors,
            counts,
            reference,
            first_stage: scores.first_stage.clone(),
        })
    }

    /// The list with the features of its hypotheses; `utterance` is what it was made of.
    pub(crate) fn featured(mut self, utterance: &Utterance) -> Self {
        let distinct = utterance.nbest.unique();
        let hypotheses = distinct.hypotheses().iter();
        let texts: Vec<String> =
            hypotheses.map(|known| utterance.nbest.hypotheses()[known.position].text.clone()).collect();
        let tokens: Vec<usize> = self.candidates.iter().map(|candidate| candidate.tokens).collect();
        let list =
            table::List { distinct: &distinct, texts: &texts, tokens: &tokens, unit: self.metric.unit };
        self.candidates
            .iter_mut()
            .zip(table::rows(&list))
            .for_each(|(candidate, row)| candidate.features = row);
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

    /// Errors of the first-pass best.
    pub fn first_pass(&self) -> UtteranceErrors {
        self.row(0)
    }

    /// Errors of the hypothesis that is picked.
    pub fn rescored(&self, weighting: &Weighting) -> UtteranceErrors {
        self.row(weighting.winner(&self.candidates))
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
