//! The answer for a list: how it is made of fused scores, and how sure it is.

pub(crate) mod answer_calibration;
pub(crate) mod calibration;
pub(crate) mod choice;
pub(crate) mod confidence;
pub(crate) mod explain;
pub(crate) mod joined;
mod logistic;
mod network;
pub(crate) mod posterior;
pub(crate) mod ranking;
mod record;
pub(crate) mod rule;

use std::sync::Arc;

use rescorer_nbest::{InsertedTerm, Utterance};

use crate::answer::choice::Choice;
use crate::answer::ranking::{AnswerHypothesis, AnswerWord, Ranking};

/// The better text of a list, how sure it is, and where it came from.
///
/// Serialised, it is the object that `rescorer rescore --json` writes: `utterance`, `text`, `position`, `changed`, and where they are
/// known `policy`, `adapter`, `routed`, `reference`, `confidence`, `words`, `terms`, `decided`, `distinct` and `hypotheses`.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub(crate) utterance: Utterance,
    pub(crate) choice: Choice,
    /// Of a list whose hypotheses were all scored.
    pub(crate) ranking: Option<Ranking>,
    pub(crate) with_list: bool,
    /// Where there was a deadline.
    pub(crate) progress: Option<Completeness>,
    pub(crate) nodes: usize,
    pub(crate) origin: Arc<Origin>,
}

/// Which adapter and policy answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Origin {
    pub(crate) adapter: Option<String>,
    pub(crate) policy: Option<String>,
    /// Probability of the adapter, or of none, where the list was routed.
    pub(crate) routed: Option<f64>,
}

/// How many hypotheses of a list were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completeness {
    /// Unique hypotheses that were scored, or could not win any more.
    pub decided: usize,
    /// Unique hypotheses of the list.
    pub unique: usize,
}

impl Completeness {
    /// Whether more time would not have changed the answer.
    pub fn is_complete(&self) -> bool {
        self.decided == self.unique
    }
}

impl Answer {
    /// The better text, as it came in.
    pub fn text(&self) -> &str {
        self.choice.text(&self.utterance.nbest)
    }

    /// Probability that the text has no error, where the policy is calibrated; else its share of the posterior. NaN where the request
    /// was for the text alone, or had a deadline.
    pub fn confidence(&self) -> f64 {
        self.ranking.as_ref().map_or(f64::NAN, Ranking::confidence)
    }

    /// The words of the text with their confidences. Empty where [`confidence`](Self::confidence) is NaN.
    pub fn words(&self) -> &[AnswerWord] {
        self.ranking.as_ref().map_or(&[], Ranking::words)
    }

    /// Position of the text in the list, from 0; hypotheses with terms put in have those behind the recogniser's. `None` where words of
    /// several hypotheses were merged.
    pub fn position(&self) -> Option<usize> {
        self.choice.merged.is_none().then_some(self.choice.position)
    }

    /// The terms that were put into the text, by their places among its words; empty where it is the recogniser's own, and where words of
    /// several hypotheses were merged.
    pub fn terms(&self) -> &[InsertedTerm] {
        let terms = self.position().and_then(|position| self.utterance.nbest.terms(position));
        terms.map_or(&[], |terms| &terms.inserted)
    }

    /// Position of the hypothesis that was chosen, or whose words were voted on.
    pub fn base_position(&self) -> usize {
        self.choice.position
    }

    /// Whether the text differs from the first-pass best.
    pub fn changed(&self) -> bool {
        self.choice.changed(&self.utterance.nbest)
    }

    /// The unique hypotheses, best first, where the request was [`with_list`](crate::Request::with_list); else empty.
    pub fn hypotheses(&self) -> &[AnswerHypothesis] {
        self.listable().map_or(&[], Ranking::hypotheses)
    }

    /// Every position of the first-pass list, repeated texts included, in the new order, with its hypothesis. Empty as
    /// [`hypotheses`](Self::hypotheses) is.
    pub fn listed(&self) -> Vec<(usize, &AnswerHypothesis)> {
        self.listable().map_or_else(Vec::new, Ranking::listed)
    }

    fn listable(&self) -> Option<&Ranking> {
        self.ranking.as_ref().filter(|_| self.with_list)
    }

    /// Language-model score of the chosen hypothesis; `None` where the model was not asked, or there was no time.
    pub fn lm_score(&self) -> Option<f64> {
        self.choice.lm_score
    }

    /// Fused score of the chosen hypothesis; `None` where it would need a score that was not computed.
    pub fn total(&self) -> Option<f64> {
        self.choice.total
    }

    /// How many hypotheses were looked at: all, unless a deadline came first.
    pub fn completeness(&self) -> Completeness {
        let unique = || self.utterance.nbest.unique().hypotheses().len();
        self.progress.unwrap_or_else(|| {
            let unique = unique();
            Completeness { decided: unique, unique }
        })
    }

    /// Trie nodes that were computed for this list; 0 for a list that shared a forward pass with others, where they count for all.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Name of the adapter that took part.
    pub fn adapter(&self) -> Option<&str> {
        self.origin.adapter.as_deref()
    }

    /// Probability that the list is for the adapter that answered, or for none, where it was
    /// [routed](crate::RescorerBuilder::route_adapters); `None` where it was not.
    pub fn routed(&self) -> Option<f64> {
        self.origin.routed
    }

    /// Name of the policy that decided: its file, or what it was given as; `None` for weights given by hand.
    pub fn policy(&self) -> Option<&str> {
        self.origin.policy.as_deref()
    }

    /// The list as it came in.
    pub fn utterance(&self) -> &Utterance {
        &self.utterance
    }

    /// Gives the list back.
    pub fn into_utterance(self) -> Utterance {
        self.utterance
    }
}
