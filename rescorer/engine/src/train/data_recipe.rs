use std::path::PathBuf;

use rescorer_perturb::{Metric, Normalization, Unit};
use serde::{Deserialize, Serialize};

use super::stage::{Stage, refusal};
use super::text::TextForm;
use crate::error::Error;

/// The lists and the text of a recipe.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataRecipe {
    /// Files of lists to train on.
    pub train: Vec<PathBuf>,
    /// Files of lists that the WER is watched on.
    pub dev: Vec<PathBuf>,
    /// Share of `train` that is held out as `dev`; equal references go together.
    pub dev_share: f64,
    /// Files of scores that `distillation` learns from: what `rescorer score LISTS --json` writes.
    pub teacher: Vec<PathBuf>,
    /// Files of lists that must not be trained on: whatever has the id of one of them is left out.
    pub exclude: Vec<PathBuf>,
    /// Stop after so many lists of `train`, before any are held out.
    pub limit: Option<usize>,
    /// Lists before each that it has as its context, in the order of the files, as [`History`](crate::scoring::History) gives it; a list
    /// with a context keeps its own.
    #[serde(skip_serializing_if = "is_default")]
    pub history: usize,
    /// Files of plain text to train on, a sentence or a paragraph on each line; gzip is unpacked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<PathBuf>,
    /// How the text is written for the model.
    #[serde(skip_serializing_if = "is_default")]
    pub text_casing: TextForm,
    /// Stop after so many words of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_words: Option<usize>,
    /// Hypotheses of the lists that are made up from the text; 0 makes none.
    #[serde(skip_serializing_if = "is_default")]
    pub hallucinate: usize,
    /// What the recogniser confuses, for these lists: what `rescorer stats --confusions` writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusions: Option<PathBuf>,
    /// Normalisation before words are compared.
    pub normalize: Normalization,
    /// What errors are counted in, for the objectives, the length bonus and the dev lists.
    #[serde(skip_serializing_if = "Unit::is_word")]
    pub unit: Unit,
}

impl DataRecipe {
    /// What is compared.
    pub fn metric(&self) -> Metric {
        Metric { normalize: self.normalize, unit: self.unit }
    }
    /// Refuses lists that contradict each other, and those that these stages lack.
    pub(super) fn check(&self, stages: &[Stage]) -> Result<(), Error> {
        if !(0.0..1.0).contains(&self.dev_share) {
            return Err(refusal("dev_share", format!("{}; it is a share, less than 1", self.dev_share)));
        }
        if self.dev_share > 0.0 && !self.dev.is_empty() {
            return Err(refusal("dev_share", "dev names files already; leave one of the two out"));
        }
        self.check_text(stages)?;
        if self.teacher.is_empty() && stages.iter().any(|stage| stage.distillation > 0.0) {
            let reason = "there is no teacher; name its scores under data, teacher = [\"scores.jsonl\"]";
            return Err(refusal("distillation", reason));
        }
        let looks = stages.iter().any(|stage| stage.evaluate_every > 0 || stage.patience < usize::MAX);
        if looks && self.dev.is_empty() && self.dev_share == 0.0 {
            return Err(refusal("evaluate_every, patience", "there are no dev lists; give dev or dev_share"));
        }
        Ok(())
    }

    fn check_text(&self, stages: &[Stage]) -> Result<(), Error> {
        if self.text.is_empty() {
            let given = [
                ("hallucinate", self.hallucinate > 0),
                ("confusions", self.confusions.is_some()),
                ("text_words", self.text_words.is_some()),
                ("text_nll, text_mwer", stages.iter().any(Stage::uses_text)),
            ];
            if let Some((key, _)) = given.iter().find(|(_, is_given)| *is_given) {
                return Err(refusal(key, "there is no text; name files under data, text = [\"FILE\"]"));
            }
            return Ok(());
        }
        if self.hallucinate == 1 {
            return Err(refusal(
                "hallucinate",
                "a list of one hypothesis has nothing to choose from; give 2 or more",
            ));
        }
        if self.hallucinate == 0 && self.confusions.is_some() {
            return Err(refusal("confusions", "they are for made-up lists; give hallucinate too, such as 5"));
        }
        if self.hallucinate == 0 && stages.iter().any(|stage| stage.text_mwer > 0.0) {
            return Err(refusal("text_mwer", "it needs made-up lists; give hallucinate too, such as 5"));
        }
        if self.text_words == Some(0) {
            return Err(refusal("text_words", "0; give 1 or more"));
        }
        if !stages.iter().any(Stage::uses_text) {
            return Err(refusal("text", "no stage uses it; give one a text_nll or text_mwer above 0"));
        }
        Ok(())
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
