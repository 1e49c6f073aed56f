use rescorer_nbest::InsertedTerm;
use serde::{Serialize, Serializer};

use crate::answer::Answer;
use crate::answer::ranking::Ranking;

/// An answer as JSON, the same from the command and from the bindings.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct AnswerRecord<'a> {
    utterance: &'a str,
    text: &'a str,
    position: usize,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    /// Null where the list was routed to no adapter.
    #[serde(skip_serializing_if = "Option::is_none")]
    adapter: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<WordRecord<'a>>>,
    /// Terms of a vocabulary that were put in.
    #[serde(skip_serializing_if = "<[InsertedTerm]>::is_empty")]
    terms: &'a [InsertedTerm],
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distinct: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hypotheses: Option<Vec<HypothesisRecord<'a>>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct HypothesisRecord<'a> {
    position: usize,
    text: &'a str,
    #[serde(skip_serializing_if = "<[InsertedTerm]>::is_empty")]
    terms: &'a [InsertedTerm],
    first_pass: f64,
    lm_score: Option<f64>,
    total: Option<f64>,
    confidence: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct WordRecord<'a> {
    word: &'a str,
    confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<f64>,
}

impl<'a> AnswerRecord<'a> {
    /// What is known of an answer.
    fn new(answer: &'a Answer) -> Self {
        let nbest = &answer.utterance.nbest;
        let hypotheses = answer.hypotheses().iter().map(|hypothesis| HypothesisRecord {
            position: hypothesis.position,
            text: &hypothesis.text,
            terms: nbest.terms(hypothesis.position).map_or(&[], |terms| &terms.inserted),
            first_pass: hypothesis.first_pass,
            lm_score: hypothesis.lm_score,
            total: hypothesis.total,
            confidence: hypothesis.confidence,
        });
        let words = answer.words().iter().map(|word| WordRecord {
            word: &word.word,
            confidence: word.confidence,
            start: word.start,
            end: word.end,
        });
        let ranking = answer.ranking.as_ref();
        Self {
            utterance: &answer.utterance.id,
            text: answer.text(),
            position: answer.base_position(),
            changed: answer.changed(),
            policy: answer.policy(),
            adapter: (answer.adapter().is_some() || answer.routed().is_some()).then(|| answer.adapter()),
            routed: answer.routed(),
            reference: answer.utterance.reference.as_deref(),
            confidence: ranking.map(Ranking::confidence),
            words: ranking.map(|_| words.collect()),
            terms: answer.terms(),
            decided: answer.progress.map(|progress| progress.decided),
            distinct: answer.progress.map(|progress| progress.unique),
            hypotheses: answer.with_list.then(|| hypotheses.collect()),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        AnswerRecord::new(self).serialize(serializer)
    }
}
