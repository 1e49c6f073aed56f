use maud::{Markup, PreEscaped, html};
use rescorer::Fusion;
use rescorer::fusion::Feature;
use rescorer::robustness::{CleanRow, Comparison, Report, Row};
use rescorer_perturb::{Interval, PerturbationKind};

use super::plot::{self, Line};
use crate::view::document;

/// Least p value that counts as chance.
const CHANCE: f64 = 0.05;

/// The report as one HTML file that needs nothing else.
pub fn page(report: &Report) -> anyhow::Result<String> {
    let rate = report.unit.rate();
    let mut kinds: Vec<PerturbationKind> = Vec::new();
    for row in &report.rows {
        if !kinds.contains(&row.kind) {
            kinds.push(row.kind);
        }
    }
    let sections = kinds.iter().map(|&kind| section(report, kind)).collect::<anyhow::Result<Vec<_>>>()?;
    let title = if report.title.is_empty() { "Robustness" } else { &report.title };
    let body = html! {
        p {
            (report.utterances) " lists, " (report.reference_words) " reference " (report.unit.plural()) "; first pass "
            (number(report.first_pass_wer)) ", oracle " (number(report.oracle_wer)) " % " (rate) ". "
            @if report.excluded > 0 { (report.excluded) " lists were left out: a policy was tuned on them. " }
            @if report.untouchable > 0 { (report.untouchable) " lists have no word with a homophone. " }
        }
        p { b { "NPRR, version " (report.nprr_version) ". " } (report.definition) }
        p.key {
            @for (index, row) in report.clean.iter().enumerate() {
                span style={ "background:" (plot::colour(index)) } {} (row.rescorer)
            }
            span style="background:#787878" {} "first pass"
        }
        h2 { "Clean lists" }
        (clean(report))
        @for section in sections { (section) }
        h2 { "Method" }
        (provenance(report))
    };
    Ok(document(title, &body))
}

/// The weights of a rescorer in words.
fn weights(row: &CleanRow) -> String {
    match (&row.fusion, &row.features) {
        (Some(Fusion { lm_weight, length_bonus, margin }), _) => {
            format!("LM weight {lm_weight:.4}, length bonus {length_bonus:.4}, margin {margin:.4}")
        }
        (None, Some(features)) => {
            let weights = Feature::ALL.into_iter().map(|feature| (feature, features.weight(feature)));
            let weights = weights.filter(|(_, weight)| *weight != 0.0);
            weights.map(|(feature, weight)| format!("{feature} {weight:.2}")).collect::<Vec<_>>().join(", ")
        }
        (None, None) => String::new(),
    }
}

fn clean(report: &Report) -> Markup {
    let rate = report.unit.rate();
    html! {
        table {
            tr { th { "rescorer" } th { (rate) } th { "95 %" } th { "weights" } th { "model" } th { "adapter" } }
            @for row in &report.clean {
                tr {
                    td { (row.rescorer) }
                    td { (number(row.wer)) }
                    td { (interval(&row.interval)) }
                    td { (weights(row)) }
                    td { code { (format!("{:.12}", row.key.model)) } }
                    td { @match &row.key.adapter { Some(print) => code { (format!("{print:.12}")) }, None => "none" } }
                }
            }
        }
    }
}

fn section(report: &Report, kind: PerturbationKind) -> anyhow::Result<Markup> {
    let rows: Vec<&Row> = report.rows.iter().filter(|row| row.kind == kind).collect();
    let comparisons: Vec<&Comparison> =
        report.comparisons.iter().filter(|found| found.kind == kind).collect();
    let (rate, units) = (report.unit.rate(), report.unit.plural());
    let wer =
        plot::draw(&format!("{rate} of the answers"), &format!("{rate} in %"), &wer_lines(report, &rows))?;
    let nprr = plot::draw(
        &format!("NPRR: the relative rise of the {rate}"),
        "NPRR in %",
        &nprr_lines(report, &rows),
    )?;
    Ok(html! {
        h2 { (kind) }
        div.plots { (PreEscaped(wer)) (PreEscaped(nprr)) }
        table {
            tr {
                th { "rescorer" } th { "rate" } th { (rate) } th { "95 %" } th { "NPRR" } th { "95 %" } th { "spread" br; "over seeds" }
                th { "gain" br; "kept" } th { "first pass" } th { "oracle" } th { (units) br; "replaced" } th { "of those with" br; "a homophone" }
            }
            @for row in &rows { (table_row(row)) }
        }
        @if !comparisons.is_empty() {
            details {
                summary { "Pair by pair: NPRR and " (rate) " of the second less those of the first" }
                table {
                    tr { th { "first" } th { "second" } th { "rate" } th { "NPRR" } th { "95 %" } th { "p" } th { (rate) } th { "95 %" } th { "p" } }
                    @for found in &comparisons { (comparison(found)) }
                }
            }
        }
    })
}

fn table_row(row: &Row) -> Markup {
    html! {
        tr {
            td { (row.rescorer) }
            td { (row.rate) }
            td { (number(row.perturbed_wer)) }
            td { (interval(&row.wer_interval)) }
            @match (row.nprr, row.interval, row.spread) {
                (Some(nprr), Some(interval), Some(spread)) => {
                    td { (format!("{nprr:.1}")) }
                    td { (format!("{:.1}–{:.1}", interval.low, interval.high)) }
                    td { (format!("{spread:.1}")) }
                }
                _ => {
                    td colspan="3" { "undefined: no errors on the clean lists" }
                }
            }
            td { @match row.gain_kept { Some(share) => (format!("{:.0} %", 100.0 * share)), None => "–" } }
            td { (number(row.first_pass_wer)) }
            td { (number(row.oracle_wer)) }
            td { (format!("{:.1} %", 100.0 * row.replaced)) }
            td { (format!("{:.1} %", 100.0 * row.replaced_of_replaceable)) }
        }
    }
}

fn comparison(found: &Comparison) -> Markup {
    let sure = |p: f64| if p < CHANCE { "sure" } else { "" };
    html! {
        tr {
            td { (found.first) }
            td { (found.second) }
            td { (found.rate) }
            @match &found.nprr {
                Some(nprr) => {
                    td class=(sure(nprr.p)) { (format!("{:+.1}", nprr.difference)) }
                    td { (format!("{:+.1}…{:+.1}", nprr.interval.low, nprr.interval.high)) }
                    td { (format!("{:.3}", nprr.p)) }
                }
                None => {
                    td colspan="3" { "undefined" }
                }
            }
            td class=(sure(found.wer.p)) { (format!("{:+.2}", found.wer.difference)) }
            td { (format!("{:+.2}…{:+.2}", found.wer.interval.low, found.wer.interval.high)) }
            td { (format!("{:.3}", found.wer.p)) }
        }
    }
}

fn provenance(report: &Report) -> Markup {
    let homophones = &report.homophones;
    html! {
        table.facts {
            tr { td { "program" } td { "rescorer " (report.version) @if let Some(commit) = &report.commit { ", commit " code { (commit) } } } }
            @for file in &report.data { tr { td { "lists" } td { (file.name) ", SHA-256 " code { (file.sha256) } } } }
            tr { td { "homophones" } td {
                "CMU Pronouncing Dictionary, stress ignored"
                @if let Some(size) = homophones.max_size { ", words of SCOWL up to size " (size) }
                @if let Some(least) = homophones.near { ", and one phone away with a similarity of at least " (least) }
                @if homophones.multi_word { ", several words too" }
            } }
            tr { td { "distractors" } td { (report.copies) " perturbed copies of a hypothesis" } }
            tr { td { "seeds" } td { (report.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")) } }
            tr { td { "intervals" } td { "95 %, bootstrap of " (report.bootstrap.1) " draws, seed " (report.bootstrap.0) } }
        }
        p.small { "Differences in bold have p < " (CHANCE) ". With many pairs, some of them are due to chance." }
    }
}

/// Every rescorer from its clean WER on, and the first pass.
fn wer_lines(report: &Report, rows: &[&Row]) -> Vec<Line> {
    let mut lines = lines(
        report,
        rows,
        |index| {
            let clean = &report.clean[index];
            (0.0, clean.wer, clean.interval.low, clean.interval.high)
        },
        |row| Some((row.rate, row.perturbed_wer, row.wer_interval.low, row.wer_interval.high)),
    );
    let first = report.clean.first().map(|row| row.rescorer.as_str());
    let perturbed = rows.iter().filter(|row| Some(row.rescorer.as_str()) == first);
    let points = std::iter::once((0.0, report.first_pass_wer))
        .chain(perturbed.map(|row| (row.rate, row.first_pass_wer)))
        .map(|(rate, wer)| (rate, wer, wer, wer));
    lines.push(Line { points: points.collect(), is_reference: true });
    lines
}

fn nprr_lines(report: &Report, rows: &[&Row]) -> Vec<Line> {
    lines(
        report,
        rows,
        |_| (0.0, 0.0, 0.0, 0.0),
        |row| {
            let (nprr, interval) = row.nprr.zip(row.interval)?;
            Some((row.rate, nprr, interval.low, interval.high))
        },
    )
}

fn lines(
    report: &Report,
    rows: &[&Row],
    clean: impl Fn(usize) -> (f64, f64, f64, f64),
    point: impl Fn(&Row) -> Option<(f64, f64, f64, f64)>,
) -> Vec<Line> {
    let line = |(index, row): (usize, &rescorer::robustness::CleanRow)| {
        let own = rows.iter().filter(|found| found.rescorer == row.rescorer).filter_map(|row| point(row));
        let mut points: Vec<_> = std::iter::once(clean(index)).chain(own).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Line { points, is_reference: false }
    };
    report.clean.iter().enumerate().map(line).collect()
}

fn number(value: f64) -> String {
    format!("{value:.2}")
}

fn interval(found: &Interval) -> String {
    format!("{:.2}–{:.2}", found.low, found.high)
}
