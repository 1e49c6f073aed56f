use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use rescorer::Utterance;
use rescorer_nbest::OutputFile;
use rescorer_perturb::{
    Confusion, ConfusionTable, Diagnostics, ErrorCounts, ErrorsReport, HomophoneOptions, Homophones, Lexicon,
    ListReport, Metric, Spread, Unit,
};

use crate::lists::{self, Skipped};
use crate::perturb_args::StatsArgs;
use crate::reference_warnings::References;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

pub fn run(args: StatsArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    let homophones = Homophones::new(Lexicon::english(), HomophoneOptions::default());
    let metric = Metric { normalize: args.metric.normalize, unit: args.metric.unit };
    if args.confusions.is_some() && !metric.unit.is_word() {
        bail!("--confusions: confusions are of words; leave --unit out");
    }
    let mut confusions = ConfusionTable::default();
    let mut diagnostics = Diagnostics::new(&homophones, metric);
    let mut references = References::new(metric);
    let mut skipped = Skipped::new(&args.lists.select, status);
    let mut done = 0;
    for utterance in lists::read(&args.lists.lists, &args.lists.select)? {
        let Some(utterance) = skipped.pass(utterance)? else { continue };
        diagnostics.add(&utterance);
        if args.confusions.is_some() {
            count_confusions(&mut confusions, &utterance, metric);
        }
        references.add(&utterance);
        done += 1;
    }
    let outcome = skipped.outcome(done)?;
    if done == 0 {
        bail!("the files hold no lists; give other files");
    }
    references.warn(status);
    if let Some(path) = &args.confusions {
        write_confusions(&confusions, path, status)?;
    }
    let report = diagnostics.report(args.top);
    let mut out = Sink::open(None)?;
    if args.common.json {
        write_json(&mut out, &report)?;
    } else {
        print(&mut out, &report)?;
    }
    out.finish()?;
    Ok(outcome)
}

/// Counts what every distinct hypothesis makes of the reference.
fn count_confusions(table: &mut ConfusionTable, utterance: &Utterance, metric: Metric) {
    let Some(reference) = &utterance.reference else { return };
    let reference = metric.normalize.apply(reference);
    for distinct in utterance.nbest.unique().hypotheses() {
        let text = metric.normalize.apply(&utterance.nbest.hypotheses()[distinct.position].text);
        table.add(&metric.unit.split(&reference), &metric.unit.split(&text));
    }
}

fn write_confusions(table: &ConfusionTable, path: &Path, status: Status) -> anyhow::Result<()> {
    if table.is_empty() {
        bail!("--confusions: no hypothesis differs from a reference; give lists with references and errors");
    }
    let mut file = OutputFile::create(path)?;
    file.write_all(table.to_tsv().as_bytes()).with_context(|| path.display().to_string())?;
    file.commit()?;
    status.say(format_args!("confusions: {} in {}", table.len(), path.display()));
    Ok(())
}

fn print(out: &mut Sink, report: &ListReport) -> anyhow::Result<()> {
    let spread = |spread: &Spread| {
        let Spread { min, median, mean, max } = spread;
        format!("{min} to {max}, median {median}, mean {mean:.2}")
    };
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    writeln!(out, "lists                    {}", report.utterances)?;
    writeln!(out, "hypotheses, listed       {}", spread(&report.listed))?;
    writeln!(out, "hypotheses, distinct     {}", spread(&report.distinct))?;
    writeln!(out, "lists of one hypothesis  {}", percent(report.single))?;
    writeln!(out, "{:24} {}", format!("{} of a hypothesis", report.unit.plural()), spread(&report.words))?;
    writeln!(out, "longest less shortest    {}", spread(&report.length_range))?;
    writeln!(
        out,
        "distance in a list       {} of the {}, mean over pairs",
        percent(report.pairwise_distance),
        report.unit.plural()
    )?;
    if report.unit.is_word() {
        writeln!(out, "rare words               {}", percent(report.rare_words))?;
    }
    let found = &report.differences;
    writeln!(
        out,
        "\nother hypotheses against the first-pass best: {}, {:.2} {} edits each",
        found.compared, found.edits, report.unit
    )?;
    for (name, share) in [
        ("capitals, punctuation", found.spelling),
        ("where words end", found.spacing),
        ("homophones", found.homophone),
        ("other words", found.substitution),
        ("more or fewer words", found.length),
        ("both", found.mixed),
    ] {
        writeln!(out, "  {name:<23}{:>6}", percent(share))?;
    }
    report.errors.as_ref().map_or(Ok(()), |errors| print_errors(out, errors, report.unit))
}

fn print_errors(out: &mut Sink, errors: &ErrorsReport, unit: Unit) -> anyhow::Result<()> {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let ErrorCounts { substitutions, deletions, insertions, .. } = errors.first_pass_counts;
    writeln!(
        out,
        "\nfirst pass               {} {:.2}% of {} {}: {substitutions} substitutions, {deletions} deletions, {insertions} insertions",
        unit.rate(),
        errors.first_pass_wer,
        errors.reference_words,
        unit.plural()
    )?;
    let oracle: Vec<String> = errors.oracle.iter().map(|at| format!("{:.2} ({})", at.wer, at.n)).collect();
    writeln!(out, "oracle of the first (N)  {}", oracle.join(", "))?;
    writeln!(out, "errors that another hypothesis avoids  {}", percent(errors.fixable))?;
    writeln!(
        out,
        "lists with errors        {}, and in {} of them another hypothesis has fewer",
        percent(errors.wrong),
        percent(errors.wrong_fixable)
    )?;
    let thirds: Vec<String> = errors.by_third.iter().map(|share| percent(*share)).collect();
    writeln!(out, "errors by third          {}", thirds.join(", "))?;
    let rate = |share: Option<f64>| share.map_or_else(|| "none".into(), percent);
    if unit.is_word() {
        writeln!(
            out,
            "wrong words              {} of the rare words, {} of the others",
            rate(errors.rare_wrong),
            rate(errors.common_wrong)
        )?;
    }
    if unit.is_word() {
        writeln!(out, "substitutions that are homophones     {}", percent(errors.homophones))?;
    }
    let word = |word: &Option<String>| word.as_deref().unwrap_or("(nothing)").to_owned();
    let list = |found: &[Confusion]| -> String {
        let pairs = found.iter().map(|found| {
            format!("{} -> {} ({})", word(&found.reference), word(&found.hypothesis), found.count)
        });
        pairs.collect::<Vec<_>>().join(", ")
    };
    writeln!(out, "\nmost frequent")?;
    writeln!(out, "  substitutions  {}", list(&errors.substitutions))?;
    writeln!(out, "  deletions      {}", list(&errors.deletions))?;
    writeln!(out, "  insertions     {}", list(&errors.insertions))?;
    Ok(())
}
