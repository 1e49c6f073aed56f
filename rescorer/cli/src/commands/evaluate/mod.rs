mod choice;
mod routed;
mod rows;

use std::collections::{BTreeMap, HashSet};
use std::io::Write;

use anyhow::bail;
use maud::{Markup, PreEscaped, html};
use rescorer::evaluation::{ConfidenceReport, Evaluation, Reliability, RuleReport, compare_rules};
use rescorer::fusion::{FusionKind, ScoredAnswer, ScoredReference, content_hash, most_folds};
use rescorer::scoring::{Need, ScoringStats};
use rescorer::{RescorerBuilder, TuneOptions};
use rescorer_perturb::ErrorCounts;
use serde::Serialize;

use self::choice::{Choice, default_policy_wer, given_weighting};
use self::routed::Routed;
use self::rows::write_rows;
use super::tune::judge;
use crate::judge_args::EvaluateArgs;
use crate::lists::{self, Skipped};
use crate::model;
use crate::policy_arg::PolicyArg;
use crate::routing;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};
use crate::view::{self, Grid};

/// Folds of the cross-validation that stands in for weights.
const FOLDS: usize = 5;

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decisions: Option<Vec<RuleReport>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<ConfidenceReport>,
    /// Rate of the default policy, beside one that was tuned near it.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_policy_wer: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// Lists by the adapter that they were routed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    routed: Option<BTreeMap<String, usize>>,
    left_out: usize,
    skipped: usize,
    hypotheses_per_second: f64,
    listed_hypotheses_per_second: f64,
    nodes_per_second: f64,
    device: &'a str,
    adapter_name: Option<&'a str>,
    model: &'a str,
    precision: String,
    seconds: f64,
}

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
    let utterances = lists::in_context(utterances, args.scoring.context.as_deref());
    let file = args.policy.as_ref().and_then(PolicyArg::file);
    let policy = file.map(|path| model::policy(path, &args.scoring.convention)).transpose()?;
    if let (Some(policy), Some(unit)) = (&policy, args.unit) {
        policy.check_unit(unit)?;
    }
    let rows = args.rows.as_deref().map(Sink::file).transpose()?;
    let page = args.html.as_deref().map(Sink::file).transpose()?;
    let builder = match (&args.policy, routes) {
        (_, true) => routed::builder(&args, status)?,
        (Some(policy), _) => model::decide(unrouted(&args, status)?, policy, &args.scoring.convention)?,
        (None, _) => unrouted(&args, status)?.scoring(args.scoring.convention.convention()),
    };
    let rescorer = model::build(builder, &args.scoring.model, status)?;
    let device = rescorer.model().device().description().to_string();
    let precision = rescorer.model().device().precision();
    let normalize = args.normalize.or(policy.as_ref().map(|policy| policy.normalize)).unwrap_or_default();
    let unit = policy.as_ref().map(|policy| policy.unit).or(args.unit).unwrap_or_default();
    let scorer = rescorer.scorer().clone().with_unit(unit);
    let adapter = scorer.adapter_identity();
    let mut skipped = Skipped::new(&args.lists.select, status);
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
    let given = given_weighting(&args, policy.as_ref());
    let need = given.as_ref().map_or(Need::Answers, |(weighting, _, _)| Need::of(weighting));
    let fusion = match &given {
        Some((weighting, _, _)) if weighting.features().is_none() || need == Need::Nothing => {
            FusionKind::Classic
        }
        Some(_) => FusionKind::Features,
        None => args.fusion,
    };
    if fusion == FusionKind::Features && !routes {
        scorer.config().check_features()?;
    }
    let options = TuneOptions { normalize, unit, fusion, ..TuneOptions::default() };
    let (judged, stats, routed) = if routes {
        let Routed { judged, stats, choice, tally } =
            Routed::judge(&rescorer, utterances, options.metric(), &mut skipped, status)?;
        tally.say(stats.routing_nodes, status);
        (judged, stats, Some((choice, tally.into_routed())))
    } else {
        let (judged, stats) = judge(&scorer, need, utterances, &args.lists, &options, &mut skipped, status)?;
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
    let evaluation = Evaluation::new(&judged, &answers, args.seed)?;
    if let Some(file) = rows {
        write_rows(file, &judged, &answers)?;
    }
    let compare = choice.confidences.is_some() && args.decision.is_none();
    let compare = compare.then(|| compare_rules(&judged, &choice.tuned, args.seed)).transpose()?;
    let report = Report {
        evaluation: &evaluation,
        decision: choice.tuned.first().map_or("", |(_, decision)| decision.rule.name()),
        decisions: compare,
        confidence: choice
            .confidences
            .as_deref()
            .map(|confidences| ConfidenceReport::new(&answers, confidences)),
        default_policy_wer: args
            .cross_validate
            .filter(|_| args.fusion == FusionKind::Features)
            .and_then(|_| default_policy_wer(&judged)),
        policy: rescorer.policy().filter(|_| args.policy.is_some()).map(str::to_owned),
        routed,
        left_out,
        skipped: skipped.count(),
        hypotheses_per_second: stats.per_second(stats.hypotheses),
        listed_hypotheses_per_second: stats.per_second(stats.listed),
        nodes_per_second: stats.per_second(stats.nodes),
        device: &device,
        adapter_name: adapter.as_ref().map(|adapter| adapter.name.as_str()),
        model: &args.scoring.model.model,
        precision: precision.to_string(),
        seconds: stats.time.as_secs_f64(),
    };
    let mut out = Sink::open(None)?;
    if args.scoring.common.json {
        write_json(&mut out, &report)?;
    } else {
        for (id, grid) in changes(&judged, &answers, |_, _| true).take(args.show) {
            view::write(&mut out, id, &grid)?;
        }
        print(&mut out, &report, &stats)?;
    }
    out.finish()?;
    if let Some(mut file) = page {
        let names: Vec<String> = args.lists.lists.iter().map(|path| path.display().to_string()).collect();
        let body = page_body(&report, &stats, &judged, &answers)?;
        file.write_all(view::document(&format!("Rescored: {}", names.join(", ")), &body).as_bytes())?;
        file.finish()?;
    }
    skipped.outcome(judged.len())
}

/// Begins a rescorer that takes adapters as lists name them.
fn unrouted(args: &EvaluateArgs, status: Status) -> anyhow::Result<RescorerBuilder> {
    Ok(model::first_stage(model::builder(&args.scoring.model, status)?, &args.scoring))
}

/// The lists that an answer made better or worse, and of these the wanted ones, by errors before and after: their ids, and first
/// pass and answer below the reference.
fn changes<'a>(
    judged: &'a [ScoredReference],
    answers: &'a [ScoredAnswer],
    wanted: impl Fn(usize, usize) -> bool,
) -> impl Iterator<Item = (&'a str, Grid<'a>)> {
    judged.iter().zip(answers).filter_map(move |(list, answer)| {
        let (before, after) = (list.errors[0], answer.errors.errors);
        let texts = [("first pass", list.texts[0].as_str()), ("rescored", answer.text(&list.texts))];
        (before != after && wanted(before, after))
            .then(|| (list.id.as_str(), Grid::new(list.metric.unit, &list.reference, &texts)))
    })
}

fn page_body(
    report: &Report<'_>,
    stats: &ScoringStats,
    judged: &[ScoredReference],
    answers: &[ScoredAnswer],
) -> anyhow::Result<Markup> {
    let mut text = Vec::new();
    print(&mut text, report, stats)?;
    let mut plots = Vec::new();
    if let Some(confidence) = &report.confidence {
        for (name, found) in
            [(report.evaluation.unit.plural(), &confidence.word), ("lists", &confidence.sentence)]
        {
            let Some(found) = found else { continue };
            let caption = format!("{name}: calibration error {:.3}", found.ece);
            plots.push(view::reliability(&caption, found)?);
        }
    }
    Ok(html! {
        pre { (String::from_utf8_lossy(&text)) }
        @if !plots.is_empty() {
            h2 { "Reliability of confidences" }
            div.plots { @for plot in &plots { (PreEscaped(plot)) } }
        }
        (view::alignments("Worse than the first pass", changes(judged, answers, |before, after| after > before)))
        (view::alignments("Better", changes(judged, answers, |before, after| after < before)))
    })
}

/// The relative reduction with its interval.
fn werr(evaluation: &Evaluation) -> String {
    let Some(werr) = evaluation.werr else {
        return format!("{:>8}   the first pass has no errors to reduce; ", "undefined");
    };
    let interval = evaluation.werr_ci95.map(|[low, high]| format!("95% [{low:.2}, {high:.2}], "));
    format!("{werr:>8.2}   {}", interval.unwrap_or_default())
}

fn print(out: &mut impl Write, report: &Report<'_>, stats: &ScoringStats) -> anyhow::Result<()> {
    let evaluation = report.evaluation;
    let [low, high] = evaluation.ci95;
    let [before, after] = evaluation.sentence_error_rate;
    let difference = &evaluation.difference;
    writeln!(out, "lists                {:>8}", evaluation.utterances)?;
    let (rate, units) = (evaluation.unit.rate(), format!("reference {}", evaluation.unit.plural()));
    writeln!(out, "{units:20} {:>8}", evaluation.reference_words)?;
    writeln!(out, "{rate} first pass     % {:>8.2}", evaluation.first_pass_wer)?;
    writeln!(out, "{rate} rescored       % {:>8.2}   95% [{low:.2}, {high:.2}]", evaluation.rescored_wer)?;
    if let Some(default) = report.default_policy_wer {
        writeln!(out, "{rate} default policy % {default:>8.2}")?;
    }
    writeln!(out, "{rate} oracle         % {:>8.2}", evaluation.oracle_wer)?;
    writeln!(out, "{rate}R               % {}p = {:.3}, paired bootstrap", werr(evaluation), difference.p)?;
    for (name, counts) in
        [("first pass", &evaluation.first_pass_counts), ("rescored", &evaluation.rescored_counts)]
    {
        let ErrorCounts { substitutions, deletions, insertions, .. } = counts;
        writeln!(out, "{name:10} S/D/I    {substitutions:>5}/{deletions}/{insertions}   sclite's alignment")?;
    }
    writeln!(out, "sentence errors    % {before:>8.2} -> {after:.2}")?;
    writeln!(
        out,
        "changed            % {:>8.2}   {} better, {} worse",
        100.0 * evaluation.changed,
        evaluation.better,
        evaluation.worse
    )?;
    if let Some(found) = &evaluation.sclite {
        let number = |rate: Option<f64>| rate.map_or_else(|| "undefined".into(), |rate| format!("{rate:.2}"));
        writeln!(
            out,
            "{rate} by sclite's marks  {:>5} -> {}, oracle {}: {} references have {{ a / b }} or (uh)",
            number(found.first_pass_wer),
            number(found.rescored_wer),
            number(found.oracle_wer),
            found.marked
        )?;
    }
    for rule in report.decisions.iter().flatten() {
        let [low, high] = rule.ci95;
        writeln!(
            out,
            "{rate} by {:11} % {:>8.2}   95% [{low:.2}, {high:.2}], {:+.2} to maximum, p = {:.3}",
            rule.rule.name(),
            rule.wer,
            rule.versus_maximum.difference,
            rule.versus_maximum.p
        )?;
    }
    if let Some(confidence) = &report.confidence {
        for (name, reliability) in
            [(evaluation.unit.plural(), &confidence.word), ("lists", &confidence.sentence)]
        {
            let Some(found) = reliability else { continue };
            let Reliability { confidence, accuracy, ece, ece_by_chance, .. } = found;
            writeln!(
                out,
                "confidence of {name}    {confidence:>5.3}   {accuracy:.3} are correct, calibration error {ece:.3} ({ece_by_chance:.3} by chance)"
            )?;
        }
        if let Some(wer) = confidence.estimated_wer {
            writeln!(out, "{rate} estimated      % {wer:>8.2}   from confidences alone")?;
        }
    }
    writeln!(
        out,
        "speed         hyps/s {:>8.1}   {} distinct of {} listed, {:.0} nodes/s, {:.1} s on {}",
        report.hypotheses_per_second,
        stats.hypotheses,
        stats.listed,
        report.nodes_per_second,
        report.seconds,
        report.device
    )?;
    Ok(())
}
