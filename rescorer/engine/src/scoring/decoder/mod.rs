//! Scores by a decoder, which reads from left to right: lists share prefixes, and a prefix bounds what follows it.

mod batch;
pub(crate) mod endings;
mod grouping;
mod prefix_cache;
mod search;
pub(crate) mod trie;
mod within;

use std::sync::Arc;

use rescorer_models::{Adapter, LanguageModel};

use crate::answer::choice::Chosen;
use crate::error::{Error, SettingsError};
use crate::scoring::config::ScoringConfig;
use crate::scoring::deadline::{Anytime, Deadline};
use crate::scoring::decoder::prefix_cache::PrefixCache;
use crate::scoring::decoder::trie::TokenTrie;
use crate::scoring::list::{PreparedList, Scored};
use crate::scoring::list_scorer::{Aim, Capabilities, ListScorer, choose_by_scores};
use crate::scoring::sequences::Sequences;

/// A decoder with the contexts that it read last.
pub(crate) struct Decoder {
    sequences: Sequences,
    contexts: PrefixCache,
}

impl Decoder {
    /// Checks that the model can score so.
    ///
    /// # Errors
    /// What is for encoders; as [`Sequences::new`].
    pub(crate) fn new(model: Arc<LanguageModel>, config: ScoringConfig) -> Result<Self, Error> {
        if config.encoder.is_some() {
            return Err(SettingsError::NotAnEncoder.into());
        }
        Ok(Self { sequences: Sequences::new(model, config)?, contexts: PrefixCache::default() })
    }

    fn is_on_cpu(&self) -> bool {
        self.sequences.model.device().is_cpu()
    }
}

impl ListScorer for Decoder {
    fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    /// A GPU computes lists whole.
    fn capabilities(&self) -> Capabilities {
        let piecewise = self.is_on_cpu();
        Capabilities {
            prefixes: true,
            contexts: true,
            bounds: piecewise,
            deadlines: piecewise,
            first_stage: false,
        }
    }

    fn nodes(&self, texts: &[Vec<u32>], _adapter: Option<&Arc<dyn Adapter>>) -> usize {
        TokenTrie::count_nodes(texts, self.sequences.eos)
    }

    fn score(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        self.score_whole(lists)
    }

    fn score_texts(&self, texts: &[&[u32]], adapter: Option<&Arc<dyn Adapter>>) -> Result<Vec<f64>, Error> {
        self.score_alone(texts, adapter)
    }

    /// Log-probabilities only fall, so what a hypothesis has gathered bounds its total; with a negative weight nothing does.
    fn choose(&self, aims: &[Aim<'_>], lists: Vec<PreparedList>) -> Result<Chosen, Error> {
        match self.capabilities().bounds && aims.iter().all(|aim| aim.weighting.is_monotone()) {
            true => self.search(aims, lists),
            false => choose_by_scores(self, aims, lists),
        }
    }

    fn choose_within(
        &self,
        aim: Aim<'_>,
        list: &PreparedList,
        deadline: &mut Deadline,
    ) -> Result<Anytime, Error> {
        self.search_within(aim, list, deadline)
    }

    fn prepare_context(&self, context: &[u32], adapter: Option<&Arc<dyn Adapter>>) -> Result<(), Error> {
        self.prefix_state(context, adapter).map(|_| ())
    }
}
