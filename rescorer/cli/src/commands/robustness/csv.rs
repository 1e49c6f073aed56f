use rescorer::robustness::{Report, Row};
use serde::Serialize;

/// A row with nothing nested, for spreadsheets.
#[derive(Serialize)]
struct Flat<'a> {
    rescorer: &'a str,
    kind: &'a str,
    rate: f64,
    clean_wer: f64,
    perturbed_wer: f64,
    perturbed_wer_low: f64,
    perturbed_wer_high: f64,
    nprr: Option<f64>,
    nprr_low: Option<f64>,
    nprr_high: Option<f64>,
    nprr_spread: Option<f64>,
    nprr_by_seed: String,
    first_pass_wer: f64,
    oracle_wer: f64,
    clean_first_pass_wer: f64,
    clean_oracle_wer: f64,
    gain_kept: Option<f64>,
    replaced: f64,
    replaced_of_replaceable: f64,
    nprr_version: u32,
}

/// All rows of a report as a CSV file.
pub fn table(report: &Report) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in &report.rows {
        let Row { rescorer, kind, rate, wer_interval, .. } = row;
        let by_seed = row.by_seed.as_ref().map(|by_seed| {
            let rises: Vec<String> = by_seed.iter().map(|rise| format!("{rise:.4}")).collect();
            rises.join(" ")
        });
        writer.serialize(Flat {
            rescorer,
            kind: kind.name(),
            rate: *rate,
            clean_wer: row.clean_wer,
            perturbed_wer: row.perturbed_wer,
            perturbed_wer_low: wer_interval.low,
            perturbed_wer_high: wer_interval.high,
            nprr: row.nprr,
            nprr_low: row.interval.map(|interval| interval.low),
            nprr_high: row.interval.map(|interval| interval.high),
            nprr_spread: row.spread,
            nprr_by_seed: by_seed.unwrap_or_default(),
            first_pass_wer: row.first_pass_wer,
            oracle_wer: row.oracle_wer,
            clean_first_pass_wer: report.first_pass_wer,
            clean_oracle_wer: report.oracle_wer,
            gain_kept: row.gain_kept,
            replaced: row.replaced,
            replaced_of_replaceable: row.replaced_of_replaceable,
            nprr_version: report.nprr_version,
        })?;
    }
    Ok(writer.into_inner()?)
}
