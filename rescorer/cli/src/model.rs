use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use indicatif::ProgressBar;
use rescorer::fusion::{CascadePolicy, FusionKind};
use rescorer::scoring::{Cascade, LanguageModel, VocabularyError};
use rescorer::{Error, Policy, Rescorer, RescorerBuilder, Utterance};
use rescorer_models::named::{self, Cache, ModelSource, NamedError, NamedModel, Progress, PullOptions};

use crate::args::{ChoiceArgs, ConventionArgs, ModelArgs, ScoringArgs};
use crate::policy_arg::PolicyArg;
use crate::routing;
use crate::status::Status;

/// Begins a rescorer with the model and the adapters that the options ask for.
pub fn builder(args: &ModelArgs, status: Status) -> anyhow::Result<RescorerBuilder> {
    set_threads(args.threads)?;
    let begun = on_device(Rescorer::builder(args.model.as_str()), args, status);
    Ok(args.adapter.iter().fold(begun, |builder, adapter| match adapter_argument(adapter) {
        Some((name, folder)) => builder.adapter(name, folder),
        None => builder.route_adapters(),
    }))
}

/// Takes the options that say where and how a model is computed.
pub fn on_device(builder: RescorerBuilder, args: &ModelArgs, status: Status) -> RescorerBuilder {
    let offline = args.offline;
    builder
        .device(args.device)
        .precision(args.precision)
        .locate_by(move |name| Ok(locate(name, offline, status).map_err(rescorer_models::Error::from)?))
}

/// Loads everything, and says what was loaded.
pub fn build(builder: RescorerBuilder, args: &ModelArgs, status: Status) -> anyhow::Result<Rescorer> {
    let rescorer = builder.build()?;
    rescorer.warnings().iter().for_each(|warning| status.warn(warning));
    announce(rescorer.model(), &args.model, args, status)?;
    if args.adapter.is_empty()
        && let Some(adapter) = rescorer.scorer().adapter_identity()
    {
        status.say(format_args!("adapter: {}, built in; --adapter none leaves it out", adapter.name));
    }
    Ok(rescorer)
}

/// Says what was loaded, and warms it up where that is asked for.
fn announce(model: &LanguageModel, name: &str, args: &ModelArgs, status: Status) -> anyhow::Result<()> {
    let device = model.device();
    let threads =
        if device.is_cpu() { format!(", {} threads", rayon::current_num_threads()) } else { String::new() };
    let precision = device.precision();
    status.say(format_args!("model {name} in {precision} on {}{threads}", device.description()));
    if args.warm_up && !device.is_cpu() {
        status.say("warming up: compiling and tuning kernels");
        model.warm_up()?;
    }
    Ok(())
}

/// The folders of the adapters.
pub fn adapter_folders(args: &ModelArgs) -> impl Iterator<Item = PathBuf> {
    args.adapter.iter().filter_map(|adapter| adapter_argument(adapter)).map(|(_, folder)| folder)
}

/// `auto`, which is no adapter, or name and folder of one.
fn adapter_argument(argument: &str) -> Option<(String, PathBuf)> {
    (!routing::is_auto(argument)).then(|| named_folder(argument))
}

/// `DIR`, whose name is that of the folder, or `NAME=DIR`.
fn named_folder(argument: &str) -> (String, PathBuf) {
    let is_folder = Path::new(argument).exists();
    match argument.split_once('=').filter(|_| !is_folder) {
        Some((name, folder)) => (name.to_string(), folder.into()),
        None => {
            let folder = Path::new(argument);
            let name = folder.file_name().unwrap_or(folder.as_os_str());
            (name.to_string_lossy().into_owned(), folder.into())
        }
    }
}

/// Loads a model by name or path, without adapters.
pub fn load_model(args: &ModelArgs, name: &str, status: Status) -> anyhow::Result<Arc<LanguageModel>> {
    let rescorer = on_device(Rescorer::builder(name), args, status).without_adapter().build()?;
    rescorer.warnings().iter().for_each(|warning| status.warn(warning));
    announce(rescorer.model(), name, args, status)?;
    Ok(rescorer.model().clone())
}

/// Sets up the thread pool, once.
pub fn set_threads(threads: Option<u16>) -> anyhow::Result<()> {
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global()?;
    }
    Ok(())
}

/// Reads a policy and refuses options that contradict it.
pub fn policy(path: &Path, convention: &ConventionArgs) -> anyhow::Result<Policy> {
    if let Some(option) = convention.given() {
        bail!("{option} can't be used with --policy, which sets it; run `tune` with {option} instead");
    }
    Ok(Policy::read(path)?)
}

/// Has a rescorer decide by the policy that `--policy` names.
pub fn decide(
    builder: RescorerBuilder,
    choice: &PolicyArg,
    convention: &ConventionArgs,
) -> anyhow::Result<RescorerBuilder> {
    Ok(match choice {
        PolicyArg::Default => builder.default_policy().scoring(convention.convention()),
        PolicyArg::None => builder.first_pass_only().scoring(convention.convention()),
        PolicyArg::File(path) => builder.policy_value(policy(path, convention)?, choice.to_string()),
    })
}

/// A rescorer that decides by the policy or the weights of the options.
pub fn deciding(choice: &ChoiceArgs, args: &ScoringArgs, status: Status) -> anyhow::Result<RescorerBuilder> {
    routing::check(choice.policy.as_ref(), args)?;
    let mut builder = builder(&args.model, status)?;
    if let Some(policy) = &choice.policy {
        builder = decide(builder, policy, &args.convention)?;
    } else if let Some(weights) = choice.weights.fusion() {
        builder = builder.weights(weights).scoring(args.convention.convention());
    } else if let Some(option) = args.convention.given() {
        if !args.model.adapter.is_empty() {
            bail!("{option} can't be used with the policies of adapters, which set it; add --policy default");
        }
        builder = builder.scoring(args.convention.convention());
    }
    if let Some(unit) = choice.unit {
        builder = builder.unit(unit);
    }
    if let Some(rule) = choice.decision {
        builder = builder.rule(rule);
    }
    Ok(with_vocabulary(first_stage(builder, args), args))
}

/// Takes the terms of `--vocabulary`.
pub fn with_vocabulary(builder: RescorerBuilder, args: &ScoringArgs) -> RescorerBuilder {
    match &args.vocabulary {
        Some(path) => builder.vocabulary_file(path),
        None => builder,
    }
}

/// A list with the terms of the vocabulary and of its own, for weights of this kind.
pub fn with_terms(rescorer: &Rescorer, fusion: FusionKind, list: Utterance) -> Result<Utterance, Error> {
    let list = rescorer.with_terms(list)?;
    if fusion == FusionKind::Classic && list.nbest.terms(0).is_some() {
        let policy = rescorer.policy().unwrap_or("what was asked for").to_owned();
        return Err(VocabularyError::OfClassic { id: list.id, policy }.into());
    }
    Ok(list)
}

/// Loads everything for a command that answers lists.
pub fn build_deciding(
    builder: RescorerBuilder,
    args: &ModelArgs,
    status: Status,
) -> anyhow::Result<Rescorer> {
    let rescorer = build(builder, args, status)?;
    if rescorer.rule().is_none() {
        bail!("--score-mean: the default policy weighs sums; give --policy FILE or --lm-weight W");
    }
    if let Some(policy) = rescorer.policy() {
        status.say(format_args!("policy: {policy}"));
    }
    Ok(rescorer)
}

/// Takes the options that say what the first stage of a cascade is.
pub fn first_stage(mut builder: RescorerBuilder, args: &ScoringArgs) -> RescorerBuilder {
    if let Some(model) = &args.cascade.cascade_model {
        builder = builder.first_stage(model.as_str());
    }
    if let Some(adapter) = &args.cascade.cascade_adapter {
        let (name, folder) = named_folder(adapter);
        builder = builder.first_stage_adapter(name, folder);
    }
    builder
}

/// Loads the first stage of a cascade that is tuned.
pub fn load_first_stage(
    args: &ScoringArgs,
    policy: &CascadePolicy,
    status: Status,
) -> anyhow::Result<Cascade> {
    let name = args.cascade.cascade_model.as_ref().unwrap_or(&policy.model.name);
    let mut builder = on_device(Rescorer::builder(name.as_str()), &args.model, status);
    if let Some(adapter) = &args.cascade.cascade_adapter {
        let (name, folder) = named_folder(adapter);
        builder = builder.adapter(name, folder);
    }
    Ok(builder.build_first_stage(policy)?)
}

/// Refuses a first stage where nothing asks for one.
pub fn no_first_stage(args: &ScoringArgs) -> anyhow::Result<()> {
    let given = [
        ("--cascade-model", &args.cascade.cascade_model),
        ("--cascade-adapter", &args.cascade.cascade_adapter),
    ];
    match given.iter().find(|(_, given)| given.is_some()) {
        Some((option, _)) => bail!("{option}: the policy is no cascade; leave the option out"),
        None => Ok(()),
    }
}

/// Path of a model by name or path, fetched where it is not there yet.
pub fn locate(model: &str, offline: bool, status: Status) -> Result<PathBuf, NamedError> {
    match named::resolve(model)? {
        ModelSource::Path(path) => Ok(path),
        ModelSource::Named(named) => fetch(named, offline, false, status),
    }
}

/// Path of a named model, fetched where it is not there yet.
pub fn fetch(model: &NamedModel, offline: bool, verify: bool, status: Status) -> Result<PathBuf, NamedError> {
    let cache = Cache::from_env()?;
    if !offline {
        model.fetch_notice(&cache).iter().for_each(|line| status.say(line));
    }
    let mut options = PullOptions::new(cache);
    options.offline = offline;
    options.verify = verify;
    let mut bar: Option<ProgressBar> = None;
    let path = named::pull(model, &options, &mut |progress| show(&mut bar, model.size(), progress, status))?;
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
