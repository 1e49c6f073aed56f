//! What decides about the lists that are evaluated.

use anyhow::bail;
use rescorer::fusion::{
    Confidence, Decision, DefaultPolicy, FeatureFusion, FusionKind, ScoredReference, Weighting,
    cross_validate, cross_validate_decision, cross_validate_features,
};
use rescorer::scoring::SecondPass;
use rescorer::{Fusion, Policy};

use crate::judge_args::EvaluateArgs;
use crate::policy_arg::PolicyArg;

/// The ways to give weights.
const WEIGHTS: &str = "give --policy FILE from `tune`, --cross-validate K or --lm-weight W";

/// What answers every list.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) tuned: Vec<(Weighting, Decision)>,
    /// Where they were tuned.
    pub(super) confidences: Option<Vec<Confidence>>,
}

/// WER with the policy in the program, in percent.
pub(super) fn default_policy_wer(judged: &[ScoredReference]) -> Option<f64> {
    let weighting = DefaultPolicy::shipped().features.clone().into();
    let errors: usize = judged.iter().map(|list| list.rescored(&weighting).errors).sum();
    let words: usize = judged.iter().map(|list| list.reference_words).sum();
    (words > 0).then(|| 100.0 * errors as f64 / words as f64)
}

/// Weights that are given, with what belongs to them.
pub(super) type Given = (Weighting, Option<Decision>, Option<Confidence>);

/// The weights of a policy, or those given by hand; `None` where they are to be tuned.
pub(super) fn given_weighting(args: &EvaluateArgs, policy: Option<&Policy>) -> Option<Given> {
    let by_hand = |fusion: Fusion| (Weighting::Classic(fusion), None, None);
    match &args.policy {
        Some(PolicyArg::File(_)) => {
            policy.map(|policy| (policy.weighting.clone(), policy.decision, policy.confidence))
        }
        Some(PolicyArg::Default) => {
            let shipped = DefaultPolicy::shipped();
            Some((shipped.features.clone().into(), Some(shipped.decision), shipped.confidence))
        }
        Some(PolicyArg::None) => Some((FeatureFusion::new([]).into(), Some(Decision::default()), None)),
        None => args.weights.fusion().map(by_hand),
    }
}

impl Choice {
    /// Has a second pass answer the next list. Confidences are there where all have them.
    pub(super) fn push(&mut self, pass: &SecondPass) {
        let before = self.confidences.take();
        let before = if self.tuned.is_empty() { Some(Vec::new()) } else { before };
        self.confidences = before.zip(pass.confidence()).map(|(mut all, own)| {
            all.push(*own);
            all
        });
        self.tuned.push((pass.weighting().clone(), *pass.decision()));
    }

    pub(super) fn new(
        args: &EvaluateArgs,
        given: Option<Given>,
        judged: &[ScoredReference],
    ) -> anyhow::Result<Self> {
        if let Some(folds) = args.cross_validate {
            let (seed, rule) = (args.seed, args.decision.unwrap_or_default());
            let weightings: Vec<Weighting> = match args.fusion {
                FusionKind::Features => {
                    cross_validate_features(judged, &DefaultPolicy::shipped().features, folds, seed)?
                }
                FusionKind::Classic => {
                    cross_validate(judged, folds, seed)?.into_iter().map(Weighting::Classic).collect()
                }
            };
            let decisions = cross_validate_decision(judged, &weightings, rule, folds, seed)?;
            let confidences = decisions.iter().map(|(_, confidence)| *confidence).collect();
            let decisions = decisions.into_iter().map(|(decision, _)| decision);
            return Ok(Self { tuned: weightings.into_iter().zip(decisions).collect(), confidences });
        }
        let Some((weighting, decision, confidence)) = given else {
            bail!("no weights: {WEIGHTS}");
        };
        let Some(decision) = Decision::by_rule(decision, args.decision) else {
            bail!(
                "--decision {}: no numbers for it; give a --policy that this version of `tune` wrote",
                args.decision.unwrap_or_default()
            );
        };
        let of_all = |confidence| vec![confidence; judged.len()];
        Ok(Self { tuned: vec![(weighting, decision); judged.len()], confidences: confidence.map(of_all) })
    }
}
