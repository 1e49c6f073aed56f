use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::{Context, bail};
use maud::{Markup, html};
use rescorer::Normalization;
use rescorer::fusion::Metric;
use rescorer_perturb::{
    Alignment, DRAWS, ErrorCounts, ErrorReport, Mapsswe, PairedBootstrap, Unit, UtteranceErrors, align,
    group_numbers, mapsswe, paired_bootstrap,
};
use serde::{Deserialize, Serialize};

use crate::judge_args::CompareArgs;
use crate::reference_warnings::References;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};
use crate::view::{self, Grid};

/// What is needed of a line of `rescore --json`.
#[derive(Deserialize)]
struct Answer {
    utterance: String,
    text: String,
    reference: Option<String>,
}

#[derive(Serialize)]
struct System {
    wer: f64,
    errors: usize,
    #[serde(flatten)]
    counts: ErrorCounts,
    sentence_error_rate: f64,
}

#[derive(Serialize)]
struct Report {
    utterances: usize,
    unit: Unit,
    reference_words: usize,
    first: System,
    second: System,
    /// Utterances in which the second has fewer, and more errors.
    better: usize,
    worse: usize,
    paired_bootstrap: PairedBootstrap,
    mapsswe: Mapsswe,
}

pub fn run(args: CompareArgs) -> anyhow::Result<Outcome> {
    let first = read(&args.first)?;
    let second = read(&args.second)?;
    let pairs = pair(first, second, &args)?;
    let page = args.html.as_deref().map(Sink::file).transpose()?;
    let mut reports = [ErrorReport::new(args.metric.unit), ErrorReport::new(args.metric.unit)];
    let mut rows: [Vec<UtteranceErrors>; 2] = Default::default();
    let mut alignments: [Vec<Alignment>; 2] = Default::default();
    for Pair { reference, texts, .. } in &pairs {
        let reference = args.metric.unit.split(reference);
        for (system, text) in texts.iter().enumerate() {
            let text = args.metric.unit.split(text);
            rows[system].push(reports[system].add(&reference, &text));
            alignments[system].push(align(&reference, &text));
        }
    }
    let groups = group_numbers(pairs.iter().map(|pair| pair.reference.as_str()));
    let report = Report {
        utterances: pairs.len(),
        unit: args.metric.unit,
        reference_words: reports[0].wer.reference_words,
        first: system(&reports[0])?,
        second: system(&reports[1])?,
        better: rows[0].iter().zip(&rows[1]).filter(|(a, b)| b.errors < a.errors).count(),
        worse: rows[0].iter().zip(&rows[1]).filter(|(a, b)| b.errors > a.errors).count(),
        paired_bootstrap: paired_bootstrap(&rows[0], &rows[1], Some(&groups), DRAWS, args.seed)?,
        mapsswe: mapsswe(&alignments[0], &alignments[1])?,
    };
    let names = [args.first.display().to_string(), args.second.display().to_string()];
    let found = Found { unit: args.metric.unit, names: &names, pairs: &pairs, rows: &rows };
    let mut text = Vec::new();
    for (name, report) in names.iter().zip(&reports) {
        writeln!(text, "{name}: {report}")?;
    }
    print(&mut text, &report)?;
    let mut out = Sink::open(None)?;
    if args.common.json {
        write_json(&mut out, &report)?;
    } else {
        for (id, grid) in found.different(|first, second| first != second).take(args.show) {
            view::write(&mut out, id, &grid)?;
        }
        out.write_all(&text)?;
    }
    out.finish()?;
    if let Some(mut file) = page {
        let body = found.page_body(&String::from_utf8_lossy(&text));
        file.write_all(view::document(&format!("{} and {}", names[0], names[1]), &body).as_bytes())?;
        file.finish()?;
    }
    Ok(Outcome::Complete)
}

/// What two runs answered, and how many errors that made.
struct Found<'a> {
    unit: Unit,
    names: &'a [String; 2],
    pairs: &'a [Pair],
    rows: &'a [Vec<UtteranceErrors>; 2],
}

impl Found<'_> {
    /// The utterances that were answered differently, and of these the wanted ones, by the errors of both: their ids, and the
    /// answers below the reference.
    fn different(&self, wanted: impl Fn(usize, usize) -> bool) -> impl Iterator<Item = (&str, Grid<'_>)> {
        let [first, second] = self.rows;
        self.pairs.iter().zip(first.iter().zip(second)).filter_map(move |(pair, (first, second))| {
            let [one, other] = &pair.texts;
            let texts = [(self.names[0].as_str(), one.as_str()), (self.names[1].as_str(), other.as_str())];
            let differ =
                self.unit.split(one) != self.unit.split(other) && wanted(first.errors, second.errors);
            differ.then(|| (pair.id.as_str(), Grid::new(self.unit, &pair.reference, &texts)))
        })
    }

    fn page_body(&self, text: &str) -> Markup {
        html! {
            pre { (text) }
            (view::alignments("The second is worse", self.different(|first, second| second > first)))
            (view::alignments("The second is better", self.different(|first, second| second < first)))
            (view::alignments("Others, with as many errors", self.different(|first, second| first == second)))
        }
    }
}

fn system(report: &ErrorReport) -> anyhow::Result<System> {
    let wer = report.wer.percent().context("the references have no words; there is nothing to compare")?;
    let sentence_error_rate = report.wer.sentence_percent().unwrap_or(0.0);
    Ok(System { wer, errors: report.wer.errors, counts: report.counts, sentence_error_rate })
}

fn print(out: &mut impl Write, report: &Report) -> anyhow::Result<()> {
    let (bootstrap, mapsswe) = (&report.paired_bootstrap, &report.mapsswe);
    writeln!(
        out,
        "difference {:+.2} points of {}, 95% [{:+.2}, {:+.2}], p = {:.3} (paired bootstrap)",
        bootstrap.difference,
        report.unit.rate(),
        bootstrap.interval.low,
        bootstrap.interval.high,
        bootstrap.p
    )?;
    writeln!(out, "MAPSSWE over {} segments: z = {:.3}, p = {:.3}", mapsswe.segments, mapsswe.z, mapsswe.p)?;
    writeln!(out, "the second is better in {} utterances, worse in {}", report.better, report.worse)?;
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<Answer>> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("{name}: can't be opened; check the path"))?;
    let mut answers = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        let line = line.with_context(|| format!("{place}: can't be read"))?;
        let line = line.trim_start_matches('\u{feff}');
        if !line.trim().is_empty() {
            answers.push(
                serde_json::from_str(line)
                    .with_context(|| format!("{place}: not a line of `rescorer rescore --json`"))?,
            );
        }
    }
    if answers.is_empty() {
        bail!("{name} is empty; give an output of `rescorer rescore --json`");
    }
    Ok(answers)
}

struct Pair {
    id: String,
    reference: String,
    texts: [String; 2],
}

fn pair(first: Vec<Answer>, second: Vec<Answer>, args: &CompareArgs) -> anyhow::Result<Vec<Pair>> {
    let (a, b) = (args.first.display(), args.second.display());
    let count = second.len();
    let mut others: HashMap<String, Answer> =
        second.into_iter().map(|answer| (answer.utterance.clone(), answer)).collect();
    if others.len() != count {
        bail!("{b}: {} utterance ids appear twice; give the output of a single run", count - others.len());
    }
    let normalized = |kind: Normalization, text: &str| kind.apply(text).into_owned();
    let mut references = References::new(Metric { normalize: args.metric.normalize, unit: args.metric.unit });
    let mut pairs = Vec::with_capacity(first.len());
    for answer in first {
        let id = answer.utterance;
        let Some(other) = others.remove(&id) else {
            bail!(
                "utterance {id:?} is in {a} but not in {b}, or twice in {a}; compare runs over the same lists"
            );
        };
        let (Some(reference), Some(same)) = (answer.reference, other.reference) else {
            bail!("utterance {id:?} has no reference; rescore lists that have one");
        };
        if reference != same {
            bail!("utterance {id:?} has a different reference in {b}; compare runs over the same lists");
        }
        references.add_text(&id, &reference, &answer.text);
        pairs.push(Pair {
            reference: normalized(args.metric.normalize, &reference),
            texts: [
                normalized(args.metric.normalize, &answer.text),
                normalized(args.metric.normalize, &other.text),
            ],
            id,
        });
    }
    references.warn(Status::new(args.common.quiet));
    if let Some(id) = others.keys().next() {
        bail!(
            "{} utterances, such as {id:?}, are in {b} but not in {a}; compare runs over the same lists",
            others.len()
        );
    }
    Ok(pairs)
}
