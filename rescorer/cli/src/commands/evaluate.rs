use std::io::Write;

use anyhow::bail;
use rescorer::{Evaluation, Fusion, JudgedList, Policy, ScoringStats, content_hash, cross_validate};
use rescorer_perturb::ErrorCounts;
use serde::Serialize;

use super::show::Texts;
use super::tune::judge;
use crate::args::EvaluateArgs;
use crate::lists::{self, Skipped};
use crate::model;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

/// The ways to give weights.
const WEIGHTS: &str = "give --policy FILE, which `tune` writes, --cross-validate K or --lm-weight W";

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    evaluation: &'a Evaluation,
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

pub fn run(args: EvaluateArgs) -> anyhow::Result<Outcome> {
    if args.policy.is_none() && args.cross_validate.is_none() && args.weights.lm_weight.is_none() {
        bail!("no weights: {WEIGHTS}");
    }
    let status = Status::new(args.scoring.common.quiet);
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let policy =
        args.policy.as_deref().map(|path| model::policy(path, &args.scoring.convention)).transpose()?;
    let rows = args.rows.as_deref().map(Sink::file).transpose()?;
    let model = model::load(&args.scoring.model, status)?;
    let device = model.model.device().description().to_string();
    let precision = model.model.device().precision();
    let adapter = model.adapter.clone();
    if let Some(policy) = &policy {
        model.check(policy)?;
    }
    let convention =
        policy.as_ref().map_or_else(|| args.scoring.convention.convention(), |policy| policy.convention);
    let normalize = args.normalize.or(policy.as_ref().map(|policy| policy.normalize)).unwrap_or_default();
    let scorer = model.scorer(convention)?;
    let mut skipped = Skipped::new(&args.lists.select, status);
    let mut texts = Texts::new(args.show);
    let seen = policy.as_ref().map(Policy::seen).unwrap_or_default();
    let mut left_out = 0usize;
    let utterances = utterances
        .filter(|item| {
            let is_seen = item.as_ref().is_ok_and(|item| seen.contains(content_hash(item).as_str()));
            left_out += usize::from(is_seen);
            !is_seen
        })
        .inspect(|item| texts.keep(item));
    let (judged, stats) = judge(&scorer, utterances, &args.lists, normalize, &mut skipped, status)?;
    if left_out > 0 && judged.is_empty() {
        bail!("the policy was tuned on all {left_out} lists; evaluate on others, or use --cross-validate");
    }
    if left_out > 0 {
        status.warn(format_args!("{left_out} lists left out: the policy was tuned on them"));
    }
    let fusions = choose(&args, policy.as_ref(), &judged)?;
    let evaluation = Evaluation::new(&judged, &fusions, args.scoring.model.seed)?;
    if let Some(file) = rows {
        write_rows(file, &judged, &fusions)?;
    }
    let report = Report {
        evaluation: &evaluation,
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
        texts.show(&mut out, &judged, &fusions)?;
        print(&mut out, &report, &stats)?;
    }
    out.finish()?;
    skipped.outcome(judged.len())
}

fn choose(
    args: &EvaluateArgs,
    policy: Option<&Policy>,
    judged: &[JudgedList],
) -> anyhow::Result<Vec<Fusion>> {
    if let Some(folds) = args.cross_validate {
        return Ok(cross_validate(judged, folds, args.scoring.model.seed)?);
    }
    match policy.map(|policy| policy.fusion).or(args.weights.fusion()) {
        Some(fusion) => Ok(vec![fusion; judged.len()]),
        None => bail!("no weights: {WEIGHTS}"),
    }
}

#[derive(Serialize)]
struct UtteranceRow<'a> {
    utterance: &'a str,
    reference_words: usize,
    first_pass_errors: usize,
    rescored_errors: usize,
    oracle_errors: usize,
    changed: bool,
}

fn write_rows(mut file: Sink, judged: &[JudgedList], fusions: &[Fusion]) -> anyhow::Result<()> {
    for (list, fusion) in judged.iter().zip(fusions) {
        let row = UtteranceRow {
            utterance: &list.id,
            reference_words: list.reference_words,
            first_pass_errors: list.first_pass().errors,
            rescored_errors: list.rescored(fusion).errors,
            oracle_errors: list.oracle().errors,
            changed: fusion.winner(&list.candidates) != 0,
        };
        write_json(&mut file, &row)?;
    }
    file.finish()
}

fn print(out: &mut Sink, report: &Report<'_>, stats: &ScoringStats) -> anyhow::Result<()> {
    let evaluation = report.evaluation;
    let [low, high] = evaluation.ci95;
    let [before, after] = evaluation.sentence_error_rate;
    let difference = &evaluation.difference;
    writeln!(out, "lists                {:>8}", evaluation.utterances)?;
    writeln!(out, "reference words      {:>8}", evaluation.reference_words)?;
    writeln!(out, "WER first pass     % {:>8.2}", evaluation.first_pass_wer)?;
    writeln!(out, "WER rescored       % {:>8.2}   95% [{low:.2}, {high:.2}]", evaluation.rescored_wer)?;
    writeln!(out, "WER oracle         % {:>8.2}", evaluation.oracle_wer)?;
    writeln!(
        out,
        "WERR               % {:>8.2}   p = {:.3}, paired bootstrap",
        evaluation.werr, difference.p
    )?;
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
