//! Puts a rescorer together.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rescorer_models::{DeviceRequest, PrecisionRequest};
use rescorer_perturb::{Unit, Vocabulary};

use crate::adapter_source::AdapterSource;
use crate::answer::rule::DecisionRule;
use crate::error::{Error, SettingsError};
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::policy::Policy;
use crate::fusion::weights::Fusion;
use crate::model::Model;
use crate::parts::{Parts, pool};
use crate::rescorer::Rescorer;
use crate::routes::Routes;
use crate::routing::router::Router;
use crate::scoring::cascade::Cascade;
use crate::scoring::config::ScoringConfig;
use crate::scoring::scorer::Scorer;
use crate::vocabulary::GivenVocabulary;

/// What a rescorer is made of. [`Rescorer::builder`] begins one.
///
/// The device and the precision are chosen where they are not given. Parts that contradict each other are refused by
/// [`build`](Self::build), which says which.
#[must_use]
#[derive(Clone)]
pub struct RescorerBuilder {
    pub(crate) model: Model,
    pub(crate) name: Option<String>,
    pub(crate) device: DeviceRequest,
    pub(crate) precision: PrecisionRequest,
    pub(crate) locate: Locate,
    pub(crate) threads: Option<usize>,
    pub(crate) policy: Option<GivenPolicy>,
    pub(crate) weights: Option<Fusion>,
    pub(crate) keeps_first_pass: bool,
    pub(crate) config: Option<ScoringConfig>,
    pub(crate) unit: Option<Unit>,
    pub(crate) rule: Option<DecisionRule>,
    pub(crate) search_risk: f64,
    pub(crate) adapters: Vec<(String, AdapterSource)>,
    /// Whether the adapter in the library joins the model that it was trained on, where nothing else was asked for.
    pub(crate) brings_adapter: bool,
    pub(crate) routes_adapters: bool,
    pub(crate) first_stage: Option<Model>,
    pub(crate) first_stage_adapter: Option<(String, AdapterSource)>,
    pub(crate) vocabulary: Option<GivenVocabulary>,
}

/// What a rescorer is made of, loaded.
pub(crate) struct Loaded {
    pub(crate) routes: Routes,
    pub(crate) router: Option<Router>,
    pub(crate) scorer: Scorer,
    pub(crate) warnings: Vec<String>,
}

/// Finds the path of a model by its name.
pub(crate) type Locate = Arc<dyn Fn(&str) -> Result<PathBuf, Error> + Send + Sync>;

#[derive(Clone)]
pub(crate) enum GivenPolicy {
    File(PathBuf),
    Read(Box<Policy>, String),
    /// The one in the program, for all lists and adapters.
    Default,
}

impl RescorerBuilder {
    pub(crate) fn new(model: Model) -> Self {
        Self {
            model,
            name: None,
            device: DeviceRequest::Auto,
            precision: PrecisionRequest::Auto,
            locate: Arc::new(|name| Model::locate(name, false)),
            threads: None,
            policy: None,
            weights: None,
            keeps_first_pass: false,
            config: None,
            unit: None,
            rule: None,
            search_risk: 0.0,
            adapters: Vec::new(),
            brings_adapter: true,
            routes_adapters: false,
            first_stage: None,
            first_stage_adapter: None,
            vocabulary: None,
        }
    }

    /// Calls the model by this name in policies and messages.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Computes on this device.
    pub fn device(self, device: DeviceRequest) -> Self {
        Self { device, ..self }
    }

    /// Computes in this precision. Left out, it is int8 on the CPU and f16 on a GPU.
    pub fn precision(self, precision: impl Into<PrecisionRequest>) -> Self {
        Self { precision: precision.into(), ..self }
    }

    /// Never fetches a model; a named one must be there.
    pub fn offline(self) -> Self {
        self.locate_by(|name| Model::locate(name, true))
    }

    /// Finds models by a function of the application, as one that shows progress or has a store of its own. It gets the name that the
    /// builder was given.
    pub fn locate_by(self, locate: impl Fn(&str) -> Result<PathBuf, Error> + Send + Sync + 'static) -> Self {
        Self { locate: Arc::new(locate), ..self }
    }

    /// Computes with a pool of so many threads of its own. Left out, it shares the one of the process.
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: Some(threads), ..self }
    }

    /// Decides by the policy in a file that [`Rescorer::tune`] or the command wrote.
    pub fn policy(self, path: impl AsRef<Path>) -> Self {
        Self { policy: Some(GivenPolicy::File(path.as_ref().to_owned())), ..self }
    }

    /// Decides by a policy that is read already. `name` stands for it in answers.
    pub fn policy_value(self, policy: Policy, name: impl Into<String>) -> Self {
        Self { policy: Some(GivenPolicy::Read(Box::new(policy), name.into())), ..self }
    }

    /// Decides by the [default policy](crate::fusion::DefaultPolicy) for all lists and adapters. Without this, it decides where no
    /// policy, no weights and no policy of an adapter are given.
    pub fn default_policy(self) -> Self {
        Self { policy: Some(GivenPolicy::Default), ..self }
    }

    /// Keeps the first pass: no list is asked about, and none is changed.
    pub fn first_pass_only(self) -> Self {
        Self {
            keeps_first_pass: true,
            ..self.weights(Fusion { lm_weight: 0.0, length_bonus: 0.0, margin: f64::MAX })
        }
    }

    /// Decides by weights given by hand, for all lists and adapters, in place of a policy.
    pub fn weights(self, weights: Fusion) -> Self {
        Self { weights: Some(weights), ..self }
    }

    /// Says what a language-model score means, where no policy does. Policies of adapters are then not looked for.
    pub fn scoring(self, config: ScoringConfig) -> Self {
        Self { config: Some(config), ..self }
    }

    /// Says what the length bonus and confidences count, where no policy does.
    pub fn unit(self, unit: Unit) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// Answers by this rule, with the numbers that the policy has for it.
    pub fn rule(self, rule: DecisionRule) -> Self {
        Self { rule: Some(rule), ..self }
    }

    /// Lets a share of the answers differ from those of an exact search, 0 to 0.1, so that less is computed: a hypothesis is given up if
    /// it can't win unless its rest is more probable than the same ending of another one. What that costs was fitted by
    /// [`Rescorer::tune`], see [`SearchSlack`](crate::fusion::SearchSlack). 0, the default, keeps all answers. For decoders on the CPU and
    /// the rule maximum; where lists are scored whole it changes nothing.
    pub fn search_risk(self, share: f64) -> Self {
        Self { search_risk: share, ..self }
    }

    /// Adds an adapter under a name: the folder of a PEFT or `rescorer train` adapter, or one that is attached to the model. Lists ask for it by that name.
    ///
    /// A `policy.toml` in the folder decides for the adapter's lists. Lists that ask for no adapter are answered with the one that the
    /// policy was tuned with; without a policy, with the first adapter.
    pub fn adapter(mut self, name: impl Into<String>, adapter: impl Into<AdapterSource>) -> Self {
        let adapter = adapter.into();
        if adapter.is_none() {
            return self.without_adapter();
        }
        self.adapters.push((name.into(), adapter));
        self
    }

    /// Leaves the model alone. Without this, `smollm2-135m` has the adapter `speech` of this library (feature `speech`), unless other
    /// adapters are given, a policy that was tuned without it, or weights; and beside adapters that lists are
    /// [routed](Self::route_adapters) to.
    pub fn without_adapter(self) -> Self {
        Self { brings_adapter: false, ..self }
    }

    /// Chooses the adapter of lists that name none: the one that finds their first-pass best more probable than the model alone does,
    /// as far as is usual in its domain; or none. A list that names its adapter keeps it.
    ///
    /// A list that goes to no adapter is answered as without adapters: by the default policy, with `speech` if the model is
    /// `smollm2-135m`. How much an adapter gains in its own domain stands in its `policy.toml`, where [`Rescorer::tune`] or training
    /// wrote it. Lists with the same field `conversation` lean to where the one before went. Decoders only.
    pub fn route_adapters(self) -> Self {
        Self { routes_adapters: true, ..self }
    }

    /// Gives terms, such as names, that the recogniser may have missed: where words of a list sound like one, a hypothesis with the term in
    /// their place joins the list, behind the recogniser's own. A list takes part in a class of terms if its field `vocabulary` names that
    /// as `@class`; its own terms stand there too. Weights of features decide, so classic policies are refused.
    ///
    /// ```no_run
    /// use rescorer::{Request, Rescorer, Vocabulary};
    /// use rescorer_perturb::{LetterToSound, Lexicon};
    ///
    /// let names = Vocabulary::parse("names", "Haydn\nGwendolyn", &Lexicon::english(), &LetterToSound::english())?;
    /// let rescorer = Rescorer::builder("smollm2-135m").vocabulary(names).build()?;
    /// println!("{}", rescorer.rescore(Request::new(["play the hiding symphony"]))?.text());
    /// # Ok::<(), rescorer::Error>(())
    /// ```
    pub fn vocabulary(self, vocabulary: impl Into<Arc<Vocabulary>>) -> Self {
        Self { vocabulary: Some(GivenVocabulary::Read(vocabulary.into())), ..self }
    }

    /// Reads the terms from a file, as [`Vocabulary::parse`] does. [`build`](Self::build) reads it; what was done to terms is among the
    /// [warnings](Rescorer::warnings).
    pub fn vocabulary_file(self, path: impl AsRef<Path>) -> Self {
        Self { vocabulary: Some(GivenVocabulary::File(path.as_ref().to_owned())), ..self }
    }

    /// Gives the model of a cascade's first stage, where it is not to be looked for under the name that the policy has for it.
    pub fn first_stage(self, model: impl Into<Model>) -> Self {
        Self { first_stage: Some(model.into()), ..self }
    }

    /// Gives the adapter of a cascade's first stage.
    pub fn first_stage_adapter(self, name: impl Into<String>, adapter: impl Into<AdapterSource>) -> Self {
        Self { first_stage_adapter: Some((name.into(), adapter.into())), ..self }
    }

    /// Loads everything.
    ///
    /// # Errors
    /// Parts that contradict each other; a model, an adapter or a policy that can't be read, or that are not for each other.
    pub fn build(self) -> Result<Rescorer, Error> {
        self.check()?;
        let vocabulary = self.vocabulary.clone().map(GivenVocabulary::read).transpose()?;
        let pool = self.threads.map(pool).transpose()?;
        let install = |work: &mut (dyn FnMut() -> Result<Loaded, Error> + Send)| match &pool {
            Some(pool) => pool.install(work),
            None => work(),
        };
        let Loaded { routes, router, scorer, mut warnings } = install(&mut || self.load())?;
        let name = self.model_name();
        let notices = vocabulary.iter().flat_map(|vocabulary| vocabulary.notices());
        warnings.extend(notices.map(ToString::to_string));
        if vocabulary.is_some() {
            warnings.extend(routes.unweighed_terms());
        }
        let pace = Mutex::new(0.0);
        let parts = Parts { routes, router, scorer, name, pool, vocabulary, warnings, pace, builder: self };
        Ok(Rescorer { parts: Arc::new(parts) })
    }

    /// Loads the first stage of a cascade: this model, as a policy of another one asks for it.
    ///
    /// # Errors
    /// As [`build`](Self::build); another model or adapter than the policy's.
    pub fn build_first_stage(self, policy: &CascadePolicy) -> Result<Cascade, Error> {
        self.first_stage_of(&self.model, &self.adapters, policy, &mut Vec::new())
    }

    pub(crate) fn model_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| match &self.model {
            Model::Name(name) => name.clone(),
            Model::Loaded(_) => "given".to_owned(),
        })
    }

    /// Refuses parts that contradict each other.
    fn check(&self) -> Result<(), Error> {
        let contradiction = |one, other| Err(SettingsError::Contradiction { one, other }.into());
        match self {
            Self { policy: Some(_), weights: Some(_), .. } => contradiction("a policy", "weights"),
            Self { policy: Some(GivenPolicy::File(_) | GivenPolicy::Read(..)), config: Some(_), .. } => {
                contradiction("a policy", "a scoring configuration, which the policy states")
            }
            Self { weights: Some(Fusion { lm_weight, length_bonus, margin }), .. }
                if ![lm_weight, length_bonus, margin].iter().all(|weight| weight.is_finite()) =>
            {
                let (lm_weight, length_bonus, margin) = (*lm_weight, *length_bonus, *margin);
                Err(SettingsError::Weights { lm_weight, length_bonus, margin }.into())
            }
            Self { brings_adapter: false, routes_adapters: false, adapters, .. } if !adapters.is_empty() => {
                contradiction("no adapter", "adapters")
            }
            Self { routes_adapters: true, adapters, .. } if adapters.is_empty() => {
                Err(SettingsError::NothingToRoute.into())
            }
            Self { routes_adapters: true, keeps_first_pass: true, .. } => {
                contradiction("routing to adapters", "keeping the first pass")
            }
            Self {
                routes_adapters: true,
                policy: Some(GivenPolicy::File(_) | GivenPolicy::Read(..)),
                ..
            } => contradiction("routing to adapters, each with its own policy", "a policy for all lists"),
            Self { routes_adapters: true, first_stage, first_stage_adapter, .. }
                if first_stage.is_some() || first_stage_adapter.is_some() =>
            {
                contradiction("routing to adapters", "the first stage of a cascade")
            }
            Self { threads: Some(0), .. } => contradiction("threads", "the number 0"),
            _ => Ok(()),
        }
    }
}

impl Rescorer {
    /// Begins with a model: a named one (`smollm2-135m`), a `.gguf` file, a Hugging Face folder, or one that is loaded.
    ///
    /// ```no_run
    /// use rescorer::{Request, Rescorer};
    ///
    /// let rescorer = Rescorer::builder("smollm2-135m").build()?;
    /// let request = Request::new([("please right it down", -4.1), ("please write it down", -4.3)]);
    /// println!("{}", rescorer.rescore(request)?.text());
    /// # Ok::<(), rescorer::Error>(())
    /// ```
    pub fn builder(model: impl Into<Model>) -> RescorerBuilder {
        RescorerBuilder::new(model.into())
    }
}
