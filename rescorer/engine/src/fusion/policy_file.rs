//! A policy as it stands in its file.

use rescorer_perturb::{Normalization, Unit};
use serde::{Deserialize, Serialize};

use crate::answer::confidence::Confidence;
use crate::answer::rule::Decision;
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::features::FeatureFusion;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::policy::{Policy, TunedOn};
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Fusion;
use crate::scoring::config::ScoringConfig;

/// Latest version of the file that this library reads. Policies of three numbers are written as version 1, which earlier programs read.
pub(crate) const VERSION: u32 = 2;

/// The keys of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyFile {
    version: u32,
    normalize: Normalization,
    #[serde(default, skip_serializing_if = "Unit::is_word")]
    unit: Unit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fusion: Option<Fusion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    features: Option<FeatureFusion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<Confidence>,
    convention: ScoringConfig,
    model: ModelIdentity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adapter: Option<ModelIdentity>,
    #[serde(rename = "earlier", default, skip_serializing_if = "Option::is_none")]
    cascade: Option<CascadePolicy>,
    tuned_on: TunedOn,
}

impl PolicyFile {
    /// All numbers that have to be finite.
    fn numbers(&self) -> Vec<f64> {
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
        numbers
    }
}

impl TryFrom<PolicyFile> for Policy {
    type Error = String;

    fn try_from(file: PolicyFile) -> Result<Self, String> {
        if !file.numbers().into_iter().all(f64::is_finite) {
            return Err("a weight is not a finite number; tune again".to_owned());
        }
        let weighting = match (file.fusion, file.features) {
            (Some(fusion), None) => Weighting::Classic(fusion),
            (None, Some(features)) => Weighting::Features(features),
            (None, None) => return Err("missing field `fusion` or `features`; tune again".to_owned()),
            (Some(_), Some(_)) => return Err("both `fusion` and `features`; remove one of them".to_owned()),
        };
        if let (Weighting::Features(_), Some(_)) = (weighting, &file.cascade) {
            return Err("features behind a first stage; tune the cascade with classic fusion".to_owned());
        }
        let PolicyFile { normalize, unit, decision, confidence, convention, model, adapter, cascade, .. } =
            file;
        let tuned_on = file.tuned_on;
        Ok(Self {
            normalize,
            unit,
            weighting,
            decision,
            confidence,
            convention,
            model,
            adapter,
            cascade,
            tuned_on,
        })
    }
}

impl From<Policy> for PolicyFile {
    fn from(policy: Policy) -> Self {
        let Policy {
            normalize,
            unit,
            weighting,
            decision,
            confidence,
            convention,
            model,
            adapter,
            cascade,
            ..
        } = policy;
        let (version, fusion, features) = match weighting {
            Weighting::Classic(fusion) => (1, Some(fusion), None),
            Weighting::Features(features) => (VERSION, None, Some(features)),
        };
        let tuned_on = policy.tuned_on;
        Self {
            version,
            normalize,
            unit,
            fusion,
            features,
            decision,
            confidence,
            convention,
            model,
            adapter,
            cascade,
            tuned_on,
        }
    }
}
