use std::io::Write;

use anyhow::{Context, bail};
use rescorer::fusion::{
    DefaultPolicy, Feature, FeatureTuned, Found, FusionKind, GainCalibration, RoutedList, ScoredReference,
    Tuned, TunedPolicy, WordWeights, tune_cascade,
};
use rescorer::scoring::{Need, Scorer, ScoringStats};
use rescorer::{Policy, TuneOptions, Unit};
use serde::Serialize;

use crate::args::ListArgs;
use crate::judge_args::TuneArgs;
use crate::lists::{self, Skipped};
use crate::model;
use crate::read_item::ReadItem;
use crate::reference_warnings::References;
use crate::routing;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

#[derive(Serialize)]
struct Report<'a> {
    policy: &'a Policy,
    #[serde(flatten)]
    found: &'a Found,
}

pub fn run(args: TuneArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.scoring.common.quiet);
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let utterances = lists::in_context(utterances, &args.scoring);
    routing::refuse(&args.scoring.model, "tune")?;
    let mut file = Sink::file(&args.output)?;
    let first_stage = args.cascade.as_deref().map(Policy::read).transpose()?;
    if first_stage.as_ref().is_some_and(|policy| policy.cascade.is_some()) {
        bail!("--cascade: its policy is a cascade already; only two rescorers can be combined");
    }
    if let Some(policy) = &first_stage {
        policy.check_unit(args.unit).context("--cascade")?;
    } else {
        model::no_first_stage(&args.scoring)?;
    }
    let builder = model::builder(&args.scoring.model, status)?
        .scoring(args.scoring.convention.convention())
        .unit(args.unit);
    let builder = model::with_vocabulary(builder, &args.scoring);
    let rescorer = model::build(builder, &args.scoring.model, status)?;
    // What either of the two was tuned on is not to be reported on.
    let seen = first_stage.as_ref().map(|policy| policy.tuned_on.hashes.clone()).unwrap_or_default();
    let first_stage = match &first_stage {
        Some(policy) => Some(policy.first_stage().context(
            "--cascade: its policy weighs features; tune it again with --fusion classic, since a first stage adds to first-pass scores",
        )?),
        None => None,
    };
    let mut scorer = rescorer.scorer().clone();
    if let Some(policy) = &first_stage {
        scorer = scorer.behind(model::load_first_stage(&args.scoring, policy, status)?);
    }
    let mut skipped = Skipped::new(&args.lists.select, status);
    // A cascade is classic.
    let fusion = if first_stage.is_some() { FusionKind::Classic } else { args.fusion };
    let options = TuneOptions { normalize: args.normalize, unit: args.unit, rule: args.decision, fusion };
    if fusion == FusionKind::Features {
        scorer.config().check_features()?;
    }
    let utterances = utterances.map(|item| item.and_then(|list| model::with_terms(&rescorer, fusion, list)));
    // A list of one text has one answer under all weights.
    let need = Need::Answers;
    let mut routed = Vec::new();
    let utterances = utterances.inspect(|item| routed.extend(item.as_ref().ok().and_then(RoutedList::of)));
    let (judged, _) = judge(&scorer, need, utterances, &args.lists, &options, &mut skipped, status)?;
    let (cascade, judged) = match first_stage {
        Some(policy) => {
            let (policy, judged) = tune_cascade(&judged, policy, args.cascade_rate)?;
            (Some(policy), judged)
        }
        None => (None, judged),
    };
    let TunedPolicy { mut policy, found } =
        options.policy(&judged, &scorer, &args.scoring.model.model, cascade)?;
    policy.routing = GainCalibration::measure(&scorer, routed)?;
    policy.tuned_on.hashes.extend(seen);
    policy.tuned_on.hashes.sort();
    policy.tuned_on.hashes.dedup();
    file.write_all(policy.to_toml()?.as_bytes())?;
    file.finish()?;
    let mut out = Sink::open(None)?;
    if args.scoring.common.json {
        write_json(&mut out, &Report { policy: &policy, found: &found })?;
    } else {
        print(&mut out, &found, judged.len(), args.unit)?;
        writeln!(out, "policy: {}", args.output.display())?;
    }
    out.finish()?;
    skipped.outcome(judged.len())
}

/// Scores lists as far as it is needed, and counts the errors of their hypotheses; says what is wrong with their references.
pub fn judge(
    scorer: &Scorer,
    need: Need,
    utterances: impl Iterator<Item = ReadItem>,
    args: &ListArgs,
    options: &TuneOptions,
    skipped: &mut Skipped,
    status: Status,
) -> anyhow::Result<(Vec<ScoredReference>, ScoringStats)> {
    let mut judged = Vec::new();
    let mut references = References::new(options.metric());
    let bar = status.counter();
    let mut stream = scorer.score_stream_as(need, utterances, lists::is_interactive(&args.lists));
    for scored in stream.by_ref() {
        let Some((utterance, scores)) = skipped.pass(scored)? else { continue };
        references.add(&utterance);
        judged.extend(skipped.pass(options.judge(&utterance, &scores))?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    references.warn(status);
    if judged.is_empty() {
        skipped.outcome(0)?;
    }
    Ok((judged, stream.stats()))
}

fn print(out: &mut Sink, found: &Found, lists: usize, unit: Unit) -> anyhow::Result<()> {
    match found {
        Found::Classic(tuned) => print_classic(out, tuned, lists, unit),
        Found::Features(tuned) => print_features(out, tuned, lists, unit),
    }
}

/// Learned words that are shown.
const SHOWN_WORDS: usize = 10;

/// Lists below which a policy is mostly the default one.
const FEW_LISTS: usize = 20;

fn print_features(out: &mut Sink, tuned: &FeatureTuned, lists: usize, unit: Unit) -> anyhow::Result<()> {
    writeln!(out, "{:>8}  feature", "weight")?;
    for feature in Feature::ALL.into_iter().filter(|feature| *feature != Feature::LearnedWords) {
        let weight = tuned.features.weight(feature);
        if weight != 0.0 {
            writeln!(out, "{weight:>8.3}  {feature}")?;
        }
    }
    print_words(out, tuned.features.words())?;
    if tuned.features == DefaultPolicy::shipped().features {
        return Ok(writeln!(
            out,
            "{lists} lists, none of which can be held out, since they have one reference in all: the weights are those of the \
             default policy"
        )?);
    }
    let FeatureTuned { first_pass_wer, rescored_wer, confidence, .. } = tuned;
    writeln!(
        out,
        "{lists} lists, held out in turn: {} {first_pass_wer:.2} -> {rescored_wer:.2}, not worse than the first pass \
         with {:.1} % confidence",
        unit.rate(),
        100.0 * confidence
    )?;
    if lists < FEW_LISTS {
        writeln!(out, "{lists} lists are few: the policy stays near the default one")?;
    }
    Ok(())
}

/// Words with the largest weights.
fn print_words(out: &mut Sink, words: &WordWeights) -> anyhow::Result<()> {
    let mut by_size: Vec<(&str, f64)> = words.iter().collect();
    by_size.sort_by(|(_, one), (_, other)| other.abs().total_cmp(&one.abs()));
    for (word, weight) in by_size.iter().take(SHOWN_WORDS) {
        writeln!(out, "{weight:>8.3}  word \"{word}\"")?;
    }
    match by_size.len().saturating_sub(SHOWN_WORDS) {
        0 => Ok(()),
        more => Ok(writeln!(out, "          and {more} more words")?),
    }
}

fn print_classic(out: &mut Sink, tuned: &Tuned, lists: usize, unit: Unit) -> anyhow::Result<()> {
    let step = tuned.curve.len().div_ceil(16);
    writeln!(
        out,
        "{:>10} {:>12} {:>8} {:>7}",
        "lm_weight",
        "length_bonus",
        "margin",
        format!("{} %", unit.rate())
    )?;
    for point in tuned.curve.iter().step_by(step) {
        let fusion = point.fusion;
        writeln!(
            out,
            "{:>10.4} {:>12.4} {:>8.4} {:>7.2}",
            fusion.lm_weight, fusion.length_bonus, fusion.margin, point.wer
        )?;
    }
    let fusion = tuned.fusion;
    writeln!(
        out,
        "best on {lists} lists: lm_weight {:.4}, length_bonus {:.4}, margin {:.4}: {} {:.2} -> {:.2}",
        fusion.lm_weight,
        fusion.length_bonus,
        fusion.margin,
        unit.rate(),
        tuned.first_pass_wer,
        tuned.rescored_wer
    )?;
    Ok(())
}
