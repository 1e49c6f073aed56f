//! Fusion by features of hypotheses.

mod feature;
mod feature_fusion;
mod scale;
pub(crate) mod table;

pub use feature::Feature;
pub(crate) use feature::FeatureRow;
pub use feature_fusion::FeatureFusion;
