//! Lists on their way to the model.

use std::sync::Arc;

use rescorer_models::Adapter;
use rescorer_nbest::{Distinct, NBest, Utterance};

use crate::error::Error;
use crate::fusion::weights::Fusion;
use crate::scoring::cascade::Cascade;
use crate::scoring::decoder::trie::TokenTrie;
use crate::scoring::encoder::EncoderScore;
use crate::scoring::need::Need;
use crate::scoring::scorer::Scorer;

/// A list on its way to the model: the token sequences of its distinct hypotheses.
#[derive(Debug, Clone)]
pub struct PreparedList {
    /// Stands for the list in messages.
    pub(crate) name: String,
    pub(crate) distinct: Distinct,
    /// Texts of the distinct hypotheses.
    pub(crate) texts: Arc<[String]>,
    /// Whether the model is asked; where it is not there are no sequences.
    pub(crate) is_asked: bool,
    pub(crate) sequences: Vec<Vec<u32>>,
    /// Words, or other units, of every distinct hypothesis.
    pub(crate) words: Vec<usize>,
    /// What the model is computed with.
    pub(crate) adapter: Option<Arc<dyn Adapter>>,
    /// Tokens of the context, none where there is no context.
    pub(crate) context: Arc<[u32]>,
    /// This list for the rescorer before.
    pub(crate) first_stage: Option<Box<PreparedList>>,
    nodes: usize,
}

impl PreparedList {
    /// Has the list computed with another adapter, or with none.
    #[must_use]
    pub fn with_adapter(self, adapter: Option<Arc<dyn Adapter>>) -> Self {
        Self { adapter, ..self }
    }

    /// Number of distinct hypotheses.
    pub fn distinct(&self) -> usize {
        self.distinct.hypotheses().len()
    }

    /// Number of listed hypotheses.
    pub(crate) fn listed(&self) -> usize {
        self.distinct.listed().len()
    }

    /// The list as an answer under these weights needs it: without sequences where the model decides nothing.
    pub(crate) fn needed(mut self, fusion: &Fusion, before: Option<&Cascade>) -> Result<Self, Error> {
        let asks = Need::of(fusion).asks(self.distinct());
        if asks && !self.is_asked {
            return Err(Error::Unscored);
        }
        if !asks {
            self.is_asked = false;
            self.sequences = Vec::new();
            self.nodes = 0;
        }
        if let (Some(own), Some(before)) = (self.first_stage.take(), before) {
            self.first_stage = Some(Box::new(own.needed(before.fusion(), None)?));
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

/// Tokens of a context, and of every hypothesis behind it.
type Encoded = (Arc<[u32]>, Vec<Vec<u32>>);

impl Scorer {
    /// Tokenises the distinct hypotheses of an utterance, which may have a context and ask for one of the adapters.
    ///
    /// # Errors
    /// As [`Scorer::prepare_in_context`]; an adapter that is not there.
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
        let prepared = self.prepare_as(need, &utterance.id, &utterance.nbest, context)?;
        Ok(prepared.with_adapter(adapter))
    }

    /// Tokenises the distinct hypotheses of a list, for the first of the adapters.
    ///
    /// `name` stands for the list in messages.
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
        self.prepare_as(Need::Scores, name, nbest, context)
    }

    pub(crate) fn prepare_as(
        &self,
        need: Need,
        name: &str,
        nbest: &NBest,
        context: &str,
    ) -> Result<PreparedList, Error> {
        let text = context;
        let distinct = nbest.distinct();
        let is_asked = need.asks(distinct.hypotheses().len());
        let (context, sequences) = match is_asked {
            true => self.encode_list(name, nbest, &distinct, context)?,
            false => (Arc::default(), Vec::new()),
        };
        let adapter = self.adapters.default_adapter().cloned();
        let nodes = if !is_asked {
            0
        } else if self.model.is_bidirectional() {
            // Where it can't be scored, scoring says so: training prepares its lists before there is a head.
            let score = self.encoder_score(adapter.as_ref()).unwrap_or(EncoderScore::Head);
            sequences.iter().map(|sequence| score.nodes(sequence.len())).sum()
        } else {
            TokenTrie::count_nodes(&sequences, self.eos)
        };
        let texts = distinct.hypotheses().iter();
        let texts = texts.map(|hypothesis| nbest.hypotheses()[hypothesis.position].text.clone()).collect();
        let words = distinct.hypotheses().iter();
        let words = words.map(|hypothesis| self.unit.count(&nbest.hypotheses()[hypothesis.position].text));
        // Encoders read no contexts.
        let first_stage = self.cascade.as_ref().map(|cascade| {
            let scorer = cascade.scorer().clone().with_unit(self.unit);
            let heard = if scorer.model.is_bidirectional() { "" } else { text };
            let need = need.before(cascade.fusion());
            scorer.prepare_as(need, name, nbest, heard).map(Box::new)
        });
        Ok(PreparedList {
            first_stage: first_stage.transpose()?,
            name: name.into(),
            words: words.collect(),
            distinct,
            texts,
            is_asked,
            sequences,
            adapter,
            context,
            nodes,
        })
    }

    /// Tokens of a context and of the distinct hypotheses behind it.
    fn encode_list(
        &self,
        name: &str,
        nbest: &NBest,
        distinct: &Distinct,
        context: &str,
    ) -> Result<Encoded, Error> {
        let context = self.encode_context(context)?;
        let sequences = distinct.hypotheses().iter().map(|hypothesis| {
            let text = &nbest.hypotheses()[hypothesis.position].text;
            self.encode(text, context.len(), || {
                let place = format!("utterance {name:?}, position {}", hypothesis.position);
                if context.is_empty() { place } else { format!("{place}, with its context") }
            })
        });
        let sequences = sequences.collect::<Result<Vec<_>, Error>>()?;
        Ok((context, sequences))
    }

    /// Tokens of a reference.
    #[cfg(feature = "training")]
    pub(crate) fn encode_reference(&self, name: &str, text: &str) -> Result<Vec<u32>, Error> {
        self.encode(text, 0, || format!("reference of utterance {name:?}"))
    }

    fn encode_context(&self, text: &str) -> Result<Arc<[u32]>, Error> {
        if text.trim().is_empty() {
            return Ok(Arc::default());
        }
        if self.model.is_bidirectional() {
            return Err(Error::ContextOfEncoder);
        }
        let line = format!("{}\n", self.config().lm_text.apply(text));
        Ok(self.model.tokenizer().encode(&line)?.into())
    }

    /// Computes a context, so that the first list that comes with it need not wait for it: what was said last may be handed over
    /// while the user still speaks. On a GPU there is nothing to prepare.
    ///
    /// # Errors
    /// A context longer than the model's own; a model that fails.
    pub fn prepare_context(&self, text: &str) -> Result<(), Error> {
        let context = self.encode_context(text)?;
        self.encode("", context.len(), || "the context".to_owned())?;
        self.beginning(&context, self.adapters.default_adapter())?;
        Ok(())
    }

    /// Tokens of a text that `before` tokens come before.
    fn encode(&self, text: &str, before: usize, subject: impl Fn() -> String) -> Result<Vec<u32>, Error> {
        let tokens = self.model.tokenizer().encode(&self.config().lm_text.apply(text))?;
        let len = tokens.len() + 1 + before + usize::from(self.eos.is_some());
        let context = self.model.context_len();
        if len > context {
            return Err(Error::TooLong { subject: subject(), tokens: len, context });
        }
        Ok(tokens)
    }
}
