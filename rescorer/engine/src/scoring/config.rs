use serde::{Deserialize, Serialize};

use crate::error::{Error, SettingsError};
use crate::fusion::weighting::Weighting;
use crate::scoring::encoder_score::EncoderScore;
use crate::scoring::text_casing::TextCasing;

/// What a language-model score means: which tokens count, and what the model reads.
///
/// `lm_score = Σ ln p(t_i | BOS, t_1 … t_{i−1})` over the tokens of the text and EOS. By default BOS is the
/// model's own (its EOS where it has no BOS), EOS is scored, and the sum is not divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoringConfig {
    /// Token that begins a sentence; `None` takes the model's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bos: Option<u32>,
    /// Whether the end of the sentence is scored.
    pub eos: bool,
    /// Whether the sum is divided by the number of its terms.
    pub mean: bool,
    /// What the model sees of the text.
    pub lm_text: TextCasing,
    /// How an encoder scores; `None` takes the adapter's score head where there is one, else the pseudo-log-likelihood. Decoders have
    /// one way only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderScore>,
}

impl ScoringConfig {
    /// Refuses to weigh features of scores that are means.
    ///
    /// # Errors
    /// [`SettingsError::Contradiction`].
    pub(crate) fn check(&self, weighting: &Weighting) -> Result<(), Error> {
        if weighting.wants_features() { self.check_features() } else { Ok(()) }
    }

    /// Refuses features of scores that are means, before there are weights of them: features hold the sum and the mean.
    ///
    /// # Errors
    /// [`SettingsError::Contradiction`].
    pub fn check_features(&self) -> Result<(), Error> {
        let (one, other) = ("weights of features", "scores that are means over the tokens");
        if self.mean { Err(SettingsError::Contradiction { one, other }.into()) } else { Ok(()) }
    }
}

impl Default for ScoringConfig {
    fn default() -> Self {
        Self { bos: None, eos: true, mean: false, lm_text: TextCasing::None, encoder: None }
    }
}
