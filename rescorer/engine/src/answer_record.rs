use rescorer_nbest::Utterance;
use serde::Serialize;

use crate::{Anytime, Rescored};

/// An answer as JSON, the same from the command line and from the bindings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerRecord<'a> {
    utterance: &'a str,
    text: &'a str,
    position: usize,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<WordRecord<'a>>>,
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
    first_pass: f64,
    lm_score: Option<f64>,
    total: Option<f64>,
    confidence: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct WordRecord<'a> {
    word: &'a str,
    confidence: f64,
}

impl<'a> AnswerRecord<'a> {
    /// An answer whose list was scored whole; with `nbest` its distinct hypotheses too, best first.
    pub fn of_list(utterance: &'a Utterance, list: &'a Rescored, nbest: bool) -> Self {
        let hypotheses = list.hypotheses().iter().map(|hypothesis| HypothesisRecord {
            position: hypothesis.position,
            text: &hypothesis.text,
            first_pass: hypothesis.first_pass,
            lm_score: hypothesis.lm_score,
            total: hypothesis.total,
            confidence: hypothesis.confidence,
        });
        let words =
            list.words().iter().map(|word| WordRecord { word: &word.word, confidence: word.confidence });
        Self {
            confidence: Some(list.confidence()),
            words: Some(words.collect()),
            hypotheses: nbest.then(|| hypotheses.collect()),
            ..Self::of_text(utterance, list.text(), list.best().position, None)
        }
    }

    /// An answer of which the text and the position are known, and, where there was a deadline, how far it got.
    pub fn of_text(
        utterance: &'a Utterance,
        text: &'a str,
        position: usize,
        progress: Option<&Anytime>,
    ) -> Self {
        Self {
            utterance: &utterance.id,
            text,
            position,
            changed: text != utterance.nbest.first().text,
            reference: utterance.reference.as_deref(),
            confidence: None,
            words: None,
            decided: progress.map(|progress| progress.decided),
            distinct: progress.map(|progress| progress.hypotheses),
            hypotheses: None,
        }
    }
}
