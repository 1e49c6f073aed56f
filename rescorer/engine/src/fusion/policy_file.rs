//! A policy as it stands in its file.

use rescorer_perturb::{Normalization, Unit};
use serde::{Deserialize, Serialize};

use crate::answer::confidence::Confidence;
use crate::answer::rule::Decision;
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::features::FeatureFusion;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::search_slack::SearchSlack;
use crate::fusion::tuned_on::TunedOn;
use crate::fusion::weights::Fusion;
use crate::routing::calibration::GainCalibration;
use crate::routing::routed_list::ScoreShares;
use crate::scoring::config::ScoringConfig;

/// Latest version of the file that this library reads. A policy is written as the first version that has what it holds: 1 has three
/// numbers, 2 weights of features, 3 the gain of the adapter.
pub(crate) const VERSION: u32 = 4;

/// The keys of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyFile {
    pub(crate) version: u32,
    pub(crate) normalize: Normalization,
    #[serde(default, skip_serializing_if = "Unit::is_word")]
    pub(crate) unit: Unit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fusion: Option<Fusion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) features: Option<FeatureFusion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<Decision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confidence: Option<Confidence>,
    pub(crate) convention: ScoringConfig,
    pub(crate) model: ModelIdentity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) adapter: Option<ModelIdentity>,
    #[serde(rename = "earlier", default, skip_serializing_if = "Option::is_none")]
    pub(crate) cascade: Option<CascadePolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) routing: Option<GainCalibration>,
    #[serde(default, skip_serializing_if = "SearchSlack::is_empty")]
    pub(crate) search: SearchSlack,
    pub(crate) tuned_on: TunedOn,
}

impl PolicyFile {
    /// All numbers that have to be finite.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        let of_fusion =
            |Fusion { lm_weight, length_bonus, margin }: Fusion| [lm_weight, length_bonus, margin];
        let mut numbers: Vec<f64> = self.fusion.map(of_fusion).into_iter().flatten().collect();
        if let Some(Decision { scale, mbr_margin, merge_margin, .. }) = self.decision {
            numbers.extend([scale, mbr_margin, merge_margin]);
        }
        numbers.extend(self.confidence.iter().flat_map(Confidence::numbers));
        if let Some(first) = &self.cascade {
            numbers.extend(of_fusion(first.fusion));
            numbers.extend([first.share, first.threshold.unwrap_or_default()]);
        }
        if let Some(routing) = &self.routing {
            numbers.extend([routing.mean, routing.other, routing.deviation]);
            numbers.extend(routing.scores.iter().flat_map(ScoreShares::numbers));
        }
        for fitted in self.search.fitted() {
            numbers.extend([fitted.risk, fitted.slack, fitted.differ]);
        }
        numbers
    }

    /// The first version of the file that has what this one holds.
    pub(crate) fn first_version(
        routing: Option<&GainCalibration>,
        has_search: bool,
        weighs_features: bool,
    ) -> u32 {
        match (routing, weighs_features) {
            _ if has_search => 4,
            (Some(GainCalibration { scores: Some(_), .. }), _) => 4,
            (Some(_), _) => 3,
            (None, true) => 2,
            (None, false) => 1,
        }
    }
}
