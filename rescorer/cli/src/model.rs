use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use rescorer::{
    AdapterSet, Convention, Decision, DecisionRule, EarlierPass, EarlierPolicy, Fusion, LanguageModel,
    Metric, ModelIdentity, Policy, Rescorer, Scorer,
};
use rescorer_lora::LoraAdapter;
use rescorer_models::named::{self, Cache, ModelSource, NamedModel, Progress, PullOptions};

use crate::args::{ChoiceArgs, ConventionArgs, ModelArgs, ScoringArgs};
use crate::status::Status;

/// A model with its adapters, as the options ask for them.
pub struct Loaded {
    pub model: Arc<LanguageModel>,
    pub adapters: AdapterSet,
    /// The model, for a policy.
    pub identity: ModelIdentity,
    /// The first adapter, for a policy.
    pub adapter: Option<ModelIdentity>,
}

impl Loaded {
    /// A model with adapters and their names.
    pub fn attach(
        model: Arc<LanguageModel>,
        identity: ModelIdentity,
        adapters: Vec<(String, LoraAdapter)>,
        status: Status,
    ) -> anyhow::Result<Self> {
        let (attached, warnings) = AdapterSet::attach(&adapters, &model)?;
        warnings.iter().for_each(|warning| status.warn(warning));
        let first = adapters.first().zip(attached.default_adapter()).map(|((name, _), adapter)| {
            let fingerprint = adapter.fingerprint().unwrap_or_default().to_owned();
            ModelIdentity { name: name.clone(), fingerprint }
        });
        Ok(Self { model, adapters: attached, identity, adapter: first })
    }

    /// A scorer with the adapters.
    pub fn scorer(self, convention: Convention) -> Result<Scorer, rescorer::Error> {
        Ok(Scorer::new(self.model, convention)?.with_adapters(self.adapters))
    }

    /// Checks that a policy is for this model and this adapter.
    pub fn check(&self, policy: &Policy) -> Result<(), rescorer::Error> {
        let fingerprint = self.model.fingerprint_like(&policy.model.fingerprint).into();
        policy.check_model(&ModelIdentity { fingerprint, ..self.identity.clone() })?;
        policy.check_adapter(self.adapter.as_ref())
    }
}

/// Finds, fetches and loads the model and the adapters that the options ask for.
pub fn load(args: &ModelArgs, status: Status) -> anyhow::Result<Loaded> {
    // What can be said of an adapter without the model is said before the model is fetched.
    let adapters =
        args.adapter.iter().map(|adapter| read_adapter(adapter)).collect::<anyhow::Result<Vec<_>>>()?;
    set_threads(args.threads)?;
    let model = load_model(args, &args.model, status)?;
    let identity = ModelIdentity { name: args.model.clone(), fingerprint: model.fingerprint().into() };
    Loaded::attach(model, identity, adapters, status)
}

/// `DIR`, whose name is that of the folder, or `NAME=DIR`.
fn read_adapter(argument: &str) -> anyhow::Result<(String, LoraAdapter)> {
    let is_folder = Path::new(argument).exists();
    let (name, folder) = match argument.split_once('=').filter(|_| !is_folder) {
        Some((name, folder)) => (name.to_string(), Path::new(folder)),
        None => {
            let folder = Path::new(argument);
            let name = folder.file_name().unwrap_or(folder.as_os_str());
            (name.to_string_lossy().into_owned(), folder)
        }
    };
    let adapter = LoraAdapter::read(folder).with_context(|| format!("--adapter {argument}"))?;
    Ok((name, adapter))
}

/// Finds, fetches and loads the model.
pub fn load_model(args: &ModelArgs, name: &str, status: Status) -> anyhow::Result<Arc<LanguageModel>> {
    let path = locate(name, args.offline, status)?;
    let model = LanguageModel::load(&path, args.device, args.precision)?;
    let device = model.device();
    if let Some(warning) = device.warning() {
        status.warn(warning);
    }
    let threads =
        if device.is_cpu() { format!(", {} threads", rayon::current_num_threads()) } else { String::new() };
    let precision = device.precision();
    status.say(format_args!("model {name} in {precision} on {}{threads}", device.description()));
    if args.warm_up && !device.is_cpu() {
        status.say("warming up: compiling and tuning kernels");
        model.warm_up()?;
    }
    Ok(Arc::new(model))
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
        bail!("{option} can't be combined with --policy, which states it; tune a policy with {option}");
    }
    Ok(Policy::from_file(path)?)
}

/// Loads the rescorer that a policy asks first.
pub fn earlier(args: &ScoringArgs, policy: &EarlierPolicy, status: Status) -> anyhow::Result<EarlierPass> {
    let name = args.cascade.cascade_model.as_ref().unwrap_or(&policy.model.name);
    let adapters = args.cascade.cascade_adapter.iter().map(|adapter| read_adapter(adapter));
    let adapters = adapters.collect::<anyhow::Result<Vec<_>>>()?;
    if let (Some(wanted), []) = (&policy.adapter, &adapters[..]) {
        bail!(
            "the policy asks the adapter {} first; give its folder with --cascade-adapter DIR",
            wanted.name
        );
    }
    let model = load_model(&args.model, name, status).with_context(|| format!("--cascade-model {name}"))?;
    let identity = ModelIdentity { name: name.clone(), fingerprint: model.fingerprint().into() };
    let loaded = Loaded::attach(model, identity, adapters, status)?;
    Ok(EarlierPass::new(loaded.model, loaded.adapters, policy)?)
}

/// Puts a scorer behind the rescorer that a policy asks first, where it asks one.
pub fn after(
    scorer: Scorer,
    args: &ScoringArgs,
    policy: Option<&EarlierPolicy>,
    status: Status,
) -> anyhow::Result<Scorer> {
    let given = [
        ("--cascade-model", &args.cascade.cascade_model),
        ("--cascade-adapter", &args.cascade.cascade_adapter),
    ];
    match (policy, given.iter().find(|(_, given)| given.is_some())) {
        (None, Some((option, _))) => bail!("{option}: no policy asks another rescorer first; leave it out"),
        (None, None) => Ok(scorer),
        (Some(policy), _) => Ok(scorer.after(earlier(args, policy, status)?)),
    }
}

/// How answers are decided, as the options say it, before a model is there.
pub struct Deciding {
    policy: Option<Policy>,
    fusion: Fusion,
    /// The rule and its numbers.
    pub decision: Decision,
    convention: Convention,
    metric: Metric,
}

impl Deciding {
    /// By a policy, or by weights given by hand.
    pub fn new(choice: &ChoiceArgs, convention: &ConventionArgs) -> anyhow::Result<Self> {
        let policy = choice.policy.as_deref().map(|path| self::policy(path, convention)).transpose()?;
        let Some(fusion) = policy.as_ref().map(|policy| policy.fusion).or(choice.weights.fusion()) else {
            bail!("no weights: give --policy FILE, which `tune` writes, or --lm-weight W");
        };
        if let (Some(policy), Some(unit)) = (&policy, choice.unit) {
            policy.check_unit(unit)?;
        }
        let by_hand = Metric { unit: choice.unit.unwrap_or_default(), ..Metric::default() };
        let metric = policy.as_ref().map_or(by_hand, Policy::metric);
        let decision = decision(policy.as_ref(), choice.decision)?;
        let convention = policy.as_ref().map_or_else(|| convention.convention(), |policy| policy.convention);
        Ok(Self { policy, fusion, decision, convention, metric })
    }

    /// The rescorer that decides so, with a model that a policy is for.
    pub fn rescorer(&self, model: Loaded, args: &ScoringArgs, status: Status) -> anyhow::Result<Rescorer> {
        if let Some(policy) = &self.policy {
            model.check(policy)?;
        }
        let confidence = self.policy.as_ref().and_then(|policy| policy.confidence);
        let earlier = self.policy.as_ref().and_then(|policy| policy.earlier.as_ref());
        let scorer = after(model.scorer(self.convention)?, args, earlier, status)?;
        let rescorer = Rescorer::new(scorer, self.fusion);
        Ok(rescorer.with_decision(self.decision, confidence, self.metric))
    }
}

/// What a policy decides with, or the rule that is asked for with the policy's numbers.
pub fn decision(policy: Option<&Policy>, rule: Option<DecisionRule>) -> anyhow::Result<Decision> {
    match (policy.and_then(|policy| policy.decision), rule) {
        (Some(decision), rule) => Ok(Decision { rule: rule.unwrap_or(decision.rule), ..decision }),
        (None, None | Some(DecisionRule::Maximum)) => Ok(Decision::default()),
        (None, Some(rule)) => {
            bail!("--decision {rule}: no numbers for it; give a --policy that this version of `tune` wrote")
        }
    }
}

/// Path of a model by name or path, fetched where it is not there yet.
pub fn locate(model: &str, offline: bool, status: Status) -> anyhow::Result<PathBuf> {
    match named::resolve(model)? {
        ModelSource::Path(path) => Ok(path),
        ModelSource::Named(named) => fetch(named, offline, false, status),
    }
}

/// Path of a named model, fetched where it is not there yet.
pub fn fetch(model: &NamedModel, offline: bool, verify: bool, status: Status) -> anyhow::Result<PathBuf> {
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
