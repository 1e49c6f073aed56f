//! Weights of features, fitted to lists with references.

mod examples;
mod fit;
mod gate;
mod prior;
mod search;

pub use prior::{PriorSet, fit_prior};
pub use search::{FeatureTuned, cross_validate_features, tune_features};
