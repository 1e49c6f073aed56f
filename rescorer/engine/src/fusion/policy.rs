use std::collections::HashSet;
use std::path::Path;

use rescorer_perturb::{Metric, Normalization, Unit};
use serde::{Deserialize, Serialize};

use crate::answer::confidence::Confidence;
use crate::answer::rule::Decision;
use crate::error::Error;
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::weights::Fusion;
use crate::scoring::config::ScoringConfig;

/// Version of the policy file that this library writes and reads.
const VERSION: u32 = 1;

/// Decisions that were tuned together: weights, conventions, the model they are for and the lists they saw.
///
/// Written as TOML by [`Policy::to_toml`], read by [`Policy::read`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of the file format.
    pub version: u32,
    /// Normalisation of texts before words are compared.
    pub normalize: Normalization,
    /// What errors, confidences and the length bonus count; policies of before have none, and count words.
    #[serde(default, skip_serializing_if = "Unit::is_word")]
    pub unit: Unit,
    /// Weights and gate.
    pub fusion: Fusion,
    /// How the answer is made from fused scores; policies of before have none, and the maximum answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// How sure answers are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// What a language-model score means.
    pub convention: ScoringConfig,
    /// The model the weights are for.
    pub model: ModelIdentity,
    /// The adapter, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<ModelIdentity>,
    /// First stage of a cascade, where there is one.
    #[serde(rename = "earlier", default, skip_serializing_if = "Option::is_none")]
    pub cascade: Option<CascadePolicy>,
    /// What it was tuned on.
    pub tuned_on: TunedOn,
}

/// The lists a policy was tuned on, so that they are not reported on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedOn {
    /// WER of the first pass on them, in percent.
    pub first_pass_wer: f64,
    /// WER with these weights on them, in percent.
    pub rescored_wer: f64,
    /// [`content_hash`](crate::fusion::content_hash) of every list.
    pub hashes: Vec<String>,
}

impl Policy {
    /// A policy in the current version.
    pub fn new(
        normalize: Normalization,
        fusion: Fusion,
        convention: ScoringConfig,
        model: ModelIdentity,
        adapter: Option<ModelIdentity>,
        tuned_on: TunedOn,
    ) -> Self {
        let (decision, confidence) = (None, None);
        Self {
            version: VERSION,
            normalize,
            unit: Unit::Word,
            fusion,
            decision,
            confidence,
            convention,
            model,
            adapter,
            cascade: None,
            tuned_on,
        }
    }

    /// Counts in another unit than words.
    #[must_use]
    pub fn with_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// What was compared when it was tuned.
    pub fn metric(&self) -> Metric {
        Metric { normalize: self.normalize, unit: self.unit }
    }

    /// The same with a decision and its confidences.
    #[must_use]
    pub fn with_decision(self, decision: Decision, confidence: Option<Confidence>) -> Self {
        Self { decision: Some(decision), confidence, ..self }
    }

    /// This policy as the first stage of a cascade: everything that it adds stays, all lists go on.
    pub fn first_stage(&self) -> CascadePolicy {
        let Self { fusion, convention, model, adapter, .. } = self.clone();
        CascadePolicy { share: 1.0, threshold: None, fusion, convention, model, adapter }
    }

    /// Puts another rescorer before this policy's.
    #[must_use]
    pub fn behind(self, cascade: Option<CascadePolicy>) -> Self {
        Self { cascade, ..self }
    }

    /// Reads a policy from its file.
    ///
    /// # Errors
    /// A file that can't be read, unknown or missing keys (with the line), another version, weights that
    /// are not finite.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let fail = |reason: String| Error::Policy { path: path.into(), reason };
        let text =
            std::fs::read_to_string(path).map_err(|e| fail(format!("{e}; give a file that `tune` wrote")))?;
        let policy: Self = toml::from_str(&text).map_err(|e| fail(e.to_string()))?;
        if policy.version != VERSION {
            return Err(fail(format!(
                "the file is of version {}, and this program reads version {VERSION}; update the program, or tune again",
                policy.version
            )));
        }
        let of_fusion = |Fusion { lm_weight, length_bonus, margin }| [lm_weight, length_bonus, margin];
        let mut numbers = of_fusion(policy.fusion).to_vec();
        if let Some(Decision { scale, mbr_margin, merge_margin, .. }) = policy.decision {
            numbers.extend([scale, mbr_margin, merge_margin]);
        }
        numbers.extend(policy.confidence.iter().flat_map(Confidence::numbers));
        if let Some(first) = &policy.cascade {
            numbers.extend(of_fusion(first.fusion));
            numbers.extend([first.share, first.threshold.unwrap_or_default()]);
        }
        if !numbers.into_iter().all(f64::is_finite) {
            return Err(fail("a weight is not a finite number; tune again".into()));
        }
        Ok(policy)
    }

    /// Writes a policy to its file, which appears when all is written.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let fail = |reason: String| Error::Policy { path: path.into(), reason };
        let text = self.to_toml()?;
        let mut file = rescorer_nbest::OutputFile::create(path).map_err(|error| fail(error.to_string()))?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| fail(error.to_string()))?;
        file.commit().map_err(|error| fail(error.to_string()))
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never for a policy of this library; the serialiser's reason else.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string_pretty(self)
            .map_err(|e| Error::Policy { path: "(new policy)".into(), reason: e.to_string() })
    }

    /// Checks that the policy is for this model.
    ///
    /// # Errors
    /// [`Error::OtherModel`].
    pub fn check_model(&self, model: &ModelIdentity) -> Result<(), Error> {
        self.model.check_model(model)
    }

    /// Checks that a unit that was asked for is the policy's: its length bonus and its confidences are per unit.
    ///
    /// # Errors
    /// [`Error::OtherUnit`].
    pub fn check_unit(&self, unit: Unit) -> Result<(), Error> {
        if self.unit == unit {
            return Ok(());
        }
        Err(Error::OtherUnit { tuned: self.unit, given: unit })
    }

    /// Checks that the policy is for this adapter, or for none.
    ///
    /// # Errors
    /// [`Error::OtherAdapter`].
    pub fn check_adapter(&self, adapter: Option<&ModelIdentity>) -> Result<(), Error> {
        ModelIdentity::check_adapter(self.adapter.as_ref(), adapter)
    }

    /// The hashes of the lists it was tuned on.
    pub fn seen(&self) -> HashSet<&str> {
        self.tuned_on.hashes.iter().map(String::as_str).collect()
    }
}
