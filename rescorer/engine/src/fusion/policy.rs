use std::collections::HashSet;
use std::path::Path;

use rescorer_perturb::{Metric, Normalization, Unit};
use serde::{Deserialize, Serialize};

use crate::answer::confidence::Confidence;
use crate::answer::rule::Decision;
use crate::error::Error;
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::policy_file::{PolicyFile, VERSION};
use crate::fusion::search_slack::SearchSlack;
use crate::fusion::tuned_on::TunedOn;
use crate::fusion::weighting::Weighting;
use crate::routing::calibration::GainCalibration;
use crate::scoring::config::ScoringConfig;

/// Decisions that were tuned together: weights, conventions, the model they are for and the lists they saw.
///
/// Written as TOML by [`Policy::to_toml`], read by [`Policy::read`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PolicyFile", into = "PolicyFile")]
pub struct Policy {
    /// Normalisation of texts before words are compared.
    pub normalize: Normalization,
    /// What errors, confidences and the length bonus count; policies of before have none, and count words.
    pub unit: Unit,
    /// Weights and gate.
    pub weighting: Weighting,
    /// How the answer is made from fused scores; policies of before have none, and the maximum answers.
    pub decision: Option<Decision>,
    /// How sure answers are.
    pub confidence: Option<Confidence>,
    /// What a language-model score means.
    pub convention: ScoringConfig,
    /// The model the weights are for.
    pub model: ModelIdentity,
    /// The adapter, where there was one.
    pub adapter: Option<ModelIdentity>,
    /// First stage of a cascade, where there is one.
    pub cascade: Option<CascadePolicy>,
    /// How much the adapter gains on its own lists, by which others are routed to it or not.
    pub routing: Option<GainCalibration>,
    /// How many answers differ if the search looks at less.
    pub search: SearchSlack,
    /// What it was tuned on.
    pub tuned_on: TunedOn,
}

/// Of a file whatever its version.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Policy {
    /// A policy in the current version.
    pub fn new(
        normalize: Normalization,
        weighting: impl Into<Weighting>,
        convention: ScoringConfig,
        model: ModelIdentity,
        adapter: Option<ModelIdentity>,
        tuned_on: TunedOn,
    ) -> Self {
        let (decision, confidence) = (None, None);
        Self {
            normalize,
            unit: Unit::Word,
            weighting: weighting.into(),
            decision,
            confidence,
            convention,
            model,
            adapter,
            cascade: None,
            routing: None,
            search: SearchSlack::default(),
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

    /// Answers by a decision, with its confidences.
    #[must_use]
    pub fn with_decision(self, decision: Decision, confidence: Option<Confidence>) -> Self {
        Self { decision: Some(decision), confidence, ..self }
    }

    /// This policy as the first stage of a cascade: everything that it adds stays, all lists go on. `None` where it weighs features: a
    /// first stage adds to the scores of the first pass.
    pub fn first_stage(&self) -> Option<CascadePolicy> {
        let Self { weighting, convention, model, adapter, .. } = self.clone();
        let fusion = *weighting.classic()?;
        Some(CascadePolicy { share: 1.0, threshold: None, fusion, convention, model, adapter })
    }

    /// Puts another rescorer before this policy's.
    #[must_use]
    pub fn behind(self, cascade: Option<CascadePolicy>) -> Self {
        Self { cascade, ..self }
    }

    /// Adds what the adapter gains on its own lists, by which lists are routed.
    #[must_use]
    pub fn with_routing(self, routing: Option<GainCalibration>) -> Self {
        Self { routing, ..self }
    }

    /// Adds how many answers differ if the search looks at less.
    #[must_use]
    pub fn with_search(self, search: SearchSlack) -> Self {
        Self { search, ..self }
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
        Self::of_toml(&text).map_err(fail)
    }

    /// The policy in a file's text, or the reason why it is none.
    pub(crate) fn of_toml(text: &str) -> Result<Self, String> {
        // A later version may have other keys.
        if let Ok(Versioned { version }) = toml::from_str(text)
            && version > VERSION
        {
            return Err(format!(
                "the file is of version {version}, and this program reads versions up to {VERSION}; update the program, \
                 or tune again"
            ));
        }
        toml::from_str(text).map_err(|e| e.to_string())
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
        if let (Weighting::Features(_), Some(_)) = (&weighting, &file.cascade) {
            return Err("features behind a first stage; tune the cascade with classic fusion".to_owned());
        }
        if file.routing.is_some_and(|routing| routing.deviation <= 0.0) {
            return Err("the deviation under [routing] is not above 0; tune again".to_owned());
        }
        let PolicyFile { normalize, unit, decision, confidence, convention, model, adapter, .. } = file;
        let (cascade, routing, search, tuned_on) = (file.cascade, file.routing, file.search, file.tuned_on);
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
            routing,
            search,
            tuned_on,
        })
    }
}

impl From<Policy> for PolicyFile {
    fn from(policy: Policy) -> Self {
        let Policy { normalize, unit, weighting, decision, confidence, convention, model, adapter, .. } =
            policy;
        let (cascade, routing, search, tuned_on) =
            (policy.cascade, policy.routing, policy.search, policy.tuned_on);
        let (fusion, features) = match weighting {
            Weighting::Classic(fusion) => (Some(fusion), None),
            Weighting::Features(features) => (None, Some(features)),
        };
        let version = PolicyFile::first_version(routing.as_ref(), !search.is_empty(), features.is_some());
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
            routing,
            search,
            tuned_on,
        }
    }
}
