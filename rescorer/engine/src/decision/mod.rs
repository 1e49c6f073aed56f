//! What to answer, once the scores are fused: the maximum, the least expected number of errors, or a text voted on word by word;
//! and how sure one can be of it.

mod calibration;
mod compare;
mod confidence;
mod judged_answer;
mod network;
mod posterior;
mod rule;
mod tune;

pub use calibration::{Calibration, Reliability, ReliabilityBin};
pub use compare::{RuleReport, compare_rules};
pub use confidence::{Confidence, ConfidenceReport};
pub use judged_answer::JudgedAnswer;
pub use rule::{Answer, AnswerWord, Decision, DecisionRule};
pub use tune::{cross_validate_decision, tune_decision};
