use std::path::{Path, PathBuf};

use rescorer_lora::{Kind, LoraAdapter, LoraSettings, Targets};
use rescorer_perturb::{Metric, Normalization, Unit};
use serde::{Deserialize, Serialize};

use super::stage::{Schedule, Stage, StageRecipe};
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
    /// The lists.
    pub data: DataRecipe,
    /// What the model reads and which tokens count.
    pub convention: ScoringConfig,
    /// What all stages have in common.
    pub training: StageRecipe,
    /// One after the other, each with what it does otherwise. None is one stage of what `training` says.
    #[serde(rename = "stage")]
    pub stages: Vec<StageRecipe>,
}

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Vanilla LoRA.
    #[default]
    Lora,
    /// LoRA that gives up unimportant ranks (AdaLoRA).
    RankAllocated,
    /// LoRA of which every truncation is an adapter (DyLoRA): each step trains the first so many ranks.
    MixedRank,
    /// All linear layers of the blocks.
    Full,
}

/// The adapter of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdapterRecipe {
    /// What is trained.
    pub method: Method,
    /// Folder of an adapter to begin with; rank, alpha and layers are then those of the adapter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// Ranks of a layer; for `rank-allocated` their mean at the end.
    pub rank: usize,
    /// Numerator of the scale `alpha / rank`.
    pub alpha: f64,
    /// Scale `alpha / √rank`.
    pub rslora: bool,
    /// Share of inputs that a step leaves out.
    pub dropout: f64,
    /// Names of the layers.
    pub targets: Vec<String>,
    /// Ranks that `rank-allocated` begins with.
    pub init_rank: usize,
    /// Share of the first stage before ranks are given up.
    pub allocation_start: f64,
    /// Share of the first stage after the last allocation.
    pub allocation_end: f64,
    /// Steps from one allocation to the next.
    pub allocation_interval: usize,
    /// Smoothing of importance and of its uncertainty.
    pub allocation_betas: [f32; 2],
    /// Weight of the penalty on ranks that overlap.
    pub orthogonality: f32,
    /// Other ranks for layers whose path ends in a match of the key.
    pub rank_pattern: std::collections::BTreeMap<String, usize>,
    /// Other alphas.
    pub alpha_pattern: std::collections::BTreeMap<String, f64>,
}

impl Default for AdapterRecipe {
    fn default() -> Self {
        Self {
            method: Method::Lora,
            init: None,
            rank: 8,
            alpha: 16.0,
            rslora: false,
            dropout: 0.0,
            targets: vec!["q_proj".into(), "v_proj".into()],
            init_rank: 12,
            allocation_start: 0.1,
            allocation_end: 0.3,
            allocation_interval: 5,
            allocation_betas: [0.85, 0.85],
            orthogonality: 0.1,
            rank_pattern: Default::default(),
            alpha_pattern: Default::default(),
        }
    }
}

impl AdapterRecipe {
    /// Takes over the settings of the adapter to begin with.
    ///
    /// # Errors
    /// An adapter that can't be read, or is of another method.
    pub fn resolve(&mut self) -> Result<Option<LoraAdapter>, Error> {
        let Some(folder) = &self.init else { return Ok(None) };
        let adapter = LoraAdapter::read(folder)?;
        let LoraSettings { kind, rank, alpha, rslora, targets, rank_pattern, alpha_pattern, .. } =
            &adapter.settings;
        let is_allocated = self.method == Method::RankAllocated;
        let fail = |reason: &str| {
            Err(Error::Recipe {
                place: "recipe".into(),
                reason: format!("init {}: {reason}", folder.display()),
            })
        };
        match kind {
            Kind::RankAllocated { init_rank } if is_allocated => self.init_rank = *init_rank,
            Kind::Vanilla if !is_allocated && self.method != Method::Full => {}
            _ => return fail("the adapter is of another method than the recipe"),
        }
        let Targets::Names(names) = targets else {
            return fail("its layers are given by a pattern; name them in target_modules");
        };
        (self.rank, self.alpha, self.rslora, self.targets) = (*rank, *alpha, *rslora, names.clone());
        (self.rank_pattern, self.alpha_pattern) = (rank_pattern.clone(), alpha_pattern.clone());
        Ok(Some(adapter))
    }

    /// The settings of an adapter of this rank.
    pub fn settings(&self, rank: usize) -> LoraSettings {
        let kind = match self.method {
            Method::RankAllocated => Kind::RankAllocated { init_rank: self.init_rank },
            Method::Lora | Method::MixedRank | Method::Full => Kind::Vanilla,
        };
        LoraSettings {
            kind,
            rank,
            alpha: self.alpha,
            rslora: self.rslora,
            dropout: self.dropout,
            targets: Targets::Names(self.targets.clone()),
            rank_pattern: self.rank_pattern.clone(),
            alpha_pattern: self.alpha_pattern.clone(),
            ..LoraSettings::default()
        }
    }
}

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
        let stages: Vec<Stage> = own.iter().map(|own| self.stage(own)).collect();
        self.check(&stages)?;
        Ok(stages)
    }

    fn stage(&self, own: &StageRecipe) -> Stage {
        let all = &self.training;
        macro_rules! set {
            ($key:ident, $default:expr) => {
                own.$key.or(all.$key).unwrap_or($default)
            };
        }
        let objectives =
            |stage: &StageRecipe| [stage.nll, stage.mwer, stage.mwed, stage.preference, stage.distillation];
        let names_none = objectives(own).iter().chain(&objectives(all)).all(Option::is_none);
        Stage {
            nll: set!(nll, if names_none { 1.0 } else { 0.0 }),
            mwer: set!(mwer, 0.0),
            mwed: set!(mwed, 0.0),
            preference: set!(preference, 0.0),
            distillation: set!(distillation, 0.0),
            correlation: set!(correlation, 0.0),
            epochs: set!(epochs, 1.0),
            batch: set!(batch, 16),
            learning_rate: set!(learning_rate, 1e-3),
            schedule: set!(schedule, Schedule::Linear),
            warmup: set!(warmup, 0.05),
            weight_decay: set!(weight_decay, 0.0),
            clip: set!(clip, 1.0),
            hypotheses: set!(hypotheses, usize::MAX),
            first_pass_weight: set!(first_pass_weight, 1.0),
            lm_weight: set!(lm_weight, 1.0),
            length_bonus: set!(length_bonus, 0.0),
            error_temperature: set!(error_temperature, 1.0),
            beta: set!(beta, 0.1),
            judge: set!(judge, Default::default()),
            rank: set!(rank, self.adapter.rank),
            evaluate_every: set!(evaluate_every, 0),
            patience: set!(patience, usize::MAX),
        }
    }

    fn check(&self, stages: &[Stage]) -> Result<(), Error> {
        let fail = |key: &str, reason: String| {
            Err(Error::Recipe { place: "recipe".into(), reason: format!("{key}: {reason}") })
        };
        for (number, stage) in stages.iter().enumerate() {
            let key = |name: &str| format!("stage {}, {name}", number + 1);
            let weights = [stage.nll, stage.mwer, stage.mwed, stage.preference, stage.distillation];
            if !weights.iter().chain([&stage.correlation]).all(|weight| weight.is_finite() && *weight >= 0.0)
                || weights.iter().all(|weight| *weight == 0.0)
            {
                let reason = "the weights of nll, mwer, mwed, preference and distillation have to be at least 0, one of \
                              them more; that of correlation at least 0";
                return fail(&key("objective"), reason.into());
            }
            let positive = [
                ("epochs", stage.epochs),
                ("learning_rate", stage.learning_rate),
                ("clip", f64::from(stage.clip)),
                ("error_temperature", stage.error_temperature),
                ("beta", stage.beta),
                ("lm_weight", stage.lm_weight),
                ("batch", stage.batch as f64),
                ("rank", stage.rank as f64),
                ("patience", stage.patience as f64),
            ];
            if let Some((name, value)) =
                positive.iter().find(|(_, value)| !value.is_finite() || *value <= 0.0)
            {
                return fail(&key(name), format!("{value}; it has to be above 0"));
            }
            if !(0.0..1.0).contains(&stage.warmup) {
                return fail(
                    &key("warmup"),
                    format!("{}; it is a share of the steps, less than 1", stage.warmup),
                );
            }
            if !stage.weight_decay.is_finite() || stage.weight_decay < 0.0 {
                return fail(
                    &key("weight_decay"),
                    format!("{}; it has to be at least 0", stage.weight_decay),
                );
            }
            if stage.hypotheses < 2 && stage.uses_lists() {
                return fail(
                    &key("hypotheses"),
                    "lists of one hypothesis have nothing to prefer; give 2 or more".into(),
                );
            }
            let others = [stage.first_pass_weight, stage.length_bonus];
            if !others.iter().all(|value| value.is_finite()) {
                return fail(&key("posterior"), "weights have to be finite".into());
            }
        }
        let ranks = stages.windows(2).map(|pair| (pair[0].rank, pair[1].rank));
        if let Some((before, after)) = ranks.clone().find(|(before, after)| after > before) {
            return fail(
                "rank",
                format!("{after} after {before}: ranks can only be taken away between stages"),
            );
        }
        let AdapterRecipe { method, allocation_start, allocation_end, .. } = &self.adapter;
        if *method != Method::Lora && ranks.clone().any(|(before, after)| before != after) {
            return fail("rank", "only method lora can change its rank between stages".into());
        }
        if *method != Method::Full {
            let settings = self.adapter.settings(stages[0].rank);
            settings.check().map_err(|e| Error::Recipe { place: "recipe".into(), reason: e.to_string() })?;
        }
        if !(0.0..1.0).contains(&(allocation_start + allocation_end))
            || *allocation_start < 0.0
            || *allocation_end < 0.0
        {
            return fail("allocation_start, allocation_end", "together they have to be less than 1".into());
        }
        if !(0.0..1.0).contains(&self.data.dev_share) {
            return fail("dev_share", format!("{}; it is a share, less than 1", self.data.dev_share));
        }
        if self.data.dev_share > 0.0 && !self.data.dev.is_empty() {
            return fail("dev_share", "dev names files already; leave one of the two out".into());
        }
        if self.data.teacher.is_empty() && stages.iter().any(|stage| stage.distillation > 0.0) {
            let reason = "there is no teacher; name its scores under data, teacher = [\"scores.jsonl\"]";
            return fail("distillation", reason.into());
        }
        let looks = stages.iter().any(|stage| stage.evaluate_every > 0 || stage.patience < usize::MAX);
        if looks && self.data.dev.is_empty() && self.data.dev_share == 0.0 {
            return fail("evaluate_every, patience", "there are no dev lists; give dev or dev_share".into());
        }
        Ok(())
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
