//! Loads the parts of a rescorer and puts them together.

use std::sync::Arc;

use rescorer_models::LanguageModel;
use rescorer_perturb::{Metric, Unit};

use crate::adapter_source::{AdapterSource, BuiltIn, ReadAdapters};
use crate::answer::Origin;
use crate::answer::rule::Decision;
use crate::builder::{GivenPolicy, Loaded, RescorerBuilder};
use crate::error::{Error, SettingsError};
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::policy::Policy;
use crate::fusion::search_slack;
use crate::fusion::shipped::DefaultPolicy;
use crate::fusion::weights::Fusion;
use crate::model::Model;
use crate::routes::{Route, Routes};
use crate::routing::setup::{new_router, own_gains};
use crate::scoring::adapters::AdapterSet;
use crate::scoring::cascade::Cascade;
use crate::scoring::config::ScoringConfig;
use crate::scoring::scorer::Scorer;
use crate::second_pass::SecondPass;

/// Name of the policy in the folder of an adapter.
pub(crate) const ADAPTER_POLICY: &str = "policy.toml";

/// A policy, what answers call it, and the adapter that it was tuned with.
pub(crate) struct NamedPolicy {
    pub(crate) policy: Policy,
    pub(crate) name: String,
    pub(crate) tuned_with: Option<String>,
}

impl RescorerBuilder {
    /// Loads the model with all that belongs to it: the ways to answer lists, what scores without an answer, and what has to be said.
    pub(crate) fn load(&self) -> Result<Loaded, Error> {
        // What can be said of adapters and policies is said before the model is fetched.
        search_slack::check(self.search_risk)?;
        if self.weights.is_some() && self.search_risk > 0.0 {
            return Err(SettingsError::Contradiction { one: "weights", other: "a search risk" }.into());
        }
        let adapters = ReadAdapters::new(&self.adapters)?;
        let policy = match &self.policy {
            Some(GivenPolicy::File(path)) => Some((Policy::read(path)?, path.display().to_string())),
            Some(GivenPolicy::Read(policy, name)) => Some((policy.as_ref().clone(), name.clone())),
            Some(GivenPolicy::Default) | None => None,
        };
        if let (Some((policy, _)), Some(unit)) = (&policy, self.unit) {
            policy.check_unit(unit)?;
        }
        let mut own = Vec::new();
        let wants_default = matches!(self.policy, Some(GivenPolicy::Default));
        let takes_own = self.weights.is_none() && self.config.is_none() && !wants_default;
        if takes_own || self.routes_adapters {
            for (name, source) in &self.adapters {
                let AdapterSource::Folder(folder) = source else { continue };
                let path = folder.join(ADAPTER_POLICY);
                if path.exists() {
                    own.push((name.as_str(), Policy::read(&path)?, path.display().to_string()));
                }
            }
        }
        let mut warnings = Vec::new();
        let model = self.load_model(&self.model, &mut warnings)?;
        if self.routes_adapters && model.is_bidirectional() {
            return Err(SettingsError::RoutingOfEncoder.into());
        }
        let mut adapters = match self.brought(&model, policy.as_ref().map(|(policy, _)| policy)) {
            Some(built_in) => built_in.attach(&model)?,
            None => adapters.attach(&model, &mut warnings)?,
        };
        let mut routed = None;
        if self.routes_adapters {
            adapters = adapters.with_default(None);
            let gains = own_gains(&adapters, &own, &mut warnings);
            let beside = self.brought_beside(&adapters, &model);
            routed = Some((adapters.clone(), gains, beside.map(|_| BuiltIn::NAME.to_owned())));
            if let Some(built_in) = beside {
                adapters = built_in.attach_beside(adapters, &model)?;
            }
        }
        if !takes_own {
            own.clear();
        }
        let config = match &policy {
            Some((policy, _)) => policy.convention,
            None => self.config.unwrap_or_default(),
        };
        let unit = self.unit.or(policy.as_ref().map(|(policy, _)| policy.unit)).unwrap_or_default();
        let scorer = Scorer::new(model.clone(), config)?.with_adapters(adapters.clone()).with_unit(unit);
        let routes = match (self.weights, policy) {
            (Some(weights), _) => self.by_weights(weights, scorer.clone())?,
            (None, _) if self.routes_adapters => {
                self.by_routing(config, unit, own, &model, adapters.clone(), &mut warnings)?
            }
            (None, None) if own.is_empty() && !config.mean => {
                self.by_default(config, unit, &model, adapters.clone())?
            }
            (None, policy) => self.by_policies(policy, own, &model, adapters.clone(), &mut warnings)?,
        };
        let is_cascade = |route: &Arc<Route>| route.pass.scorer().list_scorer().capabilities().first_stage;
        if (self.first_stage.is_some() || self.first_stage_adapter.is_some())
            && !routes.0.iter().any(is_cascade)
        {
            return Err(SettingsError::FirstStageUnused.into());
        }
        // A given policy scores as it decides, with the first stage of its cascade.
        let scorer = match (&self.policy, routes.default()) {
            (Some(_), Ok(route)) => route.pass.scorer().clone(),
            _ => scorer,
        };
        let new = |(candidates, gains, otherwise)| new_router(&candidates, &routes, gains, otherwise);
        let router = routed.map(new).transpose()?;
        Ok(Loaded { routes, router, scorer, warnings })
    }

    /// The adapter in the library, where it joins the model without being asked for: nothing else was, or a policy that was tuned with it.
    fn brought(&self, model: &LanguageModel, policy: Option<&Policy>) -> Option<&'static BuiltIn> {
        if !self.brings_adapter || !self.adapters.is_empty() || self.weights.is_some() {
            return None;
        }
        match policy {
            Some(policy) => BuiltIn::of(policy.adapter.as_ref()),
            None => BuiltIn::get().filter(|built_in| built_in.is_for(model)),
        }
    }

    /// The adapter in the library, where it answers lists that fit none of these adapters.
    fn brought_beside(&self, adapters: &AdapterSet, model: &LanguageModel) -> Option<&'static BuiltIn> {
        if !self.brings_adapter || self.weights.is_some() {
            return None;
        }
        let built_in = BuiltIn::get().filter(|built_in| built_in.is_for(model))?;
        let is_there = adapters.named().iter().any(|(name, adapter)| built_in.is_it(name, adapter.as_ref()));
        (!is_there).then_some(built_in)
    }

    /// One way for all lists.
    pub(crate) fn by_weights(&self, weights: Fusion, scorer: Scorer) -> Result<Routes, Error> {
        let decision = self.decision(None)?;
        let metric = Metric { unit: scorer.unit(), ..Metric::default() };
        let adapter = scorer.adapter_identity().map(|adapter| adapter.name);
        let pass = SecondPass::new(scorer, weights).with_decision(decision, None, metric);
        let policy = self.keeps_first_pass.then(|| "none".to_owned());
        let origin = Arc::new(Origin { adapter, policy, routed: None });
        Ok(Routes(vec![Route { adapter: None, pass, origin }.into()]))
    }

    /// One way for all lists, by the policy in the program. Its features have no scale, so it serves every model and adapter.
    pub(crate) fn by_default(
        &self,
        config: ScoringConfig,
        unit: Unit,
        model: &Arc<LanguageModel>,
        adapters: AdapterSet,
    ) -> Result<Routes, Error> {
        let shipped = DefaultPolicy::shipped();
        let name = |name: &str, fingerprint: &str| ModelIdentity {
            name: name.to_owned(),
            fingerprint: fingerprint.to_owned(),
        };
        let first = adapters.default_adapter().and_then(|_| adapters.named().first().cloned());
        let adapter = first.map(|(given, adapter)| name(&given, adapter.fingerprint().unwrap_or_default()));
        let tuned_with = adapter.as_ref().map(|adapter| adapter.name.clone());
        let metric = Metric { unit, ..Metric::default() };
        let policy = shipped.policy(config, metric, name(&self.model_name(), model.fingerprint()), adapter);
        let decision = self.decision(Some(&policy))?;
        let policy = Policy { decision: Some(decision), ..policy };
        let pass = SecondPass::from_policy(model.clone(), adapters, &policy)?
            .with_slack(policy.search.of_risk(self.search_risk)?);
        let origin = Arc::new(Origin { adapter: tuned_with, policy: Some(shipped.name()), routed: None });
        Ok(Routes(vec![Route { adapter: None, pass, origin }.into()]))
    }

    /// A way for each adapter that has a policy of its own, and before these that of the default policy, which is for all others and
    /// for none.
    fn by_routing(
        &self,
        config: ScoringConfig,
        unit: Unit,
        own: Vec<(&str, Policy, String)>,
        model: &Arc<LanguageModel>,
        adapters: AdapterSet,
        warnings: &mut Vec<String>,
    ) -> Result<Routes, Error> {
        if config.mean {
            return Err(Error::NoPolicy);
        }
        let Routes(mut routes) = self.by_default(config, unit, model, adapters.clone())?;
        for (adapter, policy, name) in own {
            if policy.cascade.is_some() {
                let (one, other) = ("routing to adapters", "a policy of an adapter that is for a cascade");
                return Err(SettingsError::Contradiction { one, other }.into());
            }
            let set = adapters.only(adapter)?;
            let named = NamedPolicy { policy, name, tuned_with: Some(adapter.to_owned()) };
            routes.push(self.route(named, model, set, warnings)?.into());
        }
        Ok(Routes(routes))
    }

    /// A way for each policy: the one that was given, and those of the adapters.
    fn by_policies(
        &self,
        policy: Option<(Policy, String)>,
        own: Vec<(&str, Policy, String)>,
        model: &Arc<LanguageModel>,
        adapters: AdapterSet,
        warnings: &mut Vec<String>,
    ) -> Result<Routes, Error> {
        let mut routes: Vec<Arc<Route>> = Vec::new();
        let has_policy = policy.is_some();
        // The adapter that the given policy was tuned with.
        let mut tuned_with = None;
        if let Some((policy, name)) = policy {
            tuned_with = default_adapter(&policy, &adapters)?.map(str::to_owned);
            let set = adapters.clone().with_default(tuned_with.as_deref());
            let named = NamedPolicy { policy, name, tuned_with: tuned_with.clone() };
            let route = self.route(named, model, set, warnings)?;
            routes.push(Route { adapter: None, ..route }.into());
        }
        for (adapter, policy, name) in own {
            if tuned_with.as_deref() == Some(adapter) {
                continue;
            }
            let set = adapters.only(adapter)?;
            let named = NamedPolicy { policy, name, tuned_with: Some(adapter.to_owned()) };
            let route = self.route(named, model, set, warnings)?;
            if routes.is_empty() && self.adapters.first().is_some_and(|(first, _)| first == adapter) {
                let (pass, origin) = (route.pass.clone(), route.origin.clone());
                routes.push(Route { adapter: None, pass, origin }.into());
            }
            routes.push(route.into());
        }
        let answered = |name: &str| {
            tuned_with.as_deref() == Some(name)
                || routes.iter().any(|route| route.adapter.as_deref() == Some(name))
        };
        // Without any policy the rescorer tunes and scores, but does not answer.
        let without = self.adapters.iter().find(|(name, _)| !answered(name));
        match without.filter(|_| has_policy || !routes.is_empty()) {
            Some((name, _)) => Err(Error::AdapterWithoutPolicy { name: name.clone() }),
            None => Ok(Routes(routes)),
        }
    }

    /// The way of a policy, `tuned_with` this adapter.
    pub(crate) fn route(
        &self,
        NamedPolicy { policy, name, tuned_with }: NamedPolicy,
        model: &Arc<LanguageModel>,
        adapters: AdapterSet,
        warnings: &mut Vec<String>,
    ) -> Result<Route, Error> {
        let decision = self.decision(Some(&policy))?;
        let policy = Policy { decision: Some(decision), ..policy };
        let first_stage = self.load_first_stage(&policy, warnings)?;
        let pass = SecondPass::from_policy_with_cascade(first_stage, model.clone(), adapters, &policy)?
            .with_slack(policy.search.of_risk(self.search_risk)?);
        let origin = Arc::new(Origin { adapter: tuned_with.clone(), policy: Some(name), routed: None });
        Ok(Route { adapter: tuned_with, pass, origin })
    }

    /// What decides: the policy, or the rule that is asked for with its numbers.
    fn decision(&self, policy: Option<&Policy>) -> Result<Decision, Error> {
        let rule = self.rule.unwrap_or_default();
        Decision::by_rule(policy.and_then(|policy| policy.decision), self.rule)
            .ok_or_else(|| SettingsError::RuleWithoutNumbers { rule }.into())
    }

    pub(crate) fn load_model(
        &self,
        model: &Model,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<LanguageModel>, Error> {
        match model {
            Model::Loaded(model) => Ok(model.clone()),
            Model::Name(name) => {
                let path = (self.locate)(name)?;
                let model = LanguageModel::load(&path, self.device, self.precision)?;
                warnings.extend(model.device().warning().map(str::to_owned));
                Ok(Arc::new(model))
            }
        }
    }

    /// The first stage of a policy that is for a cascade.
    fn load_first_stage(
        &self,
        policy: &Policy,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Cascade>, Error> {
        let Some(wanted) = &policy.cascade else { return Ok(None) };
        let named = || Model::Name(wanted.model.name.clone());
        let model = self.first_stage.clone().unwrap_or_else(named);
        self.first_stage_of(&model, self.first_stage_adapter.as_slice(), wanted, warnings).map(Some)
    }

    /// This model with these adapters as the first stage that a policy wants.
    pub(crate) fn first_stage_of(
        &self,
        model: &Model,
        adapters: &[(String, AdapterSource)],
        wanted: &CascadePolicy,
        warnings: &mut Vec<String>,
    ) -> Result<Cascade, Error> {
        let brought = adapters.is_empty().then(|| BuiltIn::of(wanted.adapter.as_ref())).flatten();
        if let (Some(ModelIdentity { name, .. }), [], None) = (&wanted.adapter, adapters, brought) {
            return Err(SettingsError::FirstStageAdapterMissing { name: name.clone() }.into());
        }
        let adapters = ReadAdapters::new(adapters)?;
        let model = self.load_model(model, warnings)?;
        let adapters = match brought {
            Some(built_in) => built_in.attach(&model)?,
            None => adapters.attach(&model, warnings)?,
        };
        Cascade::new(model, adapters, wanted)
    }
}

/// Name of the adapter that a policy was tuned with.
fn default_adapter<'a>(policy: &Policy, adapters: &'a AdapterSet) -> Result<Option<&'a str>, Error> {
    let Some(wanted) = &policy.adapter else { return Ok(None) };
    let mut named = adapters.named().iter();
    let found = named.find(|(_, adapter)| adapter.fingerprint() == Some(wanted.fingerprint.as_str()));
    match found {
        Some((name, _)) => Ok(Some(name)),
        None => {
            let given = adapters.named().first().map(|(name, adapter)| ModelIdentity {
                name: name.clone(),
                fingerprint: adapter.fingerprint().unwrap_or_default().to_owned(),
            });
            policy.check_adapter(given.as_ref()).map(|()| None)
        }
    }
}
