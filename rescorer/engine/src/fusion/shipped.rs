//! The policy that answers before anybody tunes one.

use std::sync::LazyLock;

use rescorer_perturb::Metric;
use serde::{Deserialize, Serialize};

use crate::answer::confidence::Confidence;
use crate::answer::rule::Decision;
use crate::fusion::features::FeatureFusion;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::policy::Policy;
use crate::fusion::search_slack::SearchSlack;
use crate::fusion::tuned_on::TunedOn;
use crate::scoring::config::ScoringConfig;

/// The default policy: weights of features that were fitted to the lists of many recognisers.
///
/// It is for any model: features compare a hypothesis with the first-pass best and have no scale. The program
/// `examples/default_policy` makes its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultPolicy {
    /// Its version: answers change with it.
    pub version: u32,
    /// Its weights.
    pub features: FeatureFusion,
    /// The numbers of the rules.
    pub decision: Decision,
    /// How sure answers are.
    pub confidence: Option<Confidence>,
    /// How many answers differ if the search looks at less.
    #[serde(default)]
    pub search: SearchSlack,
}

impl DefaultPolicy {
    /// The one in this program.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<DefaultPolicy> = LazyLock::new(|| {
            #[allow(clippy::expect_used)]
            toml::from_str(include_str!("default.toml")).expect("the default policy is read by a test")
        });
        &SHIPPED
    }

    /// What answers call it.
    pub fn name(&self) -> String {
        format!("default, version {}", self.version)
    }

    /// The policy for a model.
    pub(crate) fn policy(
        &self,
        config: ScoringConfig,
        metric: Metric,
        model: ModelIdentity,
        adapter: Option<ModelIdentity>,
    ) -> Policy {
        let tuned_on = TunedOn { first_pass_wer: 0.0, rescored_wer: 0.0, hashes: Vec::new() };
        Policy::new(metric.normalize, self.features.clone(), config, model, adapter, tuned_on)
            .with_unit(metric.unit)
            .with_decision(self.decision, self.confidence)
            .with_search(self.search.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_policy_is_read() {
        let shipped = DefaultPolicy::shipped();
        assert!(shipped.features.asks_model());
        assert_eq!(toml::from_str::<DefaultPolicy>(&toml::to_string(shipped).unwrap()).unwrap(), *shipped);
    }
}
