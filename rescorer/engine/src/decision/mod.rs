//! What to answer, once the scores are fused: the maximum, the least expected number of errors, or a text voted on word by word;
//! and how sure one can be of it.

mod answer_calibration;
mod calibration;
mod compare;
mod confidence;
mod joined;
mod judged_answer;
mod logistic;
mod network;
mod posterior;
mod reliability;
mod rule;
mod tune;

pub use answer_calibration::{AnswerCalibration, AnswerKind, Evidence};
pub use calibration::Calibration;
pub use compare::{RuleReport, compare_rules};
pub use confidence::{Confidence, ConfidenceReport};
pub(crate) use joined::joined;
pub use judged_answer::JudgedAnswer;
pub use reliability::{Reliability, ReliabilityBin};
pub use rule::{Answer, AnswerWord, Decision, DecisionRule};
pub use tune::{cross_validate_decision, tune_decision};
