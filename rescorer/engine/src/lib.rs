//! Second pass for speech recognition: a language model rescores N-best lists.
//!
//! A first pass hands over its N-best list; the language model scores every distinct hypothesis once, shared
//! prefixes once; the scores are fused and the better hypothesis comes out.
//!
//! ```no_run
//! use std::sync::Arc;
//! use rescorer::{Convention, DeviceRequest, Fusion, Hypothesis, LanguageModel, NBest, Precision, Rescorer, Scorer};
//!
//! let model = LanguageModel::load("SmolLM2-135M-Instruct.Q4_1.gguf".as_ref(), DeviceRequest::Auto, Precision::F32)?;
//! let scorer = Scorer::new(Arc::new(model), Convention::default())?;
//! let rescorer = Rescorer::new(scorer, Fusion { lm_weight: 0.3, length_bonus: 0.0, margin: 0.0 });
//!
//! let list = NBest::new(vec![
//!     Hypothesis::scored("please right down the address", -4.1),
//!     Hypothesis::scored("please write down the address", -4.3),
//! ])?;
//! println!("{}", rescorer.rescore(&list)?.best().text);
//! # Ok::<(), rescorer::Error>(())
//! ```
//!
//! The model is immutable and shared: clone a [`Rescorer`] into every thread. Weights are found with
//! [`tune`] on lists that have references, and kept in a [`Policy`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod adapters;
mod answer_record;
mod choice;
mod context;
mod convention;
mod deadline;
mod decision;
mod earlier;
mod encoded;
mod error;
mod evaluate;
mod explain;
mod fusion;
mod judged;
mod kinds;
mod need;
mod policy;
mod prepare;
mod rescorer;
#[cfg(feature = "robustness")]
pub mod robustness;
mod scorer;
mod search;
mod stream;
mod text;
#[cfg(feature = "training")]
pub mod train;
mod trie;
mod tune;

pub use adapters::AdapterSet;
pub use answer_record::AnswerRecord;
pub use choice::{Choice, Chosen};
pub use convention::Convention;
pub use deadline::{Anytime, Deadline};
pub use decision::{
    Answer, AnswerCalibration, AnswerKind, AnswerWord, Calibration, Confidence, ConfidenceReport, Decision,
    DecisionRule, Evidence, JudgedAnswer, Reliability, ReliabilityBin, RuleReport, compare_rules,
    cross_validate_decision, tune_decision,
};
pub use earlier::{EarlierPass, EarlierPolicy, EarlierScores, tune_earlier};
pub use encoded::EncoderScore;
pub use error::Error;
pub use evaluate::{Evaluation, ScliteReading};
pub use explain::{Explanation, TokenShare};
pub use fusion::{Candidate, Fusion};
pub use judged::JudgedList;
pub use need::Need;
pub use policy::{ModelIdentity, Policy, TunedOn, content_hash};
pub use prepare::PreparedList;
pub use rescorer::{Rescored, RescoredHypothesis, RescoredWord, Rescorer};
pub use rescorer_models::{Adapter, DeviceRequest, LanguageModel, Precision};
pub use rescorer_nbest::{Hypothesis, NBest, Utterance};
pub use rescorer_perturb::{Metric, Normalization, Unit};
pub use scorer::{ListScores, Scored, Scorer, TextScore};
pub use stream::{ScoringStats, Stream};
pub use text::LmText;
pub use trie::TokenTrie;
pub use tune::{CurvePoint, Tuned, cross_validate, hold_out, tune};
