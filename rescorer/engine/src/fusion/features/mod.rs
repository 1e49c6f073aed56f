//! Fusion by features of hypotheses.

mod feature;
mod feature_fusion;
pub(crate) mod scale;
pub(crate) mod table;
mod word_weights;

pub use feature::Feature;
pub(crate) use feature::FeatureRow;
pub use feature_fusion::FeatureFusion;
pub use word_weights::WordWeights;
pub(crate) use word_weights::{WordChanges, word_changes};
