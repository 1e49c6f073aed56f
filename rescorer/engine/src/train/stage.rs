use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::data_recipe::DataRecipe;
use crate::error::Error;

/// How the rate of learning goes on after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// Down to 0 on a line.
    #[default]
    Linear,
    /// Down to 0 on half a cosine.
    Cosine,
}

/// Who says which hypothesis of a list is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judge {
    /// Word errors against the reference: the fewest against the most.
    #[default]
    Reference,
    /// The model as it is at the beginning of the stage, fused with the first pass; needs no references.
    Rescorer,
}

/// A stage, or what stages have in common; what is not set has a default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StageRecipe {
    /// Weight of the negative log-likelihood of the references, a mean over tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nll: Option<f64>,
    /// Weight of the expected word errors of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mwer: Option<f64>,
    /// Weight of the divergence between the distributions of errors and of scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mwed: Option<f64>,
    /// Weight of the preference of the best hypothesis to the worst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preference: Option<f64>,
    /// Weight of what scores differ from the teacher's by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distillation: Option<f64>,
    /// Weight of the correlations inside an encoder's representations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
    /// Weight of the negative log-likelihood of the text, a mean over tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_nll: Option<f64>,
    /// Weight of the expected word errors of a list that was made up from the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_mwer: Option<f64>,
    /// Tokens of text in a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_batch: Option<usize>,
    /// Times that all lists are gone through; without lists, that the text is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    /// Lists of a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// Highest rate of learning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// How it goes on after the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Share of the steps in which it rises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<f64>,
    /// Decay of the matrices, as AdamW means it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f32>,
    /// Largest norm of all gradients together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f32>,
    /// Most distinct hypotheses of a list that take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypotheses: Option<usize>,
    /// Weight of the first-pass score in the posterior of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_pass_weight: Option<f64>,
    /// Weight of the language-model score in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lm_weight: Option<f64>,
    /// Reward of a word in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length_bonus: Option<f64>,
    /// Word errors that make a hypothesis e times less wanted, for `mwed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_temperature: Option<f64>,
    /// How sharply `preference` prefers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// Who says what is better, for `preference`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<Judge>,
    /// Ranks of a layer in this stage; where it is less than before, the adapter is projected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// Steps from one look at the dev lists to the next; 0 looks at the end alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_every: Option<usize>,
    /// Looks without a lower WER after which the stage ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
}

impl StageRecipe {
    /// This stage with nothing left open: what it does not set is as in `common`, and then the default.
    pub(super) fn resolve(&self, common: &StageRecipe, rank: usize, data: &DataRecipe) -> Stage {
        macro_rules! set {
            ($key:ident, $default:expr) => {
                self.$key.or(common.$key).unwrap_or($default)
            };
        }
        let objectives =
            |stage: &StageRecipe| [stage.nll, stage.mwer, stage.mwed, stage.preference, stage.distillation];
        let names_none = objectives(self).iter().chain(&objectives(common)).all(Option::is_none);
        let text = [self.text_nll, common.text_nll, self.text_mwer, common.text_mwer];
        let reads_text = !data.text.is_empty() && text.iter().all(Option::is_none);
        let reads_references = names_none && (data.text.is_empty() || !data.train.is_empty());
        let weight = |is_wanted: bool| if is_wanted { 1.0 } else { 0.0 };
        Stage {
            nll: set!(nll, weight(reads_references)),
            mwer: set!(mwer, 0.0),
            mwed: set!(mwed, 0.0),
            preference: set!(preference, 0.0),
            distillation: set!(distillation, 0.0),
            correlation: set!(correlation, 0.0),
            text_nll: set!(text_nll, weight(reads_text)),
            text_mwer: set!(text_mwer, weight(reads_text && data.hallucinate > 0)),
            text_batch: set!(text_batch, 1024),
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
            rank: set!(rank, rank),
            evaluate_every: set!(evaluate_every, 0),
            patience: set!(patience, usize::MAX),
        }
    }
}

/// A stage with nothing left open.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Stage {
    pub nll: f64,
    pub mwer: f64,
    pub mwed: f64,
    pub preference: f64,
    pub distillation: f64,
    pub correlation: f64,
    pub text_nll: f64,
    pub text_mwer: f64,
    pub text_batch: usize,
    pub epochs: f64,
    pub batch: usize,
    pub learning_rate: f64,
    pub schedule: Schedule,
    pub warmup: f64,
    pub weight_decay: f32,
    pub clip: f32,
    pub hypotheses: usize,
    pub first_pass_weight: f64,
    pub lm_weight: f64,
    pub length_bonus: f64,
    pub error_temperature: f64,
    pub beta: f64,
    pub judge: Judge,
    pub rank: usize,
    pub evaluate_every: usize,
    pub patience: usize,
}

impl Stage {
    /// The fused score of a hypothesis: what the posterior of a list is the softmax of.
    pub fn fused(&self, first_pass: f64, lm_score: f64, words: usize) -> f64 {
        self.first_pass_weight * first_pass + self.lm_weight * lm_score + self.length_bonus * words as f64
    }

    /// Whether hypotheses are weighed against each other.
    pub fn uses_lists(&self) -> bool {
        self.mwer + self.mwed + self.preference + self.distillation > 0.0
    }

    /// Whether text is read.
    pub fn uses_text(&self) -> bool {
        self.text_nll + self.text_mwer > 0.0
    }

    /// What the text is trained with. First-pass scores count nothing, since a made-up list has none.
    pub(super) fn of_text(&self) -> Self {
        Self {
            nll: self.text_nll,
            mwer: self.text_mwer,
            mwed: 0.0,
            preference: 0.0,
            distillation: 0.0,
            correlation: 0.0,
            first_pass_weight: 0.0,
            ..self.clone()
        }
    }

    /// Whether a reference is needed.
    pub fn needs_references(&self) -> bool {
        self.nll + self.mwer + self.mwed > 0.0 || (self.preference > 0.0 && self.judge == Judge::Reference)
    }

    /// Refuses values that contradict each other. `number` is that of the stage, from 1.
    pub(super) fn check(&self, number: usize) -> Result<(), Error> {
        let fail = |name: &str, reason: String| Err(refusal(format!("stage {number}, {name}"), reason));
        let weights = [
            self.nll,
            self.mwer,
            self.mwed,
            self.preference,
            self.distillation,
            self.text_nll,
            self.text_mwer,
        ];
        if !weights.iter().chain([&self.correlation]).all(|weight| weight.is_finite() && *weight >= 0.0)
            || weights.iter().all(|weight| *weight == 0.0)
        {
            let reason = "the weights of nll, mwer, mwed, preference, distillation, text_nll and text_mwer have to be at \
                          least 0, one of them more; that of correlation at least 0";
            return fail("objective", reason.into());
        }
        let positive = [
            ("epochs", self.epochs),
            ("learning_rate", self.learning_rate),
            ("clip", f64::from(self.clip)),
            ("error_temperature", self.error_temperature),
            ("beta", self.beta),
            ("lm_weight", self.lm_weight),
            ("batch", self.batch as f64),
            ("text_batch", self.text_batch as f64),
            ("rank", self.rank as f64),
            ("patience", self.patience as f64),
        ];
        if let Some((name, value)) = positive.iter().find(|(_, value)| !value.is_finite() || *value <= 0.0) {
            return fail(name, format!("{value}; it has to be above 0"));
        }
        if !(0.0..1.0).contains(&self.warmup) {
            return fail("warmup", format!("{}; it is a share of the steps, less than 1", self.warmup));
        }
        if !self.weight_decay.is_finite() || self.weight_decay < 0.0 {
            return fail("weight_decay", format!("{}; it has to be at least 0", self.weight_decay));
        }
        if self.hypotheses < 2 && self.uses_lists() {
            return fail(
                "hypotheses",
                "lists of one hypothesis have nothing to prefer; give 2 or more".into(),
            );
        }
        let others = [self.first_pass_weight, self.length_bonus];
        if !others.iter().all(|value| value.is_finite()) {
            return fail("posterior", "weights have to be finite".into());
        }
        Ok(())
    }
}

/// The error of a key that contradicts the rest of a recipe.
pub(super) fn refusal(key: impl Display, reason: impl Display) -> Error {
    Error::Recipe { place: "recipe".into(), reason: format!("{key}: {reason}") }
}
