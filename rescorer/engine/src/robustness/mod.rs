//! How much rescorers lose when their lists are perturbed: the benchmark behind `rescorer robustness`.
//!
//! A [`Plan`] names rescorers, lists and perturbations. [`Benchmark::new`] perturbs the lists; [`Benchmark::score`] scores, for one
//! rescorer after the other, what its [`ScoreCache`] does not hold yet; [`Benchmark::report`] computes WER and NPRR from the scores.
//! A run that is broken off loses what was not yet written to the cache, and nothing else.

mod benchmark;
mod cache;
mod condition;
mod plan;
mod report;

pub use benchmark::{Benchmark, Contestant};
pub use cache::{CacheKey, ScoreCache};
pub use condition::Condition;
pub use plan::{Plan, PlannedRescorer};
pub use report::{CleanRow, Comparison, DataFile, Report, Row};
