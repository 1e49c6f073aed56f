//! Language-model scores of lists, whatever the kind of model.

use std::sync::Arc;

use rescorer_models::{Adapter, LanguageModel};
use rescorer_nbest::{NBest, UniqueHypotheses, Utterance};
use rescorer_perturb::Unit;

use crate::error::Error;
use crate::fusion::features::{WordWeights, table};
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::weighting::Weighting;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::config::ScoringConfig;
use crate::scoring::decoder::Decoder;
use crate::scoring::encoder::Encoder;
use crate::scoring::list::{ListScores, PreparedList, Scored};
use crate::scoring::list_scorer::{ListScorer, NamedList};
use crate::scoring::need::Need;
use crate::scoring::sequences::Sequences;

/// Lists that are scored together where only their sequences are at hand.
#[cfg(feature = "training")]
const WINDOW_LISTS: usize = 64;

/// Scores texts and lists with a language model.
#[derive(Clone)]
pub struct Scorer {
    list_scorer: Arc<dyn ListScorer>,
    adapters: AdapterSet,
    unit: Unit,
    /// Weights of single words, where features are wanted.
    features: Option<WordWeights>,
}

/// Tokens of a context, and of every hypothesis behind it.
type Encoded = (Arc<[u32]>, Vec<Vec<u32>>);

impl Scorer {
    /// Checks that the model can score so.
    ///
    /// # Errors
    /// No BOS or EOS where one is needed, or a BOS outside the vocabulary; what is for encoders with a decoder, and the other way
    /// round.
    pub fn new(model: Arc<LanguageModel>, config: ScoringConfig) -> Result<Self, Error> {
        let list_scorer: Arc<dyn ListScorer> = match model.is_bidirectional() {
            true => Arc::new(Encoder::new(model, config)?),
            false => Arc::new(Decoder::new(model, config)?),
        };
        Ok(Self { list_scorer, adapters: AdapterSet::default(), unit: Unit::Word, features: None })
    }

    pub(crate) fn list_scorer(&self) -> &Arc<dyn ListScorer> {
        &self.list_scorer
    }

    pub(crate) fn with_list_scorer(self, list_scorer: Arc<dyn ListScorer>) -> Self {
        Self { list_scorer, ..self }
    }

    /// Whether lists that were prepared by either can be computed together.
    pub(crate) fn computes_like(&self, other: &Self) -> bool {
        let alone = |scorer: &Self| !scorer.list_scorer.capabilities().first_stage;
        Arc::ptr_eq(&self.list_scorer, &other.list_scorer)
            || (alone(self) && alone(other) && self.sequences().computes_like(other.sequences()))
    }

    pub(crate) fn sequences(&self) -> &Sequences {
        self.list_scorer.sequences()
    }

    /// A scorer of the model and the adapter that a policy was tuned with: `tuned`, and `adapter` or none.
    ///
    /// # Errors
    /// Another model, or another adapter for lists that ask for none; as [`Scorer::new`].
    pub(crate) fn as_tuned(
        model: Arc<LanguageModel>,
        adapters: AdapterSet,
        tuned: &ModelIdentity,
        adapter: Option<&ModelIdentity>,
        config: ScoringConfig,
    ) -> Result<Self, Error> {
        let given =
            |fingerprint: &str| ModelIdentity { name: "given".into(), fingerprint: fingerprint.into() };
        tuned.check_model(&given(model.fingerprint_like(&tuned.fingerprint)))?;
        let own = adapters.default_adapter().map(|adapter| given(adapter.fingerprint().unwrap_or("")));
        ModelIdentity::check_adapter(adapter, own.as_ref())?;
        Ok(Self::new(model, config)?.with_adapters(adapters))
    }

    /// Counts other units than words in hypotheses: what a length bonus is for. A first stage counts them too.
    #[must_use]
    pub fn with_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// Computes the features of lists where this fusion weighs them.
    #[must_use]
    pub(crate) fn with_features(self, weighting: &Weighting) -> Self {
        Self { features: weighting.features().map(|features| features.words().clone()), ..self }
    }

    /// What is counted in hypotheses.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Attaches adapters: the first is for all lists that ask for none by name.
    #[must_use]
    pub fn with_adapters(self, adapters: AdapterSet) -> Self {
        Self { adapters, ..self }
    }

    /// The adapter of lists that ask for none, for a policy.
    pub fn adapter_identity(&self) -> Option<ModelIdentity> {
        let default = self.adapters.default_adapter()?;
        let name = self.adapters.named().first().map(|(name, _)| name.clone()).unwrap_or_default();
        Some(ModelIdentity { name, fingerprint: default.fingerprint().unwrap_or_default().to_owned() })
    }

    /// The adapter, where there is no other one and it scores tokens: that of an encoder, and of a cascade's second model, does not decide
    /// alone how probable a text is.
    pub(crate) fn only_adapter(&self) -> Option<&Arc<dyn Adapter>> {
        let is_alone = self.adapters.named().len() == 1
            && !self.model().is_bidirectional()
            && !self.list_scorer.capabilities().first_stage;
        self.default_adapter().filter(|_| is_alone)
    }

    /// Whether lists may ask for adapters.
    pub(crate) fn has_adapters(&self) -> bool {
        self.adapters.takes_names()
    }

    fn default_adapter(&self) -> Option<&Arc<dyn Adapter>> {
        self.adapters.default_adapter()
    }

    /// The model.
    pub fn model(&self) -> &Arc<LanguageModel> {
        &self.sequences().model
    }

    /// What a score means.
    pub fn config(&self) -> &ScoringConfig {
        &self.sequences().config
    }

    /// Scores prepared lists; those that were prepared without a need for scores get none. What their hypotheses have in common is
    /// computed once, within a list and between lists; by an encoder the same text once.
    ///
    /// # Errors
    /// The model fails, or gives what is not a log-probability.
    pub fn score(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        self.list_scorer.score(lists)
    }

    /// Scores one list.
    ///
    /// # Errors
    /// As [`Scorer::prepare`] and [`Scorer::score`].
    pub fn score_list(&self, nbest: &NBest) -> Result<ListScores, Error> {
        let prepared = self.prepare("(list)", nbest)?;
        self.score(vec![prepared])?.lists.pop().ok_or(Error::Unscored)
    }

    /// Scores of token sequences, list by list, with the first of the adapters.
    #[cfg(feature = "training")]
    pub(crate) fn score_sequences<'a>(
        &self,
        lists: impl Iterator<Item = &'a [Vec<u32>]>,
    ) -> Result<Vec<Vec<f64>>, Error> {
        // Several lists together, so that batches are full.
        let lists: Vec<&[Vec<u32>]> = lists.collect();
        let mut scores = Vec::with_capacity(lists.len());
        for lists in lists.chunks(WINDOW_LISTS) {
            let texts: Vec<&[u32]> = lists.iter().flat_map(|list| list.iter().map(Vec::as_slice)).collect();
            let mut values = self.list_scorer.score_texts(&texts, self.default_adapter())?.into_iter();
            scores.extend(lists.iter().map(|list| values.by_ref().take(list.len()).collect::<Vec<f64>>()));
        }
        Ok(scores)
    }

    /// Tokenises the unique hypotheses of an utterance, which may have a context and ask for one of the adapters.
    ///
    /// # Errors
    /// As [`Scorer::prepare`]; an adapter that is not there; a context before an encoder.
    pub fn prepare_utterance(&self, utterance: &Utterance) -> Result<PreparedList, Error> {
        self.prepare_utterance_as(Need::Scores, utterance)
    }

    /// Prepares an utterance; its hypotheses are tokenised where the model is asked.
    pub(crate) fn prepare_utterance_as(
        &self,
        need: Need,
        utterance: &Utterance,
    ) -> Result<PreparedList, Error> {
        let adapter = self.adapters.of(utterance)?.cloned();
        let context = utterance.context.as_deref().unwrap_or_default();
        let list = NamedList { name: &utterance.id, nbest: &utterance.nbest, context };
        Ok(self.prepare_named(need, list)?.with_adapter(adapter))
    }

    /// Tokenises the unique hypotheses of a list, for the first of the adapters. `name` stands for the list in messages.
    ///
    /// # Errors
    /// A hypothesis longer than the model's context.
    pub fn prepare(&self, name: &str, nbest: &NBest) -> Result<PreparedList, Error> {
        self.prepare_in_context(name, nbest, "")
    }

    /// Prepares a list that something comes before: earlier turns of a conversation, or names that may be said. The model
    /// reads `context` and the end of a line before every hypothesis, and scores the hypothesis alone. An empty context is none.
    ///
    /// # Errors
    /// A hypothesis that with the context is longer than the model's own.
    pub fn prepare_in_context(
        &self,
        name: &str,
        nbest: &NBest,
        context: &str,
    ) -> Result<PreparedList, Error> {
        self.prepare_named(Need::Scores, NamedList { name, nbest, context })
    }

    pub(crate) fn prepare_named(&self, need: Need, list: NamedList<'_>) -> Result<PreparedList, Error> {
        let distinct = list.nbest.unique();
        let is_asked = need.asks(distinct.hypotheses().len());
        let (context, sequences) = match is_asked {
            true => self.encode_list(list, &distinct)?,
            false => (Arc::default(), Vec::new()),
        };
        let adapter = self.default_adapter().cloned();
        let nodes = if is_asked { self.list_scorer.nodes(&sequences, adapter.as_ref()) } else { 0 };
        let texts: Vec<String> = distinct
            .hypotheses()
            .iter()
            .map(|hypothesis| list.nbest.hypotheses()[hypothesis.position].text.clone())
            .collect();
        let ends = usize::from(self.sequences().eos.is_some());
        let tokens: Vec<usize> = sequences.iter().map(|sequence| sequence.len() + ends).collect();
        let features = match &self.features {
            Some(words) if distinct.hypotheses().len() > 1 => table::rows(&table::List {
                distinct: &distinct,
                texts: &texts,
                tokens: &tokens,
                unit: self.unit,
                words,
            }),
            _ => Vec::new(),
        };
        Ok(PreparedList {
            first_stage: self.list_scorer.prepare_first_stage(need, self.unit, list)?,
            name: list.name.into(),
            words: texts.iter().map(|text| self.unit.count(text)).collect(),
            features,
            tokens,
            texts: texts.into(),
            distinct,
            is_asked,
            sequences,
            adapter,
            context,
            nodes,
        })
    }

    /// Tokens of a context and of the unique hypotheses behind it.
    fn encode_list(&self, list: NamedList<'_>, distinct: &UniqueHypotheses) -> Result<Encoded, Error> {
        let NamedList { name, nbest, context } = list;
        let context = self.encode_context(context)?;
        let sequences = distinct.hypotheses().iter().map(|hypothesis| {
            let text = &nbest.hypotheses()[hypothesis.position].text;
            self.sequences().encode(text, context.len(), || {
                let place = format!("utterance {name:?}, position {}", hypothesis.position);
                if context.is_empty() { place } else { format!("{place}, with its context") }
            })
        });
        let sequences = sequences.collect::<Result<Vec<_>, Error>>()?;
        Ok((context, sequences))
    }

    /// Number of log-probabilities that the score of a text is made of.
    #[cfg(feature = "robustness")]
    pub(crate) fn count_tokens(&self, text: &str) -> Result<usize, Error> {
        let tokens = self.sequences().encode(text, 0, || format!("{text:?}"))?;
        Ok(tokens.len() + usize::from(self.sequences().eos.is_some()))
    }

    /// Tokens of a reference behind a context of `before` tokens.
    #[cfg(feature = "training")]
    pub(crate) fn encode_reference(&self, name: &str, text: &str, before: usize) -> Result<Vec<u32>, Error> {
        self.sequences().encode(text, before, || format!("reference of utterance {name:?}"))
    }

    fn encode_context(&self, text: &str) -> Result<Arc<[u32]>, Error> {
        if text.trim().is_empty() {
            return Ok(Arc::default());
        }
        if !self.list_scorer.capabilities().contexts {
            return Err(Error::ContextOfEncoder);
        }
        self.sequences().encode_context(text)
    }

    /// Computes a context, so that the first list that comes with it need not wait for it: what was said last may be handed over
    /// while the user still speaks. On a GPU there is nothing to prepare.
    ///
    /// # Errors
    /// A context longer than the model's own; a model that fails.
    pub fn prepare_context(&self, text: &str) -> Result<(), Error> {
        let context = self.encode_context(text)?;
        self.sequences().encode("", context.len(), || "the context".to_owned())?;
        self.list_scorer.prepare_context(&context, self.default_adapter())
    }
}
