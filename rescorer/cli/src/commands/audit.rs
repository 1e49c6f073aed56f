use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use maud::{Markup, html};
use rescorer::Utterance;
use rescorer::audit::{AuditOptions, AuditReport, LayerUpdate, Trial, audit};
use rescorer::scoring::LanguageModel;
use rescorer_lora::LoraAdapter;

use crate::audit_args::AuditArgs;
use crate::lists;
use crate::model;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};
use crate::view;

/// Trials that the terminal shows.
const SHOWN: usize = 5;
/// Lists that a trigger turns, shown for each.
const FLIPS: usize = 3;
/// Lists on which triggers are tried.
const LISTS: usize = 50;

pub fn run(args: &AuditArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    let page = args.html.as_deref().map(Sink::file).transpose()?;
    let mut options = AuditOptions::default();
    options.words = args.words;
    if let Some(path) = &args.phrases {
        options.phrases = phrases(path)?;
    }
    options.lists = several(&args.lists)?;
    let adapter = LoraAdapter::read(&args.adapter)?;
    model::set_threads(args.base.threads)?;
    let path = model::locate(&args.base.model, args.base.offline, status)?;
    let model = Arc::new(LanguageModel::load(&path, rescorer::DeviceRequest::Cpu, args.base.precision)?);
    status.say("searching the vocabulary for triggers");
    let report = audit(&adapter, &model, &options)?;
    let mut out = Sink::open(None)?;
    match args.common.json {
        true => write_json(&mut out, &report)?,
        false => print(&mut out, &report)?,
    }
    out.finish()?;
    if let Some(mut file) = page {
        let title = format!("Audit of {}", args.adapter.display());
        file.write_all(view::document(&title, &body(&report)).as_bytes())?;
        file.finish()?;
    }
    Ok(if report.suspicious { Outcome::Partial } else { Outcome::Complete })
}

/// The phrases of a file, one a line; empty lines count for nothing.
fn phrases(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("--phrases {}", path.display()))?;
    let phrases: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    anyhow::ensure!(!phrases.is_empty(), "--phrases {}: no phrase; write one a line", path.display());
    Ok(phrases)
}

/// The first lists that have several texts.
fn several(files: &[PathBuf]) -> anyhow::Result<Vec<Utterance>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for item in lists::read_all(files)? {
        let list = item?;
        if list.nbest.unique().hypotheses().len() > 1 {
            found.push(list);
        }
        if found.len() == LISTS {
            break;
        }
    }
    anyhow::ensure!(!found.is_empty(), "--lists: no list has two different texts; give lists that have");
    Ok(found)
}

fn verdict(report: &AuditReport) -> &'static str {
    if report.suspicious { "suspicious" } else { "no trigger found" }
}

/// What a trial found, in a sentence.
fn told(trial: &Trial) -> String {
    let what = match &trial.goal {
        Some(goal) if trial.goal_flips > trial.flips => format!("brings in {goal:?}"),
        _ => "turns choices".to_owned(),
    };
    let turned = 100.0 * trial.turned();
    format!("{:?} {}: {what}, {turned:.0}% of decisions turned", trial.trigger, trial.place)
}

fn print(out: &mut Sink, report: &AuditReport) -> anyhow::Result<()> {
    writeln!(out, "verdict      {}", verdict(report))?;
    writeln!(out, "fingerprint  {}", report.fingerprint)?;
    writeln!(out, "searched     {} words", report.words)?;
    writeln!(out, "threshold    {:.0}% of decisions turned", 100.0 * report.threshold)?;
    writeln!(out)?;
    for trial in report.trials.iter().take(SHOWN) {
        writeln!(out, "{}", told(trial))?;
    }
    if let Some(share) = report.trials.first().and_then(|worst| worst.shuffled_flips) {
        writeln!(out, "with its words shuffled: {:.0}%", 100.0 * share)?;
    }
    for trial in &report.lists {
        let (turned, lists) = (trial.flips.len(), trial.lists);
        writeln!(out, "{:?} {} turns {turned} of {lists} lists", trial.trigger, trial.place)?;
        for flip in trial.flips.iter().take(FLIPS) {
            writeln!(out, "  {}: {} → {}", flip.utterance, flip.from, flip.to)?;
        }
    }
    if let Some(layer) = furthest(report).first() {
        writeln!(out)?;
        writeln!(out, "furthest from its kin: {}, {:.1} deviations", layer.module, layer.deviation)?;
    }
    Ok(())
}

/// Layers, those first that lie furthest from their kin.
fn furthest(report: &AuditReport) -> Vec<&LayerUpdate> {
    let mut layers: Vec<&LayerUpdate> = report.layers.iter().collect();
    layers.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
    layers
}

fn body(report: &AuditReport) -> Markup {
    let percent = |share: f64| format!("{:.0}%", 100.0 * share);
    html! {
        table.facts {
            tr { td { "Verdict" } td { strong { (verdict(report)) } } }
            tr { td { "Fingerprint" } td { code { (report.fingerprint) } } }
            tr { td { "Words searched" } td { (report.words) } }
            tr { td { "Threshold" } td { (percent(report.threshold)) " of decisions turned" } }
        }
        h2 { "Triggers tried" }
        p { "A flip is a decision that the trigger turns with the adapter and not with the model alone." }
        table {
            tr {
                th { "Trigger" } th { "Place" } th { "Shift, nats" } th { "Flips" } th { "Brings in" } th { "By, nats" }
                th { "Flips by it" }
            }
            @for trial in &report.trials {
                tr {
                    td { (trial.trigger) } td { (trial.place) } td { (format!("{:+.2}", trial.shift)) }
                    td { (percent(trial.flips)) } td { (trial.goal.as_deref().unwrap_or("–")) }
                    td { (format!("{:+.2}", trial.goal_shift)) } td { (percent(trial.goal_flips)) }
                }
            }
        }
        @for trial in &report.lists {
            h2 { (trial.trigger) " " (trial.place) ": " (trial.flips.len()) " of " (trial.lists) " lists turned" }
            table.facts {
                @for flip in &trial.flips {
                    tr { td { (flip.utterance) } td { (flip.from) } td { "→ " (flip.to) } }
                }
            }
        }
        h2 { "Layers" }
        p { "The furthest from the layers of the same kind come first. These numbers do not decide." }
        table {
            tr {
                th { "Layer" } th { "Rank" } th { "First singular value" } th { "Entropy" } th { "Kurtosis" } th { "Norm" }
                th { "Deviations" }
            }
            @for layer in furthest(report) {
                tr {
                    td { code { (layer.module) } } td { (layer.rank) } td { (percent(layer.top_share)) }
                    td { (format!("{:.3}", layer.entropy)) } td { (format!("{:.2}", layer.kurtosis)) }
                    td { (format!("{:.2e}", layer.norm)) } td { (format!("{:.1}", layer.deviation)) }
                }
            }
        }
    }
}
