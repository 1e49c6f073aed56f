//! Scores by an encoder, which sees a text whole.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use rescorer_models::{Adapter, Edge, ScoreHead, TreeBatch};
use serde::{Deserialize, Serialize};

use crate::error::{Error, SettingsError};
use crate::scoring::prepare::PreparedList;
use crate::scoring::scorer::require_finite;
use crate::scoring::scorer::{ListScores, Scored, Scorer, TextScore};

/// How an encoder scores a text.
///
/// # Reference
/// Pseudo-log-likelihood: Salazar et al. 2020, "Masked Language Model Scoring", eq. 1. Score head: Xu et al. 2022, "RescoreBERT".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncoderScore {
    /// Pseudo-log-likelihood `Σ ln p(t_i | all other tokens)`: each token masked in turn, so a text of `n` tokens costs `n` passes.
    Pll,
    /// `Σ ln p(t_i | all tokens)` in one pass, each token seen by itself.
    PllUnmasked,
    /// The number that the score head of the adapter, or of the model, makes of the first token's state.
    Head,
}

impl EncoderScore {
    /// All of them with their names.
    const NAMES: [(&'static str, Self); 3] =
        [("pll", Self::Pll), ("pll-unmasked", Self::PllUnmasked), ("head", Self::Head)];

    /// Nodes that a text of so many tokens costs.
    pub(crate) fn nodes(self, tokens: usize) -> usize {
        match self {
            Self::Pll => tokens * (tokens + 2),
            Self::PllUnmasked | Self::Head => tokens + 2,
        }
    }
}

impl FromStr for EncoderScore {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self, Error> {
        let found = Self::NAMES.into_iter().find(|(name, _)| *name == value);
        found.map(|(_, score)| score).ok_or_else(|| {
            SettingsError::Option {
                option: "encoder score",
                value: value.into(),
                expected: "pll, pll-unmasked or head",
            }
            .into()
        })
    }
}

/// A text on its way to an encoder.
#[derive(Clone, Copy)]
pub(crate) struct EncodedText<'a> {
    /// Its tokens, without those that begin and end the sequence.
    pub tokens: &'a [u32],
    pub adapter: Option<&'a Arc<dyn Adapter>>,
}

/// A sequence of a batch: the text that it is for, and the token that is masked.
struct Sequence {
    text: usize,
    masked: Option<usize>,
}

impl Scorer {
    /// How texts with this adapter are scored: as the convention says, else by the adapter's score head, else by
    /// pseudo-log-likelihood.
    ///
    /// # Errors
    /// An adapter without a head, a checkpoint without one for masked tokens, where it is needed.
    pub(crate) fn encoder_score(&self, adapter: Option<&Arc<dyn Adapter>>) -> Result<EncoderScore, Error> {
        let has_head = self.score_head(adapter).is_some();
        let usual = if has_head { EncoderScore::Head } else { EncoderScore::Pll };
        let score = self.config().encoder.unwrap_or(usual);
        match score {
            EncoderScore::Head if !has_head => Err(SettingsError::NoScoreHead.into()),
            EncoderScore::Head if self.config().mean => Err(SettingsError::MeanOfHead.into()),
            EncoderScore::Head => Ok(score),
            _ if !self.model().predicts_tokens() => Err(SettingsError::NoMaskedHead.into()),
            EncoderScore::Pll if self.model().tokenizer().mask().is_none() => {
                Err(SettingsError::NoMask.into())
            }
            EncoderScore::Pll | EncoderScore::PllUnmasked => Ok(score),
        }
    }

    /// The head of an adapter, else that of the model.
    fn score_head<'a>(&'a self, adapter: Option<&'a Arc<dyn Adapter>>) -> Option<&'a ScoreHead> {
        adapter.and_then(|adapter| adapter.score_head()).or(self.model().score_head())
    }

    /// The scores of texts, and the nodes computed for them. What is asked for twice is computed once.
    pub(crate) fn score_encoded(&self, texts: &[EncodedText<'_>]) -> Result<(Vec<TextScore>, usize), Error> {
        let mut known: HashMap<(Option<*const ()>, &[u32]), usize> = HashMap::new();
        let mut distinct: Vec<(EncodedText<'_>, EncoderScore)> = Vec::new();
        let mut places = Vec::with_capacity(texts.len());
        for text in texts {
            let adapter = text.adapter.map(|adapter| Arc::as_ptr(adapter).cast::<()>());
            let next = distinct.len();
            let place = *known.entry((adapter, text.tokens)).or_insert(next);
            if place == next {
                distinct.push((*text, self.encoder_score(text.adapter)?));
            }
            places.push(place);
        }
        let mut scores: Vec<TextScore> = distinct.iter().map(|(text, _)| empty(text.tokens)).collect();
        let mut nodes = 0;
        for score in [EncoderScore::Pll, EncoderScore::PllUnmasked, EncoderScore::Head] {
            let mut waiting: Vec<Sequence> = Vec::new();
            let mut filled = 0;
            for text in (0..distinct.len()).filter(|&text| distinct[text].1 == score) {
                let tokens = distinct[text].0.tokens.len();
                let sequences: Vec<Sequence> = match score {
                    EncoderScore::Pll => {
                        (0..tokens).map(|place| Sequence { text, masked: Some(place) }).collect()
                    }
                    EncoderScore::PllUnmasked | EncoderScore::Head => vec![Sequence { text, masked: None }],
                };
                for sequence in sequences {
                    if !waiting.is_empty() && filled + tokens + 2 > self.model().node_budget() {
                        self.run_encoder(score, &distinct, &waiting, &mut scores)?;
                        waiting.clear();
                        nodes += std::mem::take(&mut filled);
                    }
                    filled += tokens + 2;
                    waiting.push(sequence);
                }
            }
            if !waiting.is_empty() {
                self.run_encoder(score, &distinct, &waiting, &mut scores)?;
                nodes += filled;
            }
        }
        for ((_, kind), score) in distinct.iter().zip(&mut scores) {
            if *kind != EncoderScore::Head {
                let sum = score.log_probs.iter().map(|&value| f64::from(value)).sum();
                score.lm_score = self.lm_score(sum, score.tokens.len());
            }
        }
        Ok((places.into_iter().map(|place| scores[place].clone()).collect(), nodes))
    }

    /// One forward pass.
    fn run_encoder(
        &self,
        score: EncoderScore,
        texts: &[(EncodedText<'_>, EncoderScore)],
        sequences: &[Sequence],
        scores: &mut [TextScore],
    ) -> Result<(), Error> {
        let mut batch = TreeBatch::default();
        for Sequence { text, masked } in sequences {
            let EncodedText { tokens, adapter } = texts[*text].0;
            let edge = |place: usize| Edge { node: place as u32 + 1, token: tokens[place] };
            let edges: Vec<Edge> = match (score, masked) {
                (EncoderScore::Head, _) => Vec::new(),
                (_, Some(place)) => vec![edge(*place)],
                (_, None) => (0..tokens.len()).map(edge).collect(),
            };
            batch.set_adapter(adapter.cloned());
            let mut ids = self.sequence(tokens);
            if let (Some(place), Some(mask)) = (masked, self.model().tokenizer().mask()) {
                ids[place + 1] = mask;
            }
            batch.push_chain(&ids, &edges);
        }
        if score == EncoderScore::Head {
            let states = self.model().root_states(&batch)?;
            for (Sequence { text, .. }, state) in
                sequences.iter().zip(states.chunks_exact(self.model().d_model()))
            {
                let head = self.score_head(texts[*text].0.adapter);
                scores[*text].lm_score = head.ok_or(SettingsError::NoScoreHead)?.score(state);
            }
            return Ok(());
        }
        let mut values = self.model().edge_log_probs(&batch)?.into_iter();
        for Sequence { text, masked } in sequences {
            let count = if masked.is_some() { 1 } else { texts[*text].0.tokens.len() };
            scores[*text].log_probs.extend(values.by_ref().take(count));
        }
        Ok(())
    }

    /// Scores of prepared lists.
    pub(crate) fn score_encoded_lists(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        let texts: Vec<EncodedText<'_>> = lists
            .iter()
            .flat_map(|list| {
                let text = |tokens| EncodedText { tokens, adapter: list.adapter.as_ref() };
                list.sequences.iter().map(move |tokens| text(tokens))
            })
            .collect();
        let (scores, nodes) = self.score_encoded(&texts)?;
        let mut scores = scores.into_iter();
        let lists = lists.into_iter().map(|list| {
            let own: Vec<TextScore> = scores.by_ref().take(list.sequences.len()).collect();
            for (index, score) in own.iter().enumerate() {
                require_finite(&list.name, list.position(index), score.lm_score)?;
            }
            Ok(ListScores { distinct: list.distinct, words: list.words, scores: own, first_stage: None })
        });
        Ok(Scored { lists: lists.collect::<Result<_, Error>>()?, nodes })
    }
}

/// A score that nothing is known of yet.
fn empty(tokens: &[u32]) -> TextScore {
    TextScore { tokens: tokens.to_vec(), log_probs: Vec::new(), lm_score: 0.0 }
}
