mod choice;
mod report;
mod routed;
mod rows;

use std::collections::{BTreeMap, HashSet};

use anyhow::bail;
use rescorer::evaluation::Evaluation;
use rescorer::fusion::{FusionKind, ScoredAnswer, ScoredReference, content_hash, most_folds};
use rescorer::scoring::{Need, ScoringStats};
use rescorer::{Policy, Rescorer, RescorerBuilder, TuneOptions};

use self::choice::{Choice, Given, given_weighting};
use self::report::{Answered, Counts, Report};
use self::routed::Routed;
use self::rows::write_rows;
use super::tune::judge;
use crate::judge_args::EvaluateArgs;
use crate::lists::{self, Skipped};
use crate::model;
use crate::policy_arg::PolicyArg;
use crate::read_item::ReadItem;
use crate::routing;
use crate::sink::Sink;
use crate::status::{Outcome, Status};

/// Folds of the cross-validation that stands in for weights.
const FOLDS: usize = 5;

pub fn run(mut args: EvaluateArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.scoring.common.quiet);
    let routes = routing::is_asked_for(&args.scoring.model);
    let is_unweighted =
        !routes && args.policy.is_none() && args.cross_validate.is_none() && args.weights.lm_weight.is_none();
    if is_unweighted {
        status.say(format_args!("no weights given: cross-validating with {FOLDS} folds"));
        args.cross_validate = Some(FOLDS);
    }
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let utterances = lists::in_context(utterances, &args.scoring);
    let rows = args.rows.as_deref().map(Sink::file).transpose()?;
    let page = args.html.as_deref().map(Sink::file).transpose()?;
    let (rescorer, policy) = rescorer(&args, routes, status)?;
    let mut skipped = Skipped::new(&args.lists.select, status);
    let Scored { judged, stats, routed, left_out, given } =
        score(&args, &rescorer, policy.as_ref(), routes, utterances, &mut skipped, status)?;
    if is_unweighted {
        let folds = most_folds(&judged, FOLDS);
        if (2..FOLDS).contains(&folds) {
            status.warn(format_args!(
                "too few different references for {FOLDS} folds; cross-validating with {folds}"
            ));
            args.cross_validate = Some(folds);
        }
    }
    let (choice, routed) = match routed {
        Some((choice, routed)) => (choice, Some(routed)),
        None => (Choice::new(&args, given, &judged)?, None),
    };
    let answers: Vec<ScoredAnswer> = judged
        .iter()
        .zip(&choice.tuned)
        .map(|(list, (weighting, decision))| list.answer(weighting, decision))
        .collect();
    if let Some(file) = rows {
        write_rows(file, &judged, &answers)?;
    }
    let evaluation = Evaluation::new(&judged, &answers, args.seed)?;
    let counts = Counts { stats, routed, left_out, skipped: skipped.count() };
    let answered = Answered { judged: &judged, answers: &answers };
    Report::new(&args, &rescorer, &evaluation, &choice, answered, counts)?.write(&args, answered, page)?;
    skipped.outcome(judged.len())
}

/// The rescorer that is evaluated, and the policy that was given as a file.
fn rescorer(args: &EvaluateArgs, routes: bool, status: Status) -> anyhow::Result<(Rescorer, Option<Policy>)> {
    let file = args.policy.as_ref().and_then(PolicyArg::file);
    let policy = file.map(|path| model::policy(path, &args.scoring.convention)).transpose()?;
    if let (Some(policy), Some(unit)) = (&policy, args.unit) {
        policy.check_unit(unit)?;
    }
    let builder = match (&args.policy, routes) {
        (_, true) => routed::builder(args, status)?,
        (Some(policy), _) => model::decide(unrouted(args, status)?, policy, &args.scoring.convention)?,
        (None, _) => unrouted(args, status)?.scoring(args.scoring.convention.convention()),
    };
    Ok((model::build(builder, &args.scoring.model, status)?, policy))
}

/// Lists with their scores and errors.
struct Scored {
    judged: Vec<ScoredReference>,
    stats: ScoringStats,
    /// What answers lists that were routed, and how many went where.
    routed: Option<(Choice, BTreeMap<String, usize>)>,
    /// Lists that a policy was tuned on.
    left_out: usize,
    /// Weights that were given.
    given: Option<Given>,
}

/// Scores all lists but those that a policy was tuned on.
fn score(
    args: &EvaluateArgs,
    rescorer: &Rescorer,
    policy: Option<&Policy>,
    routes: bool,
    utterances: impl Iterator<Item = ReadItem>,
    skipped: &mut Skipped,
    status: Status,
) -> anyhow::Result<Scored> {
    let mut seen: HashSet<String> = policy.iter().flat_map(|policy| policy.tuned_on.hashes.clone()).collect();
    if routes {
        seen.extend(routing::seen(model::adapter_folders(&args.scoring.model))?);
    }
    let mut left_out = 0usize;
    let utterances = utterances.filter(|item| {
        let is_seen = item.as_ref().is_ok_and(|item| seen.contains(content_hash(item).as_str()));
        left_out += usize::from(is_seen);
        !is_seen
    });
    let normalize = args.normalize.or(policy.map(|policy| policy.normalize)).unwrap_or_default();
    let unit = policy.map(|policy| policy.unit).or(args.unit).unwrap_or_default();
    let given = given_weighting(args, policy);
    let need = given.as_ref().map_or(Need::Answers, |(weighting, _, _)| Need::of(weighting));
    let fusion = match &given {
        Some((weighting, _, _)) if weighting.features().is_none() || need == Need::Nothing => {
            FusionKind::Classic
        }
        Some(_) => FusionKind::Features,
        None => args.fusion,
    };
    let options = TuneOptions { normalize, unit, fusion, ..TuneOptions::default() };
    let (judged, stats, routed) = if routes {
        let Routed { judged, stats, choice, tally } =
            Routed::judge(rescorer, utterances, options.metric(), skipped, status)?;
        (judged, stats, Some((choice, tally.into_routed())))
    } else {
        let scorer = rescorer.scorer().clone().with_unit(unit);
        if fusion == FusionKind::Features {
            scorer.config().check_features()?;
        }
        let utterances =
            utterances.map(|item| item.and_then(|list| model::with_terms(rescorer, fusion, list)));
        let (judged, stats) = judge(&scorer, need, utterances, &args.lists, &options, skipped, status)?;
        (judged, stats, None)
    };
    if left_out > 0 && judged.is_empty() {
        bail!(
            "the policy was tuned on all {left_out} lists; evaluate other lists, or use --cross-validate in place of --policy"
        );
    }
    if left_out > 0 {
        status.warn(format_args!("{left_out} lists left out: the policy was tuned on them"));
    }
    Ok(Scored { judged, stats, routed, left_out, given })
}

/// Begins a rescorer that takes adapters as lists name them.
fn unrouted(args: &EvaluateArgs, status: Status) -> anyhow::Result<RescorerBuilder> {
    let builder = model::first_stage(model::builder(&args.scoring.model, status)?, &args.scoring);
    Ok(model::with_vocabulary(builder, &args.scoring))
}
