//! The policy beside what was trained.

use rescorer::fusion::{Found, FusionKind, Metric, ModelIdentity, TunedPolicy};
use rescorer::train::{Recipe, Trainer};
use rescorer::{Error, Policy, TuneOptions};

/// What the policy weighs: features, unless classic weights were asked for or scores are means, which features can't weigh.
///
/// # Errors
/// Features were asked for, and scores are means.
pub fn fusion(asked: Option<FusionKind>, recipe: &Recipe) -> Result<FusionKind, Error> {
    match asked {
        Some(FusionKind::Features) => recipe.convention.check_features().map(|()| FusionKind::Features),
        None if recipe.convention.mean => Ok(FusionKind::Classic),
        asked => Ok(asked.unwrap_or_default()),
    }
}

/// The policy that `tune` would find on the dev lists with what was trained; `None` without dev lists. `seen` are the lists that were
/// trained on.
///
/// # Errors
/// As scoring.
pub fn tuned(
    trainer: &mut Trainer,
    fusion: FusionKind,
    model: ModelIdentity,
    adapter: Option<ModelIdentity>,
    mut seen: Vec<String>,
) -> Result<Option<Policy>, Error> {
    let Some((report, judged)) = trainer.final_look()? else { return Ok(None) };
    let Metric { normalize, unit } = trainer.recipe().data.metric();
    let options = TuneOptions { normalize, unit, fusion, ..TuneOptions::default() };
    let TunedPolicy { mut policy, found } = options.policy(&judged, trainer.scorer(), &model.name, None)?;
    (policy.model, policy.adapter) = (model, adapter);
    policy.routing = trainer.gain()?;
    if let Found::Classic(_) = found {
        // The rate of a look is cross-validated, that of the search is not.
        policy.tuned_on.rescored_wer = report.rescored_wer;
    }
    policy.tuned_on.hashes.append(&mut seen);
    policy.tuned_on.hashes.sort();
    policy.tuned_on.hashes.dedup();
    Ok(Some(policy))
}
