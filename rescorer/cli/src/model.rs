use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use indicatif::ProgressBar;
use rescorer::{LanguageModel, ModelIdentity, Policy, Precision};
use rescorer_models::named::{self, Cache, NamedModel, Progress, PullOptions};

use crate::args::{self, ConventionArgs, ModelArgs};
use crate::status::Status;

/// Finds, fetches and loads the model that the options ask for.
pub fn load(args: &ModelArgs, status: Status) -> anyhow::Result<Arc<LanguageModel>> {
    let precision = match args.precision {
        args::Precision::F32 => Precision::F32,
        args::Precision::Int8 => Precision::Int8,
        args::Precision::F16 => Precision::F16,
    };
    if let Some(adapter) = args.adapter.first() {
        bail!("--adapter {adapter}: adapters are not built in this version; leave the option out");
    }
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global()?;
    }
    let path = locate(&args.model, args.offline, status)?;
    let model = LanguageModel::load(&path, args.device, precision)?;
    let device = model.device();
    if let Some(warning) = device.warning() {
        status.warn(warning);
    }
    let threads =
        if device.is_cpu() { format!(", {} threads", rayon::current_num_threads()) } else { String::new() };
    let precision = device.precision();
    status.say(format_args!("model {} in {precision} on {}{threads}", args.model, device.description()));
    if args.warm_up && !device.is_cpu() {
        status.say("warming up: compiling and tuning kernels");
        model.warm_up()?;
    }
    Ok(Arc::new(model))
}

/// Name and content of a loaded model, for a policy.
pub fn identity(args: &ModelArgs, model: &LanguageModel) -> ModelIdentity {
    ModelIdentity { name: args.model.clone(), fingerprint: model.fingerprint().into() }
}

/// Reads a policy and refuses options that contradict it.
pub fn policy(path: &Path, convention: &ConventionArgs) -> anyhow::Result<Policy> {
    if let Some(option) = convention.given() {
        bail!("{option} can't be combined with --policy, which states it; tune a policy with {option}");
    }
    Ok(Policy::from_file(path)?)
}

fn locate(model: &str, offline: bool, status: Status) -> anyhow::Result<PathBuf> {
    let path = Path::new(model);
    match named::find(model) {
        Some(_) if path.exists() => {
            bail!(
                "--model {model} is a named model and a file here; write ./{model} for the file, or move it"
            )
        }
        Some(named) => fetch(named, offline, false, status),
        None if path.exists() => Ok(path.into()),
        None => {
            let names: Vec<&str> = named::catalog().iter().map(|named| named.name).collect();
            bail!("--model {model}: no such file or folder, and no named model ({})", names.join(", "))
        }
    }
}

/// Path of a named model, fetched where it is not there yet.
pub fn fetch(model: &NamedModel, offline: bool, verify: bool, status: Status) -> anyhow::Result<PathBuf> {
    let cache = Cache::from_env()?;
    let path = model.path_in(&cache);
    if !model.is_present(&cache) && !offline {
        let megabytes = model.size / 1_000_000;
        status.say(format_args!(
            "fetching model {} ({megabytes} MB, licence {}) to {}",
            model.name,
            model.licence,
            path.display()
        ));
    }
    let mut options = PullOptions::new(cache);
    options.offline = offline;
    options.verify = verify;
    let mut bar: Option<ProgressBar> = None;
    let path = named::pull(model, &options, &mut |progress| show(&mut bar, model.size, progress, status))?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(path)
}

fn show(bar: &mut Option<ProgressBar>, size: u64, progress: Progress<'_>, status: Status) {
    let mut update = |message: &'static str, done: u64, total: u64| {
        let bar = bar.get_or_insert_with(|| status.bytes(size));
        bar.set_message(message);
        bar.set_length(total);
        bar.set_position(done);
    };
    match progress {
        Progress::Trying { source } => status.say(format_args!("trying {source}")),
        Progress::Downloading { done, total } => update("downloading", done, total.unwrap_or(size)),
        Progress::Extracting { done, total } => update("extracting", done, total),
        Progress::Verifying { done, total } => update("verifying", done, total),
        Progress::Failed { source, reason } => status.say(format_args!("{source}: {reason}")),
        _ => {}
    }
}
