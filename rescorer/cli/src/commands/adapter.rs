use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use rescorer::scoring::LanguageModel;
use rescorer_lora::{Kind, LoraAdapter, LowRank};
use rescorer_models::{ModulePath, TargetModule};
use serde::Serialize;
use serde_json::json;

use crate::args::CommonArgs;
use crate::commands;
use crate::model;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};
use crate::train_args::{AdapterAction, AdapterArgs};

pub fn run(args: AdapterArgs) -> anyhow::Result<Outcome> {
    match args.action {
        AdapterAction::Inspect { adapter, common } => inspect(&LoraAdapter::read(&adapter)?, &common)?,
        AdapterAction::Audit(args) => return commands::audit::run(&args),
        AdapterAction::Convert { adapter, half, output, common, .. } => {
            let adapter = LoraAdapter::read(&adapter)?.to_vanilla()?;
            if half {
                refuse_existing(&output, LoraAdapter::CONFIG_FILE)?;
                adapter.write_half(&output)?;
                said(&adapter, &output, &common)?;
            } else {
                write(&adapter, &output, &common)?;
            }
        }
        AdapterAction::Truncate { adapter: folder, rank, svd, alpha, output, common } => {
            let adapter = LoraAdapter::read(&folder)?;
            let alpha = alpha.unwrap_or(adapter.settings.alpha);
            if !svd && adapter.settings.kind != Kind::Vanilla {
                bail!(
                    "{}: its ranks have no order, so none can be cut off; project it with --svd",
                    folder.display()
                );
            }
            let shorter = if svd { adapter.projected(rank, alpha)? } else { adapter.truncated(rank)? };
            write(&shorter, &output, &common)?;
        }
        AdapterAction::Merge { adapters, average: true, rank, output, common, .. } => {
            average(&adapters, rank, &output, &common)?;
        }
        AdapterAction::Merge { adapters, model, offline, output, common, .. } => {
            let [adapter] = &*adapters else {
                bail!(
                    "one adapter is merged into a model, and {} were given; average them with --average",
                    adapters.len()
                );
            };
            merge(&LoraAdapter::read(adapter)?, &model, offline, &output, &common)?;
        }
    }
    Ok(Outcome::Complete)
}

/// What there is to know of an adapter.
#[derive(Serialize)]
struct Report<'a> {
    kind: &'static str,
    rank: usize,
    alpha: f64,
    rslora: bool,
    dropout: f64,
    parameters: usize,
    /// Ranks of all layers together.
    ranks: usize,
    fingerprint: String,
    base_fingerprint: Option<&'a str>,
    modules: Vec<ModuleRow>,
}

#[derive(Serialize)]
struct ModuleRow {
    module: String,
    rank: usize,
    shape: [usize; 2],
    scale: f32,
    /// `‖ΔW‖`, in the norm of Frobenius.
    norm: f64,
}

fn inspect(adapter: &LoraAdapter, common: &CommonArgs) -> anyhow::Result<()> {
    let rows = adapter.modules.iter().map(|(site, module)| ModuleRow {
        module: site.to_string(),
        rank: module.rank(),
        shape: module.shape,
        scale: module.scale,
        norm: module.delta().iter().map(|delta| f64::from(*delta).powi(2)).sum::<f64>().sqrt(),
    });
    let settings = &adapter.settings;
    let report = Report {
        kind: match settings.kind {
            Kind::Vanilla => "lora",
            Kind::RankAllocated { .. } => "rank-allocated",
        },
        rank: settings.rank,
        alpha: settings.alpha,
        rslora: settings.rslora,
        dropout: settings.dropout,
        parameters: adapter.parameters(),
        ranks: adapter.modules.values().map(|module| module.rank()).sum(),
        fingerprint: adapter.fingerprint(),
        base_fingerprint: adapter.base_fingerprint.as_deref(),
        modules: rows.collect(),
    };
    let mut out = Sink::open(None)?;
    if common.json {
        write_json(&mut out, &report)?;
    } else {
        print(&mut out, adapter, &report)?;
    }
    out.finish()
}

fn print(out: &mut Sink, adapter: &LoraAdapter, report: &Report<'_>) -> anyhow::Result<()> {
    writeln!(out, "kind         {}", report.kind)?;
    writeln!(out, "rank         {}, alpha {}", report.rank, report.alpha)?;
    writeln!(out, "layers       {}, ranks {} in total", report.modules.len(), report.ranks)?;
    writeln!(out, "parameters   {}", report.parameters)?;
    writeln!(out, "fingerprint  {}", report.fingerprint)?;
    writeln!(out, "base model   {}", report.base_fingerprint.unwrap_or("(not stated)"))?;
    writeln!(out)?;
    heat_map(out, &adapter.modules.iter().map(|(site, module)| (*site, module.rank())).collect())
}

/// Ranks by layer and module, the darker the more.
fn heat_map(out: &mut Sink, ranks: &BTreeMap<ModulePath, usize>) -> anyhow::Result<()> {
    const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
    let modules: BTreeSet<TargetModule> = ranks.keys().map(|site| site.module).collect();
    let layers: BTreeSet<usize> = ranks.keys().map(|site| site.layer).collect();
    let naming = ranks.keys().next().map(|site| site.naming).unwrap_or_default();
    let most = ranks.values().copied().max().unwrap_or(0).max(1);
    write!(out, "layer")?;
    for module in &modules {
        write!(out, " {:>10}", module.name())?;
    }
    writeln!(out)?;
    for layer in layers {
        write!(out, "{layer:>5}")?;
        for module in &modules {
            match ranks.get(&ModulePath { layer, module: *module, naming }) {
                Some(rank) => {
                    let shade = SHADES[(rank * (SHADES.len() - 1)).div_ceil(most)];
                    write!(out, " {:>6} {}", rank, shade.to_string().repeat(3))?;
                }
                None => write!(out, " {:>10}", "-")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write(adapter: &LoraAdapter, output: &Path, common: &CommonArgs) -> anyhow::Result<()> {
    refuse_existing(output, LoraAdapter::CONFIG_FILE)?;
    adapter.write(output)?;
    said(adapter, output, common)
}

fn said(adapter: &LoraAdapter, output: &Path, common: &CommonArgs) -> anyhow::Result<()> {
    say(common, output, &json!({ "output": output, "parameters": adapter.parameters() }))
}

fn merge(
    adapter: &LoraAdapter,
    model: &str,
    offline: bool,
    output: &Path,
    common: &CommonArgs,
) -> anyhow::Result<()> {
    refuse_existing(output, "config.json")?;
    let status = Status::new(common.quiet);
    let path = model::locate(model, offline, status)?;
    adapter.check(&LanguageModel::load(&path, rescorer::DeviceRequest::Cpu, rescorer::Precision::F32)?)?;
    let change = |site, weight: &mut Vec<f32>| -> Result<(), rescorer_lora::Error> {
        adapter.modules.get(&site).map_or(Ok(()), |module| module.merge(weight))
    };
    LanguageModel::export_with_head(&path, output, adapter.head.as_ref(), change)?;
    say(common, output, &json!({ "output": output }))
}

fn average(
    folders: &[PathBuf],
    rank: Option<usize>,
    output: &Path,
    common: &CommonArgs,
) -> anyhow::Result<()> {
    if folders.len() < 2 {
        bail!("--average: give two adapters or more");
    }
    let adapters: Vec<LoraAdapter> =
        folders.iter().map(|folder| LoraAdapter::read(folder)).collect::<Result<_, _>>()?;
    let most = |adapter: &LoraAdapter| adapter.modules.values().map(LowRank::rank).max().unwrap_or(0);
    let rank = rank.or_else(|| adapters.iter().map(most).max()).unwrap_or(1).max(1);
    let mean = LoraAdapter::average(&adapters)?;
    // As the matrices of training have it: alpha twice the rank.
    write(&mean.projected(rank, 2.0 * rank as f64)?, output, common)
}

fn say(common: &CommonArgs, output: &Path, json: &serde_json::Value) -> anyhow::Result<()> {
    let mut out = Sink::open(None)?;
    if common.json {
        write_json(&mut out, json)?;
    } else {
        writeln!(out, "{}", output.display())?;
    }
    out.finish()
}

/// A folder that holds something already is not written over.
fn refuse_existing(output: &Path, file: &str) -> anyhow::Result<()> {
    if output.join(file).exists() {
        bail!("--output {}: the folder has a {file} already; choose another folder", output.display());
    }
    Ok(())
}
