use std::collections::HashMap;

use rescorer_nbest::{UniqueHypotheses, Utterance};
use rescorer_perturb::{
    Homophones, Metric, Perturbation, PerturbationKind, Unit, UtteranceErrors, WordCounts, word_errors,
};
use serde::Serialize;

use crate::error::Error;
use crate::fusion::features::{WordWeights, table};
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;

/// A perturbation with its rate and seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Condition {
    /// What is perturbed.
    pub kind: PerturbationKind,
    /// The probability that a word is replaced.
    pub rate: f64,
    /// The seed.
    pub seed: u64,
}

/// A list with all that does not depend on the rescorer: distinct texts, their first-pass scores and their errors.
pub struct KnownList {
    pub hypotheses: Vec<KnownHypothesis>,
    pub reference_words: usize,
    distinct: UniqueHypotheses,
    unit: Unit,
}

pub struct KnownHypothesis {
    pub text: String,
    pub first_pass: f64,
    pub words: usize,
    pub errors: usize,
}

/// Lists in one condition, or as they are.
pub struct KnownLists {
    pub lists: Vec<KnownList>,
    /// What was replaced.
    pub counts: WordCounts,
}

impl KnownLists {
    /// The lists as they are.
    pub fn clean(utterances: &[Utterance], metric: Metric) -> Result<Self, Error> {
        let lists =
            utterances.iter().map(|utterance| KnownList::new(utterance, metric)).collect::<Result<_, _>>()?;
        Ok(Self { lists, counts: WordCounts::default() })
    }

    /// The lists in a condition.
    pub fn perturbed(
        utterances: &[Utterance],
        metric: Metric,
        homophones: &Homophones,
        condition: &Condition,
        copies: usize,
    ) -> Result<Self, Error> {
        let Condition { kind, rate, seed } = *condition;
        let perturbation = Perturbation::new(homophones, kind, rate, seed, copies)?.with_unit(metric.unit);
        let mut counts = WordCounts::default();
        let mut lists = Vec::with_capacity(utterances.len());
        for utterance in utterances {
            let perturbed = perturbation.apply(utterance)?;
            counts += perturbed.counts;
            lists.push(KnownList::new(&perturbed.utterance, metric)?);
        }
        Ok(Self { lists, counts })
    }

    /// Errors of the first pass.
    pub fn first_pass(&self) -> Vec<UtteranceErrors> {
        self.lists.iter().map(|list| list.row(0)).collect()
    }

    /// Errors of the best hypotheses.
    pub fn oracle(&self) -> Vec<UtteranceErrors> {
        let best = |list: &KnownList| UtteranceErrors {
            errors: list.hypotheses.iter().map(|hypothesis| hypothesis.errors).min().unwrap_or(0),
            reference_words: list.reference_words,
        };
        self.lists.iter().map(best).collect()
    }

    /// Errors of what fusion picks with the scores of a language model. `tokens` are the numbers of tokens of all texts, where features
    /// are weighed. `None` where a text is not known.
    pub fn rescored(
        &self,
        weighting: &Weighting,
        lm_score: impl Fn(&str) -> Option<f64>,
        tokens: Option<&HashMap<String, usize>>,
    ) -> Option<Vec<UtteranceErrors>> {
        let pick = |list: &KnownList| {
            let candidates = list.hypotheses.iter().map(|hypothesis| {
                let KnownHypothesis { text, first_pass, words, .. } = hypothesis;
                Some(Candidate::new(*first_pass, lm_score(text)?, *words))
            });
            let mut candidates = candidates.collect::<Option<Vec<_>>>()?;
            if let (Some(tokens), Some(features)) = (tokens, weighting.features()) {
                list.add_features(&mut candidates, tokens, features.words())?;
            }
            Some(list.row(weighting.winner(&candidates)))
        };
        self.lists.iter().map(pick).collect()
    }
}

impl KnownList {
    fn new(utterance: &Utterance, metric: Metric) -> Result<Self, Error> {
        let reference =
            utterance.reference.as_deref().ok_or_else(|| Error::NoReference { id: utterance.id.clone() })?;
        let Metric { normalize, unit } = metric;
        let reference = normalize.apply(reference);
        let reference = unit.split(&reference);
        let distinct = utterance.nbest.unique();
        let hypotheses = distinct.hypotheses().iter().map(|hypothesis| {
            let text = &utterance.nbest.hypotheses()[hypothesis.position].text;
            KnownHypothesis {
                first_pass: hypothesis.first_pass,
                words: unit.count(text),
                errors: word_errors(&reference, &unit.split(&normalize.apply(text))),
                text: text.clone(),
            }
        });
        Ok(Self { hypotheses: hypotheses.collect(), reference_words: reference.len(), distinct, unit })
    }

    fn add_features(
        &self,
        candidates: &mut [Candidate],
        tokens: &HashMap<String, usize>,
        words: &WordWeights,
    ) -> Option<()> {
        let texts: Vec<String> = self.hypotheses.iter().map(|hypothesis| hypothesis.text.clone()).collect();
        let tokens: Vec<usize> = texts.iter().map(|text| tokens.get(text).copied()).collect::<Option<_>>()?;
        let Self { distinct, unit, .. } = self;
        let list = table::List { distinct, texts: &texts, tokens: &tokens, unit: *unit, words };
        for ((candidate, features), tokens) in candidates.iter_mut().zip(table::rows(&list)).zip(tokens) {
            (candidate.features, candidate.tokens) = (features, tokens);
        }
        Some(())
    }

    fn row(&self, index: usize) -> UtteranceErrors {
        UtteranceErrors { errors: self.hypotheses[index].errors, reference_words: self.reference_words }
    }
}
