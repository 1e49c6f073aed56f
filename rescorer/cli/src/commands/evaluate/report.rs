//! What `evaluate` says of a policy.

use std::collections::BTreeMap;
use std::io::Write;

use maud::{Markup, PreEscaped, html};
use rescorer::Rescorer;
use rescorer::evaluation::{ConfidenceReport, Evaluation, Reliability, RuleReport, compare_rules};
use rescorer::fusion::{FusionKind, ScoredAnswer, ScoredReference};
use rescorer::scoring::ScoringStats;
use rescorer_perturb::ErrorCounts;
use serde::Serialize;

use super::choice::{Choice, default_policy_wer};
use crate::judge_args::EvaluateArgs;
use crate::sink::{Sink, write_json};
use crate::view::{self, Grid};

#[derive(Serialize)]
pub(super) struct Report<'a> {
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
    device: String,
    adapter_name: Option<String>,
    model: &'a str,
    precision: String,
    seconds: f64,
    #[serde(skip)]
    stats: ScoringStats,
}

/// How many lists, and what they cost.
pub(super) struct Counts {
    pub(super) stats: ScoringStats,
    pub(super) routed: Option<BTreeMap<String, usize>>,
    pub(super) left_out: usize,
    pub(super) skipped: usize,
}

/// Lists and their answers.
#[derive(Clone, Copy)]
pub(super) struct Answered<'a> {
    pub(super) judged: &'a [ScoredReference],
    pub(super) answers: &'a [ScoredAnswer],
}

impl<'a> Report<'a> {
    pub(super) fn new(
        args: &'a EvaluateArgs,
        rescorer: &Rescorer,
        evaluation: &'a Evaluation,
        choice: &Choice,
        Answered { judged, answers }: Answered<'_>,
        counts: Counts,
    ) -> anyhow::Result<Self> {
        let Counts { stats, routed, left_out, skipped } = counts;
        let compare = choice.confidences.is_some() && args.decision.is_none();
        let decisions = compare.then(|| compare_rules(judged, &choice.tuned, args.seed)).transpose()?;
        let confidences = choice.confidences.as_deref();
        let is_near_default = args.cross_validate.is_some() && args.fusion == FusionKind::Features;
        let device = rescorer.model().device();
        Ok(Self {
            evaluation,
            decision: choice.tuned.first().map_or("", |(_, decision)| decision.rule.name()),
            decisions,
            confidence: confidences.map(|confidences| ConfidenceReport::new(answers, confidences)),
            default_policy_wer: if is_near_default { default_policy_wer(judged) } else { None },
            policy: rescorer.policy().filter(|_| args.policy.is_some()).map(str::to_owned),
            routed,
            left_out,
            skipped,
            hypotheses_per_second: stats.per_second(stats.hypotheses),
            listed_hypotheses_per_second: stats.per_second(stats.listed),
            nodes_per_second: stats.per_second(stats.nodes),
            device: device.description().to_string(),
            adapter_name: rescorer.scorer().adapter_identity().map(|adapter| adapter.name),
            model: &args.scoring.model.model,
            precision: device.precision().to_string(),
            seconds: stats.time.as_secs_f64(),
            stats,
        })
    }

    /// Writes it to standard output, and as a page where that was asked for.
    pub(super) fn write(
        &self,
        args: &EvaluateArgs,
        answered: Answered<'_>,
        page: Option<Sink>,
    ) -> anyhow::Result<()> {
        let mut out = Sink::open(None)?;
        if args.scoring.common.json {
            write_json(&mut out, self)?;
        } else {
            for (id, grid) in answered.changes(|_, _| true).take(args.show) {
                view::write(&mut out, id, &grid)?;
            }
            self.print(&mut out)?;
        }
        out.finish()?;
        if let Some(mut file) = page {
            let names: Vec<String> = args.lists.lists.iter().map(|path| path.display().to_string()).collect();
            let title = format!("Rescored: {}", names.join(", "));
            file.write_all(view::document(&title, &self.page_body(answered)?).as_bytes())?;
            file.finish()?;
        }
        Ok(())
    }

    fn page_body(&self, answered: Answered<'_>) -> anyhow::Result<Markup> {
        let mut text = Vec::new();
        self.print(&mut text)?;
        let mut plots = Vec::new();
        if let Some(confidence) = &self.confidence {
            for (name, found) in
                [(self.evaluation.unit.plural(), &confidence.word), ("lists", &confidence.sentence)]
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
            (view::alignments("Worse than the first pass", answered.changes(|before, after| after > before)))
            (view::alignments("Better", answered.changes(|before, after| after < before)))
        })
    }

    fn print(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let evaluation = self.evaluation;
        let [low, high] = evaluation.ci95;
        let [before, after] = evaluation.sentence_error_rate;
        let difference = &evaluation.difference;
        writeln!(out, "lists                {:>8}", evaluation.utterances)?;
        let (rate, units) = (evaluation.unit.rate(), format!("reference {}", evaluation.unit.plural()));
        writeln!(out, "{units:20} {:>8}", evaluation.reference_words)?;
        writeln!(out, "{rate} first pass     % {:>8.2}", evaluation.first_pass_wer)?;
        writeln!(
            out,
            "{rate} rescored       % {:>8.2}   95% [{low:.2}, {high:.2}]",
            evaluation.rescored_wer
        )?;
        if let Some(default) = self.default_policy_wer {
            writeln!(out, "{rate} default policy % {default:>8.2}")?;
        }
        writeln!(out, "{rate} oracle         % {:>8.2}", evaluation.oracle_wer)?;
        writeln!(
            out,
            "{rate}R               % {}p = {:.3}, paired bootstrap",
            werr(evaluation),
            difference.p
        )?;
        for (name, counts) in
            [("first pass", &evaluation.first_pass_counts), ("rescored", &evaluation.rescored_counts)]
        {
            let ErrorCounts { substitutions, deletions, insertions, .. } = counts;
            writeln!(
                out,
                "{name:10} S/D/I    {substitutions:>5}/{deletions}/{insertions}   sclite's alignment"
            )?;
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
            let number =
                |rate: Option<f64>| rate.map_or_else(|| "undefined".into(), |rate| format!("{rate:.2}"));
            writeln!(
                out,
                "{rate} by sclite's marks  {:>5} -> {}, oracle {}: {} references have {{ a / b }} or (uh)",
                number(found.first_pass_wer),
                number(found.rescored_wer),
                number(found.oracle_wer),
                found.marked
            )?;
        }
        for rule in self.decisions.iter().flatten() {
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
        if let Some(confidence) = &self.confidence {
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
            self.hypotheses_per_second,
            self.stats.hypotheses,
            self.stats.listed,
            self.nodes_per_second,
            self.seconds,
            self.device
        )?;
        Ok(())
    }
}

impl<'a> Answered<'a> {
    /// The lists that an answer made better or worse, and of these the wanted ones, by errors before and after: their ids, and first
    /// pass and answer below the reference.
    fn changes(self, wanted: impl Fn(usize, usize) -> bool) -> impl Iterator<Item = (&'a str, Grid<'a>)> {
        self.judged.iter().zip(self.answers).filter_map(move |(list, answer)| {
            let (before, after) = (list.errors[0], answer.errors.errors);
            let texts = [("first pass", list.texts[0].as_str()), ("rescored", answer.text(&list.texts))];
            (before != after && wanted(before, after))
                .then(|| (list.id.as_str(), Grid::new(list.metric.unit, &list.reference, &texts)))
        })
    }
}

/// The relative reduction with its interval.
fn werr(evaluation: &Evaluation) -> String {
    let Some(werr) = evaluation.werr else {
        return format!("{:>8}   the first pass has no errors to reduce; ", "undefined");
    };
    let interval = evaluation.werr_ci95.map(|[low, high]| format!("95% [{low:.2}, {high:.2}], "));
    format!("{werr:>8.2}   {}", interval.unwrap_or_default())
}
