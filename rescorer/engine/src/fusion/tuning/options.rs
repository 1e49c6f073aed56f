//! Tuning as one call.

use rescorer_nbest::Utterance;
use rescorer_perturb::{Metric, Normalization, Unit};
use serde::Serialize;

use crate::answer::confidence::Confidence;
use crate::answer::rule::{Decision, DecisionRule};
use crate::error::Error;
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::policy::Policy;
use crate::fusion::search_slack::SearchSlack;
use crate::fusion::shipped::DefaultPolicy;
use crate::fusion::tuned_on::TunedOn;
use crate::fusion::tuning::decision::tune_decision;
use crate::fusion::tuning::features::{FeatureTuned, tune_features};
use crate::fusion::tuning::fusion_kind::FusionKind;
use crate::fusion::tuning::grid::{Tuned, tune};
use crate::fusion::tuning::scored_answer::ScoredAnswer;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;
use crate::routing::calibration::GainCalibration;
use crate::routing::routed_list::RoutedList;
use crate::scoring::list::ListScores;
use crate::scoring::need::Need;
use crate::scoring::scorer::Scorer;

/// What is tuned for.
///
/// ```
/// use rescorer::{DecisionRule, Normalization, TuneOptions, Unit};
///
/// let options = TuneOptions { normalize: Normalization::Lower, unit: Unit::Character, ..TuneOptions::default() };
/// assert_eq!(options.rule, DecisionRule::Maximum);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TuneOptions {
    /// Normalisation before words are compared.
    pub normalize: Normalization,
    /// What errors, confidences and the length bonus count.
    pub unit: Unit,
    /// What the policy answers with. The numbers of all rules are tuned.
    pub rule: DecisionRule,
    /// What is fitted. A cascade takes the classic numbers whatever is said here.
    pub fusion: FusionKind,
}

/// A policy, and what was found on the way to it.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedPolicy {
    /// The policy.
    pub policy: Policy,
    /// How its weights were found.
    pub found: Found,
}

/// How weights were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Found {
    /// Among all that were tried.
    Classic(Tuned),
    /// Near those of the default policy.
    Features(FeatureTuned),
}

impl Found {
    /// The weights.
    pub fn weighting(&self) -> Weighting {
        match self {
            Self::Classic(tuned) => tuned.fusion.into(),
            Self::Features(tuned) => tuned.features.clone().into(),
        }
    }

    /// WER of the first pass, and with the weights, in percent.
    pub fn error_rates(&self) -> (f64, f64) {
        match self {
            Self::Classic(tuned) => (tuned.first_pass_wer, tuned.rescored_wer),
            Self::Features(tuned) => (tuned.first_pass_wer, tuned.rescored_wer),
        }
    }
}

impl TuneOptions {
    /// What errors are counted in, and after what normalisation.
    pub fn metric(&self) -> Metric {
        Metric { normalize: self.normalize, unit: self.unit }
    }

    /// Scores lists and finds the policy; `None` where `goes_on` says so before a list.
    pub(crate) fn tune(
        &self,
        scorer: &Scorer,
        model: &str,
        lists: Vec<&Utterance>,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Policy>, Error> {
        if self.fusion == FusionKind::Features {
            // Before anything is scored.
            scorer.config().check_features()?;
        }
        let scorer = scorer.clone().with_unit(self.unit);
        let going = lists.iter().take_while(|_| goes_on());
        let cloned = going.map(|&list| Ok::<_, Error>(list.clone()));
        // A list of one text has one answer under all weights.
        let judged = scorer.score_stream_as(Need::Answers, cloned, false).map(|scored| {
            let (utterance, scores) = scored?;
            self.judge(&utterance, &scores)
        });
        let judged: Vec<ScoredReference> = judged.collect::<Result<_, _>>()?;
        if !goes_on() {
            return Ok(None);
        }
        let policy = self.policy(&judged, &scorer, model, None)?.policy;
        let routing = GainCalibration::measure(&scorer, lists.into_iter().filter_map(RoutedList::of))?;
        Ok(Some(policy.with_routing(routing)))
    }

    /// A scored list with its errors, and with features where weights of those are fitted.
    ///
    /// # Errors
    /// [`Error::NoReference`].
    pub fn judge(&self, utterance: &Utterance, scores: &ListScores) -> Result<ScoredReference, Error> {
        match self.fusion {
            FusionKind::Features => ScoredReference::new(utterance, scores, self.metric()),
            FusionKind::Classic => ScoredReference::without_features(utterance, scores, self.metric()),
        }
    }

    /// Finds the policy on scored lists: weights, the numbers of all rules, and confidences. `model` is its name in the policy.
    ///
    /// # Errors
    /// As [`tune`].
    pub fn policy(
        &self,
        judged: &[ScoredReference],
        scorer: &Scorer,
        model: &str,
        cascade: Option<CascadePolicy>,
    ) -> Result<TunedPolicy, Error> {
        let found = match self.fusion {
            FusionKind::Features if cascade.is_none() => {
                Found::Features(tune_features(judged, &DefaultPolicy::shipped().features)?)
            }
            _ => Found::Classic(tune(judged)?),
        };
        let weighting = found.weighting();
        scorer.config().check(&weighting)?;
        let (decision, confidence) = self.decision(judged, &weighting);
        let (first_pass_wer, rescored_wer) = found.error_rates();
        let mut hashes: Vec<String> = judged.iter().map(|list| list.hash.clone()).collect();
        hashes.sort();
        hashes.dedup();
        let tuned_on = TunedOn { first_pass_wer, rescored_wer, hashes };
        let identity =
            ModelIdentity { name: model.to_owned(), fingerprint: scorer.model().fingerprint().to_owned() };
        let adapter = scorer.adapter_identity();
        let config = *scorer.config();
        // Other scorers score their lists whole.
        let search = match scorer.list_scorer().capabilities().prefixes {
            true => SearchSlack::fit(judged, &weighting, config.mean),
            false => SearchSlack::default(),
        };
        let policy = Policy::new(self.normalize, weighting, config, identity, adapter, tuned_on)
            .with_unit(self.unit)
            .with_decision(decision, confidence)
            .with_search(search)
            .behind(cascade);
        Ok(TunedPolicy { policy, found })
    }

    /// The numbers of the rules, and the confidences that go with weights, all from the same lists; no confidences where no answer
    /// has a word.
    pub fn decision(
        &self,
        judged: &[ScoredReference],
        weighting: &Weighting,
    ) -> (Decision, Option<Confidence>) {
        let decision = Decision { rule: self.rule, ..tune_decision(judged, weighting) };
        let answers: Vec<ScoredAnswer> =
            judged.iter().map(|list| list.answer(weighting, &decision)).collect();
        (decision, Confidence::fit(&answers))
    }
}
