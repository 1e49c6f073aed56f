//! How an encoder scores.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, SettingsError};

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
