//! Texts as token sequences that a model reads, and their scores.

use std::sync::Arc;

use rescorer_models::LanguageModel;

use crate::error::{Error, SettingsError};
use crate::scoring::config::ScoringConfig;

/// A model with what its scores mean.
#[derive(Clone)]
pub(crate) struct Sequences {
    pub model: Arc<LanguageModel>,
    pub config: ScoringConfig,
    pub bos: u32,
    /// Where the end of a text is scored.
    pub eos: Option<u32>,
}

impl Sequences {
    /// Checks that the model can score so.
    ///
    /// # Errors
    /// No BOS or EOS where one is needed, or a BOS outside the vocabulary.
    pub fn new(model: Arc<LanguageModel>, config: ScoringConfig) -> Result<Self, Error> {
        let tokenizer = model.tokenizer();
        let bos = config.bos.or(tokenizer.bos()).or(tokenizer.eos()).ok_or(SettingsError::NoBos)?;
        if bos as usize >= model.vocab_size() {
            return Err(SettingsError::BosOutside { id: bos, vocab_size: model.vocab_size() }.into());
        }
        let eos = match config.eos {
            true => Some(tokenizer.eos().ok_or(SettingsError::NoEos)?),
            false => None,
        };
        Ok(Self { model, config, bos, eos })
    }

    /// Whether the scores of texts are the same.
    pub fn computes_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.model, &other.model) && self.config == other.config
    }

    /// A text with the tokens that begin and end a sequence.
    pub fn whole(&self, tokens: &[u32]) -> Vec<u32> {
        std::iter::once(self.bos).chain(tokens.iter().copied()).chain(self.eos).collect()
    }

    /// The score of `edges` log-probabilities with this sum.
    pub fn lm_score(&self, sum: f64, edges: usize) -> f64 {
        if self.config.mean { sum / edges.max(1) as f64 } else { sum }
    }

    /// Tokens of a text that `before` tokens come before.
    pub fn encode(&self, text: &str, before: usize, subject: impl Fn() -> String) -> Result<Vec<u32>, Error> {
        let tokens = self.model.tokenizer().encode(&self.config.lm_text.apply(text))?;
        let len = tokens.len() + 1 + before + usize::from(self.eos.is_some());
        let context = self.model.context_len();
        if len > context {
            return Err(Error::TooLong { subject: subject(), tokens: len, context });
        }
        Ok(tokens)
    }

    /// Tokens of a context, which ends with the end of a line.
    pub fn encode_context(&self, text: &str) -> Result<Arc<[u32]>, Error> {
        let line = format!("{}\n", self.config.lm_text.apply(text));
        Ok(self.model.tokenizer().encode(&line)?.into())
    }
}

/// Refuses what is no sum of log-probabilities.
pub(crate) fn require_finite(list: &str, position: usize, value: f64) -> Result<(), Error> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::NotFinite { subject: format!("utterance {list:?}, position {position}"), value })
}
