//! Lists on their way to the model, and their scores.

use std::sync::Arc;

use rescorer_models::Adapter;
use rescorer_nbest::UniqueHypotheses;

use crate::error::Error;
use crate::fusion::features::{Feature, FeatureRow};
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::{Candidate, Fusion};
use crate::scoring::need::Need;

/// Tokens of a text with their log-probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct TextScore {
    /// Token ids, without BOS, with EOS where it is scored.
    pub tokens: Vec<u32>,
    /// `ln p(token | everything before)`, one for every token; of an encoder `ln p(token | the others)`. None where a score head gives
    /// one number for the whole text.
    pub log_probs: Vec<f32>,
    /// The score under the convention: their sum, or their mean; or that number.
    pub lm_score: f64,
}

/// The scores of a list: one for every distinct hypothesis, or none where the model was not asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ListScores {
    /// The distinct hypotheses.
    pub distinct: UniqueHypotheses,
    /// Their words, or other units that a length bonus is for, in the same order.
    pub words: Vec<usize>,
    /// Their features, as far as the model has no part in them; empty where no features are weighed.
    pub(crate) features: Vec<FeatureRow>,
    /// Their scores, in the same order. Empty where the answer needs none, see [`Need`].
    pub scores: Vec<TextScore>,
    /// What the rescorer before knows of the list, where there is one. Of a settled list all scores are its own.
    pub first_stage: Option<FirstStageScores>,
}

impl ListScores {
    /// Scores of a prepared list that were computed before: a score for each text, without those of its tokens.
    pub fn known(list: &PreparedList, lm_score: impl Fn(&str) -> f64) -> Self {
        let ends = |at: usize| list.tokens[at] - list.sequences[at].len();
        let scores = list.texts.iter().enumerate().map(|(at, text)| TextScore {
            tokens: [&list.sequences[at][..], &vec![0; ends(at)]].concat(),
            log_probs: Vec::new(),
            lm_score: lm_score(text),
        });
        Self {
            scores: scores.collect(),
            distinct: list.distinct.clone(),
            words: list.words.clone(),
            features: list.features.clone(),
            first_stage: None,
        }
    }

    /// Whether the model was asked about the list.
    pub fn is_scored(&self) -> bool {
        !self.scores.is_empty()
    }

    /// The weights that the list is answered with: those of the rescorer before, where its answer stands.
    fn weighting(&self, weighting: &Weighting) -> Weighting {
        let early = self.first_stage.as_ref().filter(|known| known.exits_early);
        early.map_or_else(|| weighting.clone(), |known| known.fusion.into())
    }

    /// Whether totals under these weights are known.
    pub(crate) fn has_totals(&self, weighting: &Weighting) -> bool {
        self.is_scored() || !Need::of(&self.weighting(weighting)).asks(usize::MAX)
    }

    /// Refuses what was prepared for weights that need fewer scores.
    pub(crate) fn require_scores(&self, weighting: &Weighting) -> Result<(), Error> {
        let needed = Need::of(&self.weighting(weighting)).asks(self.distinct.hypotheses().len());
        if needed && !self.is_scored() { Err(Error::Unscored) } else { Ok(()) }
    }
}

/// What fusion needs of the distinct hypotheses of a list. Where the model was not asked its scores count nothing, and are 0.
pub fn candidates(scores: &ListScores) -> Vec<Candidate> {
    let early_exit = scores.first_stage.as_ref().filter(|known| known.exits_early).map(|known| known.fusion);
    let distinct = scores.distinct.hypotheses().iter().zip(&scores.words).enumerate();
    distinct
        .map(|(index, (hypothesis, &words))| Candidate {
            first_pass: hypothesis.first_pass,
            lm_score: scores.scores.get(index).map_or(0.0, |score| score.lm_score),
            words,
            tokens: scores.scores.get(index).map_or(0, |score| score.tokens.len()),
            features: row(&scores.features, index),
            early_exit,
        })
        .collect()
}

/// The features of a hypothesis, all 0 where none are weighed.
fn row(features: &[FeatureRow], index: usize) -> FeatureRow {
    features.get(index).copied().unwrap_or([0.0; Feature::COUNT])
}

/// Lists that were scored together.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Their scores, in the order in which they were given.
    pub lists: Vec<ListScores>,
    /// Trie nodes that were computed; beginnings that lists have in common count once, contexts not.
    pub nodes: usize,
}

/// A list on its way to the model: the token sequences of its distinct hypotheses.
#[derive(Debug, Clone)]
pub struct PreparedList {
    /// Stands for the list in messages.
    pub(crate) name: String,
    pub(crate) distinct: UniqueHypotheses,
    /// Texts of the distinct hypotheses.
    pub(crate) texts: Arc<[String]>,
    /// Whether the model is asked; where it is not there are no sequences.
    pub(crate) is_asked: bool,
    pub(crate) sequences: Vec<Vec<u32>>,
    /// Log-probabilities that the score of each is made of.
    pub(crate) tokens: Vec<usize>,
    /// Words, or other units, of every distinct hypothesis.
    pub(crate) words: Vec<usize>,
    /// Their features, as far as the model has no part in them; empty where no features are weighed.
    pub(crate) features: Vec<FeatureRow>,
    /// What the model is computed with.
    pub(crate) adapter: Option<Arc<dyn Adapter>>,
    /// Tokens of the context, none where there is no context.
    pub(crate) context: Arc<[u32]>,
    /// This list for the rescorer that is asked first.
    pub(crate) first_stage: Option<FirstStageList>,
    pub(crate) nodes: usize,
}

impl PreparedList {
    /// Has the list computed with another adapter, or with none.
    #[must_use]
    pub fn with_adapter(self, adapter: Option<Arc<dyn Adapter>>) -> Self {
        Self { adapter, ..self }
    }

    /// Number of distinct hypotheses.
    pub fn unique(&self) -> usize {
        self.distinct.hypotheses().len()
    }

    /// Number of listed hypotheses.
    pub(crate) fn listed(&self) -> usize {
        self.distinct.listed().len()
    }

    /// The list as an answer under these weights needs it: without sequences where the model decides nothing.
    pub(crate) fn needed(mut self, weighting: &Weighting) -> Result<Self, Error> {
        let asks = Need::of(weighting).asks(self.unique());
        let lacks_features = weighting.wants_features() && self.features.is_empty();
        if asks && (!self.is_asked || lacks_features) {
            return Err(Error::Unscored);
        }
        if !asks {
            self.is_asked = false;
            self.sequences = Vec::new();
            self.tokens = Vec::new();
            self.nodes = 0;
        }
        if let Some(FirstStageList { list, weights }) = self.first_stage.take() {
            self.first_stage =
                Some(FirstStageList { list: Box::new(list.needed(&weights.into())?), weights });
        }
        Ok(self)
    }

    /// What the list counts in a window of lists: its nodes, or where the model is not asked about as many tokens as its texts have.
    pub(crate) fn size(&self) -> usize {
        let bytes: usize = self.texts.iter().map(String::len).sum();
        if self.is_asked { self.nodes.max(1) } else { 1 + bytes / 4 }
    }

    /// Position in the list of a distinct hypothesis.
    pub(crate) fn position(&self, index: usize) -> usize {
        self.distinct.hypotheses()[index].position
    }

    /// Trie nodes of this list alone, without its context; with an encoder the tokens of all sequences; 0 where the model is not asked.
    pub fn nodes(&self) -> usize {
        self.nodes
    }
}

/// A list for the rescorer that is asked first, with the weights that it answers by.
#[derive(Debug, Clone)]
pub(crate) struct FirstStageList {
    pub list: Box<PreparedList>,
    pub weights: Fusion,
}

impl PreparedList {
    /// Number of log-probabilities that the score of a hypothesis is made of; 0 where the model is not asked.
    pub(crate) fn tokens(&self, index: usize) -> usize {
        self.tokens.get(index).copied().unwrap_or(0)
    }

    pub(crate) fn candidate(&self, index: usize, lm_score: f64) -> Candidate {
        let first_pass = self.distinct.hypotheses()[index].first_pass;
        let tokens = self.tokens(index);
        let features = row(&self.features, index);
        Candidate { first_pass, lm_score, words: self.words[index], tokens, features, early_exit: None }
    }
}

/// First-stage scores of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstStageScores {
    /// First-pass scores of the distinct hypotheses.
    pub first_pass: Vec<f64>,
    /// Its own scores for them; 0 where it was not asked, since nothing hangs on them.
    pub lm_scores: Vec<f64>,
    /// Its weights.
    pub fusion: Fusion,
    /// Lead of its best hypothesis over the second; infinite where there is no second.
    pub lead: f64,
    /// Whether its answer stands.
    pub exits_early: bool,
}

impl FirstStageScores {
    /// The first pass of the next rescorer. One text has no rival, so nobody asks what is added to it, and it keeps its score.
    pub(crate) fn raised(&self, share: f64, words: &[usize]) -> Vec<f64> {
        if let [first_pass] = self.first_pass[..] {
            return vec![first_pass];
        }
        let Fusion { lm_weight, length_bonus, .. } = self.fusion;
        let parts = self.first_pass.iter().zip(&self.lm_scores).zip(words);
        parts
            .map(|((first_pass, lm_score), &words)| {
                first_pass + share * (lm_weight * lm_score + length_bonus * words as f64)
            })
            .collect()
    }
}
