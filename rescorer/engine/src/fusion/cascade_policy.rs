//! What a policy says of a cascade.

use serde::{Deserialize, Serialize};

use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::weights::Fusion;
use crate::scoring::config::ScoringConfig;

/// First stage of a cascade: the rescorer that is asked before the policy's own model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CascadePolicy {
    /// What is kept of what it adds to the first pass.
    pub share: f64,
    /// Lead of its best hypothesis over the second from which its answer stands; without one all lists go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Its weights.
    pub fusion: Fusion,
    /// What its scores mean.
    pub convention: ScoringConfig,
    /// Its model.
    pub model: ModelIdentity,
    /// Its adapter, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<ModelIdentity>,
}
