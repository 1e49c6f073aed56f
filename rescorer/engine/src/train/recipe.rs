use std::path::Path;

use serde::{Deserialize, Serialize};

use super::adapter_recipe::AdapterRecipe;
use super::data_recipe::DataRecipe;
use super::stage::{Stage, StageRecipe};
use crate::error::Error;
use crate::scoring::config::ScoringConfig;

/// What is trained, on what, and how: the file of `rescorer train`.
///
/// ```
/// let recipe: rescorer::train::Recipe = rescorer::train::Recipe::parse(r#"
///     [adapter]
///     rank = 4
///
///     [data]
///     train = ["lists.jsonl"]
///     dev_share = 0.1
///
///     [[stage]]
///     nll = 1.0
///
///     [[stage]]
///     mwer = 1.0
///     learning_rate = 3e-4
/// "#)?;
/// assert_eq!(recipe.stages()?.len(), 2);
/// # Ok::<(), rescorer::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Seed of everything that is drawn: first matrices, order, dropout, ranks, held-out lists.
    pub seed: u64,
    /// The adapter.
    pub adapter: AdapterRecipe,
    /// The lists and the text.
    pub data: DataRecipe,
    /// What the model reads and which tokens count.
    pub convention: ScoringConfig,
    /// What all stages have in common.
    pub training: StageRecipe,
    /// One after the other, each with what it does otherwise. None is one stage of what `training` says.
    #[serde(rename = "stage")]
    pub stages: Vec<StageRecipe>,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// A file that can't be read; see [`Recipe::parse`].
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let fail = |reason: String| Error::Recipe { place: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| fail(format!("{e}; give a TOML file")))?;
        toml::from_str(&text).map_err(|e| fail(e.to_string()))
    }

    /// Reads the text of a recipe.
    ///
    /// # Errors
    /// Unknown keys and values of the wrong type, with their line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|e| Error::Recipe { place: "recipe".into(), reason: e.to_string() })
    }

    /// The stages with nothing left open.
    ///
    /// # Errors
    /// Contradictions, each with the key.
    pub fn stages(&self) -> Result<Vec<Stage>, Error> {
        let own = if self.stages.is_empty() { &[StageRecipe::default()][..] } else { &self.stages };
        let stages = own.iter().map(|own| own.resolve(&self.training, self.adapter.rank, &self.data));
        let stages: Vec<Stage> = stages.collect();
        for (number, stage) in stages.iter().enumerate() {
            stage.check(number + 1)?;
        }
        self.adapter.check(&stages)?;
        self.data.check(&stages)?;
        Ok(stages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, part: &str) {
        let error = Recipe::parse(text).and_then(|recipe| recipe.stages()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_stage_overrides_what_is_common() {
        let recipe = Recipe::parse(
            "[training]\nbatch = 4\nlearning_rate = 1e-2\n[[stage]]\n[[stage]]\nmwer = 1.0\nlearning_rate = 1e-4",
        );
        let stages = recipe.unwrap().stages().unwrap();
        assert_eq!((stages[0].batch, stages[1].batch), (4, 4));
        assert_eq!((stages[0].learning_rate, stages[1].learning_rate), (1e-2, 1e-4));
        assert_eq!((stages[0].nll, stages[0].mwer), (1.0, 0.0), "without an objective it is the likelihood");
        assert_eq!((stages[1].nll, stages[1].mwer), (0.0, 1.0));
    }

    #[test]
    fn unknown_and_contradictory_keys_are_refused() {
        refused("[training]\nlearnig_rate = 1.0", "unknown field `learnig_rate`");
        refused("[adapter]\nmethod = \"dora\"", "unknown variant `dora`");
        refused("[training]\nnll = 0.0", "one of them more");
        refused("[training]\nlearning_rate = -1.0", "learning_rate: -1");
        refused("[training]\nwarmup = 1.0", "warmup: 1");
        refused("[training]\nmwer = 1.0\nhypotheses = 1", "give 2 or more");
        refused("[[stage]]\nrank = 4\n[[stage]]\nrank = 8", "only be taken away");
        refused("[adapter]\nmethod = \"rank-allocated\"\ninit_rank = 4", "below the target rank");
        refused("[adapter]\nrank = 0", "rank: 0");
        refused("[data]\ndev = [\"a\"]\ndev_share = 0.5", "leave one of the two out");
        refused("[training]\npatience = 2", "there are no dev lists");
        refused("[training]\ndistillation = 1.0", "there is no teacher");
        refused("[training]\nmwer = 1.0\ncorrelation = -1.0", "that of correlation at least 0");
    }
}
