//! Second pass for speech recognition: a language model rescores N-best lists.
//!
//! A first pass hands over its N-best list; the language model scores every distinct hypothesis once, shared
//! prefixes once; the scores are fused and the better hypothesis comes out.
//!
//! ```no_run
//! use rescorer::{Request, Rescorer};
//!
//! # let previous = "";
//! let rescorer = Rescorer::builder("smollm2-135m")
//!     .policy("policy.toml")
//!     .adapter("medical", "adapters/medical")
//!     .build()?;
//! let request = Request::new([("please right it down", -1.2), ("please write it down", -1.4)]);
//! let answer = rescorer.rescore(request.context(previous))?;
//! println!("{} ({:.0}%)", answer.text(), 100.0 * answer.confidence());
//! # Ok::<(), rescorer::Error>(())
//! ```
//!
//! A [`Rescorer`] never changes and its clones share everything: give one to each thread. [`Rescorer::tune`] finds a [`Policy`] on lists
//! that have references.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod adapter_source;
mod answer;
mod answers;
mod assembly;
pub mod audit;
mod builder;
mod conversations;
mod error;
pub mod evaluation;
pub mod fusion;
mod model;
mod parts;
mod pool;
mod request;
mod rescorer;
#[cfg(feature = "robustness")]
pub mod robustness;
mod routes;
mod routing;
pub mod scoring;
mod second_pass;
#[cfg(feature = "training")]
pub mod train;
mod vocabulary;

pub use adapter_source::AdapterSource;
pub use answer::ranking::{AnswerHypothesis, AnswerWord};
pub use answer::rule::DecisionRule;
pub use answer::{Answer, Completeness};
pub use answers::Answers;
pub use builder::RescorerBuilder;
pub use error::{AuditError, Error, ErrorKind, PoolError, Remedy};
pub use fusion::policy::Policy;
pub use fusion::tuning::options::TuneOptions;
pub use fusion::weights::Fusion;
pub use model::Model;
pub use pool::{AdapterPool, AdapterStatus, PoolOptions, PoolStats, PooledAdapter};
pub use request::Request;
pub use rescorer::Rescorer;
pub use rescorer_models::{DeviceRequest, Precision};
pub use rescorer_nbest::{Hypothesis, NBest, Utterance};
pub use rescorer_perturb::{Normalization, Unit, Vocabulary};
pub use scoring::config::ScoringConfig;
