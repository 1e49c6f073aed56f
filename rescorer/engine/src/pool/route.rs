use std::path::Path;
use std::sync::Arc;

use rescorer_lora::LoraAdapter;
use rescorer_models::LanguageModel;

use crate::assembly::{ADAPTER_POLICY, NamedPolicy};
use crate::builder::{GivenPolicy, RescorerBuilder};
use crate::error::Error;
use crate::fusion::policy::Policy;
use crate::routes::Route;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::scorer::Scorer;

impl RescorerBuilder {
    /// Reads an adapter, and finds the way to answer its lists: by weights given by hand, by its own policy, else by the default one.
    pub(crate) fn pooled(
        &self,
        name: &str,
        folder: &Path,
        model: &Arc<LanguageModel>,
    ) -> Result<(Route, LoraAdapter), Error> {
        let adapter = LoraAdapter::read(folder)?;
        let set = AdapterSet::new(vec![(name.to_owned(), adapter.attach(model)?)])?;
        let (config, unit) = (self.config.unwrap_or_default(), self.unit.unwrap_or_default());
        let path = folder.join(ADAPTER_POLICY);
        let own = self.weights.is_none() && self.config.is_none() && path.exists();
        let mut routes = match (&self.policy, self.weights) {
            (_, Some(weights)) => {
                let scorer = Scorer::new(model.clone(), config)?.with_adapters(set).with_unit(unit);
                self.by_weights(weights, scorer)?.0
            }
            (None | Some(GivenPolicy::File(_) | GivenPolicy::Read(..)), _) if own => {
                let policy = Policy::read(&path)?;
                let named = NamedPolicy {
                    policy,
                    name: path.display().to_string(),
                    tuned_with: Some(name.to_owned()),
                };
                // What a policy warns of, it warned of when it was tuned.
                vec![self.route(named, model, set, &mut Vec::new())?.into()]
            }
            (None | Some(GivenPolicy::Default), _) if !config.mean => {
                self.by_default(config, unit, model, set)?.0
            }
            (None | Some(GivenPolicy::Default), _) => return Err(Error::NoPolicy),
            (Some(_), _) => return Err(Error::AdapterWithoutPolicy { name: name.to_owned() }),
        };
        let route = routes.pop().and_then(Arc::into_inner).ok_or(Error::NoPolicy)?;
        Ok((Route { adapter: Some(name.to_owned()), ..route }, adapter))
    }
}
