//! Weights that bring first pass and language model together, the policy that keeps them, and how they are found.

pub(crate) mod cascade_policy;
pub(crate) mod content_hash;
pub(crate) mod features;
pub(crate) mod model_identity;
pub(crate) mod policy;
mod policy_file;
pub(crate) mod search_slack;
pub(crate) mod shipped;
pub(crate) mod tuned_on;
pub(crate) mod tuning;
pub(crate) mod weighting;
pub(crate) mod weights;

pub use crate::answer::answer_calibration::{AnswerCalibration, AnswerKind, Evidence};
pub use crate::answer::calibration::Calibration;
pub use crate::answer::confidence::Confidence;
pub use crate::answer::rule::{Decision, DecisionRule};
pub use cascade_policy::CascadePolicy;
pub use content_hash::content_hash;
pub use features::{Feature, FeatureFusion, WordWeights};
pub use model_identity::ModelIdentity;
pub use policy::Policy;
pub use search_slack::{SearchSlack, SlackOfRisk};
pub use shipped::DefaultPolicy;
pub use tuned_on::TunedOn;
pub use tuning::cascade::tune_cascade;
pub use tuning::decision::{cross_validate_decision, tune_decision};
pub use tuning::features::{FeatureTuned, PriorSet, cross_validate_features, fit_prior, tune_features};
pub use tuning::folds::{hold_out, most_folds};
pub use tuning::fusion_kind::FusionKind;
pub use tuning::grid::{CurvePoint, Tuned, cross_validate, tune};
pub use tuning::options::{Found, TuneOptions, TunedPolicy};
pub use tuning::scored_answer::ScoredAnswer;
pub use tuning::scored_reference::ScoredReference;
pub use weighting::Weighting;
pub use weights::{Candidate, Fusion};

pub use crate::routing::calibration::GainCalibration;
pub use crate::routing::routed_list::{RoutedList, ScoreShares};
pub use rescorer_perturb::Metric;
