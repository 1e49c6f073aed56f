use std::path::PathBuf;

use rescorer_perturb::{Metric, Normalization, Unit};
use serde::{Deserialize, Serialize};

use super::stage::{Stage, refusal};
use crate::error::Error;

/// The lists of a recipe.
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
}
