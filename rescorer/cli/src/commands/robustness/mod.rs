mod csv;
mod html;
mod plot;

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use rescorer::fusion::{Metric, Weighting};
use rescorer::robustness::{
    Benchmark, CacheKey, Contestant, DataFile, Plan, PlannedRescorer, Report, ScoreCache,
};
use rescorer::scoring::LanguageModel;
use rescorer::{Policy, Rescorer, ScoringConfig, Unit};
use rescorer_nbest::OutputFile;
use rescorer_perturb::Homophones;
use sha2::{Digest, Sha256};

use crate::lists::{self, Skipped};
use crate::model;
use crate::perturb_args::{RobustnessArgs, lexicon};
use crate::reference_warnings::References;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

/// Names of what is written into the output folder.
const SCORES: &str = "scores";
const JSON: &str = "report.json";
const CSV: &str = "rows.csv";
const HTML: &str = "report.html";

/// What a rescorer of the plan decides with.
struct Decision {
    weighting: Weighting,
    convention: ScoringConfig,
    policy: Option<Policy>,
    adapter: Option<PathBuf>,
}

pub fn run(args: RobustnessArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    if let Some(adapter) = args.model.adapter.first() {
        bail!("--adapter {adapter}: the plan names the adapters; leave the option out");
    }
    let plan = Plan::from_file(&args.plan)?;
    let decisions = plan.rescorers.iter().map(decision).collect::<anyhow::Result<Vec<_>>>()?;
    let metric = metric(&plan, args.unit.or(plan.unit), &decisions)?;
    let homophones = Homophones::new(lexicon(&plan.lexicon)?, plan.homophones);
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("--output {}: give a folder that can be written", args.output.display()))?;
    let mut skipped = Skipped::allowing(args.skip_invalid, status);
    let mut utterances = Vec::new();
    let all = lists::read_all(&plan.lists)?.skip(plan.skip).take(plan.limit.unwrap_or(usize::MAX));
    for utterance in all {
        utterances.extend(skipped.pass(utterance)?);
    }
    lists::warn_of_contexts(&utterances, "the benchmark", status);
    let mut references = References::new(metric);
    utterances.iter().for_each(|utterance| references.add(utterance));
    references.warn(status);
    let data = plan.lists.iter().map(|path| data_file(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let seen: HashSet<&str> =
        decisions.iter().filter_map(|decision| decision.policy.as_ref()).flat_map(Policy::seen).collect();
    let rescorers = plan.rescorers.clone();
    let benchmark = Benchmark::new(plan, utterances, &seen, &homophones, metric)?;
    if benchmark.excluded() > 0 {
        status.warn(format_args!("{} lists left out: a policy was tuned on them", benchmark.excluded()));
    }
    model::set_threads(args.model.threads)?;
    let mut contestants = Vec::new();
    let mut last: Option<(String, Arc<LanguageModel>)> = None;
    for (rescorer, decision) in rescorers.iter().zip(&decisions) {
        let name = rescorer.model.clone().unwrap_or_else(|| args.model.model.clone());
        let model = match last.take().filter(|(known, _)| *known == name) {
            Some((_, model)) => model,
            None => model::load_model(&args.model, &name, status)?,
        };
        last = Some((name.clone(), model.clone()));
        let folder = args.output.join(SCORES);
        contestants.push(contestant(&benchmark, rescorer, decision, (name, model), &folder, status)?);
    }
    let report = benchmark.report(&contestants, data, option_env!("RESCORER_COMMIT").map(str::to_owned))?;
    write(&args.output, &report)?;
    let mut out = Sink::open(None)?;
    for row in &report.rows {
        if args.common.json {
            write_json(&mut out, row)?;
        } else {
            writeln!(out, "{}", line(row, report.unit))?;
        }
    }
    out.finish()?;
    status.say(format_args!("report: {}", args.output.join(HTML).display()));
    skipped.outcome(benchmark.lists())
}

fn decision(rescorer: &PlannedRescorer) -> anyhow::Result<Decision> {
    let policy = rescorer
        .policy
        .as_deref()
        .map(Policy::read)
        .transpose()
        .with_context(|| format!("rescorer {:?}", rescorer.name))?;
    let by_hand = rescorer.fusion.map(Weighting::Classic);
    let Some(weighting) = by_hand.or(policy.as_ref().map(|policy| policy.weighting.clone())) else {
        bail!("rescorer {:?}: give `policy` or `fusion`", rescorer.name);
    };
    if policy.as_ref().is_some_and(|policy| policy.cascade.is_some()) {
        bail!("rescorer {:?}: its policy is a cascade; give a policy for one model", rescorer.name);
    }
    let convention = policy.as_ref().map(|policy| policy.convention).unwrap_or_default();
    Ok(Decision { weighting, convention, policy, adapter: rescorer.adapter.clone() })
}

/// What all policies were tuned with, normalisation and unit: error rates under different ones can't be compared. The unit may be
/// asked for, and then has to be theirs.
fn metric(plan: &Plan, unit: Option<Unit>, decisions: &[Decision]) -> anyhow::Result<Metric> {
    let mut found: Option<(&str, Metric)> = None;
    for (rescorer, decision) in plan.rescorers.iter().zip(decisions) {
        let Some(policy) = &decision.policy else { continue };
        match found {
            Some((other, metric)) if metric != policy.metric() => bail!(
                "rescorers {other:?} and {:?} were tuned with --normalize {} --unit {} and --normalize {} --unit {}; tune both alike",
                rescorer.name,
                metric.normalize,
                metric.unit,
                policy.normalize,
                policy.unit
            ),
            _ => found = Some((&rescorer.name, policy.metric())),
        }
        if let Some(unit) = unit {
            policy.check_unit(unit).with_context(|| format!("rescorer {:?}", rescorer.name))?;
        }
    }
    let by_hand = Metric { unit: unit.unwrap_or_default(), ..Metric::default() };
    Ok(found.map_or(by_hand, |(_, metric)| metric))
}

/// Attaches the adapter, and scores what is not known yet.
fn contestant(
    benchmark: &Benchmark,
    rescorer: &PlannedRescorer,
    decision: &Decision,
    (name, model): (String, Arc<LanguageModel>),
    folder: &Path,
    status: Status,
) -> anyhow::Result<Contestant> {
    let mut builder = Rescorer::builder(model).name(name);
    if let Some(folder) = &decision.adapter {
        builder = builder.adapter(rescorer.name.as_str(), folder);
    }
    builder = match (&decision.policy, rescorer.fusion) {
        (Some(policy), None) => builder.policy_value(policy.clone(), rescorer.name.as_str()),
        (_, fusion) => builder.weights(fusion.unwrap_or_default()).scoring(decision.convention),
    };
    let built = builder.build().with_context(|| format!("rescorer {:?}", rescorer.name))?;
    built.warnings().iter().for_each(|warning| status.warn(warning));
    let (scorer, model) = (built.scorer(), built.model());
    let key = CacheKey {
        model: model.fingerprint().into(),
        adapter: scorer.adapter_identity().map(|adapter| adapter.fingerprint),
        convention: decision.convention,
        precision: model.device().precision().to_string(),
    };
    let earlier = CacheKey { model: model.fingerprint_like("").into(), ..key.clone() };
    let key = key.or_earlier(earlier, folder)?;
    let mut cache = ScoreCache::open(folder, &key)?;
    let missing = benchmark.missing_texts(&cache);
    status.say(format_args!("{}: {missing} texts to score, {} known", rescorer.name, cache.len()));
    let bar = status.steps(missing as u64);
    bar.set_message(rescorer.name.clone());
    benchmark.score(scorer, &mut cache, &mut |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    let tokens = match decision.weighting {
        Weighting::Features(_) => Some(benchmark.tokens(scorer)?),
        Weighting::Classic(_) => None,
    };
    Ok(Contestant { name: rescorer.name.clone(), weighting: decision.weighting.clone(), tokens, key, cache })
}

fn data_file(path: &Path) -> anyhow::Result<DataFile> {
    let bytes = std::fs::read(path).with_context(|| format!("lists: {}", path.display()))?;
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(DataFile { name, sha256 })
}

fn write(folder: &Path, report: &Report) -> anyhow::Result<()> {
    let put = |name: &str, bytes: &[u8]| -> anyhow::Result<()> {
        let mut file = OutputFile::create(folder.join(name))?;
        file.write_all(bytes)?;
        Ok(file.commit()?)
    };
    put(JSON, &[&serde_json::to_vec_pretty(report)?[..], b"\n"].concat())?;
    put(CSV, &csv::table(report)?)?;
    put(HTML, html::page(report)?.as_bytes())
}

/// A row for a terminal.
fn line(row: &rescorer::robustness::Row, unit: Unit) -> String {
    let wer = format!("{:.2} -> {:.2}", row.clean_wer, row.perturbed_wer);
    let nprr = match (row.nprr, row.interval) {
        (Some(nprr), Some(interval)) => format!("{nprr:.1} [{:.1}, {:.1}]", interval.low, interval.high),
        _ => "undefined: no errors on the clean lists".into(),
    };
    format!("{}\t{}\t{}\t{} {wer}\tNPRR {nprr}", row.rescorer, row.kind, row.rate, unit.rate())
}
