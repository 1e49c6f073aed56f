//! Models and adapters as policies name them.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A model or an adapter by name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelIdentity {
    /// Name or path as the user gave it.
    pub name: String,
    /// [`rescorer_models::LanguageModel::fingerprint`], in the version of its time, or that of the adapter.
    pub fingerprint: String,
}

impl ModelIdentity {
    /// Checks that another model is this one.
    pub(crate) fn check_model(&self, model: &Self) -> Result<(), Error> {
        if self.fingerprint == model.fingerprint {
            return Ok(());
        }
        Err(Error::OtherModel {
            tuned: self.name.clone(),
            tuned_fingerprint: self.fingerprint.clone(),
            given: model.name.clone(),
            given_fingerprint: model.fingerprint.clone(),
        })
    }

    /// Checks that one adapter, or none, is the other.
    pub(crate) fn check_adapter(tuned: Option<&Self>, given: Option<&Self>) -> Result<(), Error> {
        let print = |adapter: Option<&Self>| adapter.map(|adapter| adapter.fingerprint.clone());
        if print(tuned) == print(given) {
            return Ok(());
        }
        let written = |adapter: Option<&Self>| match adapter {
            Some(Self { name, fingerprint }) => format!("adapter {name} ({fingerprint:.16})"),
            None => "no adapter".into(),
        };
        Err(Error::OtherAdapter { tuned: written(tuned), given: written(given) })
    }
}
