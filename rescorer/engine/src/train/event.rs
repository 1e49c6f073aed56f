use serde::Serialize;

use crate::fusion::weights::Fusion;

/// What happens in training.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Event {
    /// A stage begins.
    Stage {
        stage: usize,
        steps: usize,
        /// Lists that it trains on.
        lists: usize,
        /// Lists with one distinct hypothesis.
        single: usize,
        /// Further lists whose hypotheses are all equally good.
        equal: usize,
        parameters: usize,
    },
    /// A step is done.
    Step(StepReport),
    /// The dev lists were looked at.
    Dev(DevReport),
    /// A checkpoint is on disk.
    Checkpoint { stage: usize, step: usize },
}

/// A step of training. Losses are without their weights, and those with weight 0 are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct StepReport {
    pub stage: usize,
    /// In the stage, from 1.
    pub step: usize,
    pub loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nll: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mwer: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mwed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distillation: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_nll: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_mwer: Option<f64>,
    pub learning_rate: f64,
    /// Before it was bounded.
    pub gradient_norm: f32,
    /// Tokens of all sequences, EOS included.
    pub tokens: usize,
    /// Trie nodes computed for them.
    pub nodes: usize,
    pub seconds: f64,
}

/// WER on the dev lists, in percent, cross-validated over five folds where they can be filled.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct DevReport {
    pub stage: usize,
    pub step: usize,
    pub first_pass_wer: f64,
    pub rescored_wer: f64,
    pub oracle_wer: f64,
    /// Weights of least WER on all of them.
    pub fusion: Fusion,
    /// Whether it is the least of the stage so far.
    pub is_best: bool,
    pub seconds: f64,
}
