use std::io::Write;

use anyhow::{Context, bail};
use rescorer::{
    Confidence, Decision, DecisionRule, EarlierPolicy, Fusion, JudgedAnswer, JudgedList, Metric, Need,
    Policy, Scorer, ScoringStats, Tuned, TunedOn, Unit, tune_decision, tune_earlier,
};
use serde::Serialize;

use crate::args::ListArgs;
use crate::judge_args::TuneArgs;
use crate::lists::{self, ReadItem, Skipped};
use crate::model;
use crate::reference_warnings::References;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

#[derive(Serialize)]
struct Report<'a> {
    policy: &'a Policy,
    #[serde(flatten)]
    tuned: &'a Tuned,
}

pub fn run(args: TuneArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.scoring.common.quiet);
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let utterances = lists::in_context(utterances, args.scoring.context.as_deref());
    let mut file = Sink::file(&args.output)?;
    let model = model::load(&args.scoring.model, status)?;
    let (identity, adapter) = (model.identity.clone(), model.adapter.clone());
    let earlier = args.cascade.as_deref().map(Policy::from_file).transpose()?;
    if earlier.as_ref().is_some_and(|policy| policy.earlier.is_some()) {
        bail!("--cascade: its policy asks another rescorer first; only two can be put behind each other");
    }
    if let Some(policy) = &earlier {
        policy.check_unit(args.unit).context("--cascade")?;
    }
    // What either of the two was tuned on is not to be reported on.
    let seen = earlier.as_ref().map(|policy| policy.tuned_on.hashes.clone()).unwrap_or_default();
    let earlier = earlier.as_ref().map(EarlierPolicy::of);
    let scorer = model.scorer(args.scoring.convention.convention())?.with_unit(args.unit);
    let scorer = model::after(scorer, &args.scoring, earlier.as_ref(), status)?;
    let mut skipped = Skipped::new(&args.lists.select, status);
    let metric = Metric { normalize: args.normalize, unit: args.unit };
    // A list of one text has one answer under all weights.
    let need = Need::Answers;
    let (judged, _) = judge(&scorer, need, utterances, &args.lists, metric, &mut skipped, status)?;
    let (earlier, judged) = match earlier {
        Some(policy) => {
            let (policy, judged) = tune_earlier(&judged, policy, args.cascade_rate)?;
            (Some(policy), judged)
        }
        None => (None, judged),
    };
    let tuned = rescorer::tune(&judged)?;
    let (decision, confidence) = decided(&judged, &tuned.fusion, args.decision);
    let mut hashes: Vec<String> = judged.iter().map(|list| list.hash.clone()).chain(seen).collect();
    hashes.sort();
    hashes.dedup();
    let tuned_on = TunedOn { first_pass_wer: tuned.first_pass_wer, rescored_wer: tuned.rescored_wer, hashes };
    let policy = Policy::new(args.normalize, tuned.fusion, *scorer.convention(), identity, adapter, tuned_on)
        .with_unit(args.unit)
        .with_decision(decision, confidence)
        .after(earlier);
    file.write_all(policy.to_toml()?.as_bytes())?;
    file.finish()?;
    let mut out = Sink::open(None)?;
    if args.scoring.common.json {
        write_json(&mut out, &Report { policy: &policy, tuned: &tuned })?;
    } else {
        print(&mut out, &tuned, judged.len(), args.unit)?;
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
    metric: Metric,
    skipped: &mut Skipped,
    status: Status,
) -> anyhow::Result<(Vec<JudgedList>, ScoringStats)> {
    let mut judged = Vec::new();
    let mut references = References::new(metric);
    let bar = status.counter();
    let mut stream = scorer.score_stream_as(need, utterances, lists::is_interactive(&args.lists));
    for scored in stream.by_ref() {
        let Some((utterance, scores)) = skipped.pass(scored)? else { continue };
        references.add(&utterance);
        judged.extend(skipped.pass(JudgedList::new(&utterance, &scores, metric))?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    references.warn(status);
    if judged.is_empty() {
        skipped.outcome(0)?;
    }
    Ok((judged, stream.stats()))
}

/// The decision and the confidences that go with weights, all from the same lists; no confidences where no answer has a word.
pub fn decided(judged: &[JudgedList], fusion: &Fusion, rule: DecisionRule) -> (Decision, Option<Confidence>) {
    let decision = Decision { rule, ..tune_decision(judged, fusion) };
    let answers: Vec<JudgedAnswer> = judged.iter().map(|list| list.answer(fusion, &decision)).collect();
    (decision, Confidence::fit(&answers))
}

fn print(out: &mut Sink, tuned: &Tuned, lists: usize, unit: Unit) -> anyhow::Result<()> {
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
