use std::sync::Arc;

use rescorer_lora::LoraAdapter;
use rescorer_models::{Adapter, LanguageModel};
use rescorer_nbest::Utterance;
use serde_json::Value;

use crate::Error;

/// Field of an utterance that names its adapter.
const FIELD: &str = "adapter";

/// Adapters by name. The first is for every list that asks for none.
///
/// An utterance asks with the field `adapter`, `{"id": "u1", "adapter": "medical", "hypotheses": [...]}`; `null` asks for
/// the model alone. Lists with different adapters are computed side by side.
#[derive(Debug, Clone, Default)]
pub struct AdapterSet {
    named: Vec<(String, Arc<dyn Adapter>)>,
}

impl AdapterSet {
    /// Adapters with their names.
    ///
    /// # Errors
    /// A name that stands twice.
    pub fn new(named: Vec<(String, Arc<dyn Adapter>)>) -> Result<Self, Error> {
        for (number, (name, _)) in named.iter().enumerate() {
            if named[..number].iter().any(|(other, _)| other == name) {
                return Err(Error::AdapterTwice { name: name.clone() });
            }
        }
        Ok(Self { named })
    }

    /// Adapters with their names for a model, and what has to be said of them: one that does not name the model it was trained on
    /// may be for another one of the same shapes.
    ///
    /// # Errors
    /// As [`LoraAdapter::attach`] and [`AdapterSet::new`].
    pub fn attach(
        adapters: &[(String, LoraAdapter)],
        model: &LanguageModel,
    ) -> Result<(Self, Vec<String>), Error> {
        let attached = adapters.iter().map(|(name, adapter)| {
            let attached: Arc<dyn Adapter> = adapter.attach(model)?;
            Ok((name.clone(), attached))
        });
        let named = attached.collect::<Result<Vec<_>, rescorer_lora::Error>>()?;
        let nameless = adapters.iter().filter(|(_, adapter)| adapter.base_fingerprint.is_none());
        let warnings = nameless.map(|(name, _)| {
            format!("adapter {name} does not say which model it was trained on; its shapes fit this one")
        });
        Ok((Self::new(named)?, warnings.collect()))
    }

    /// One for all lists.
    pub fn one(adapter: Arc<dyn Adapter>) -> Self {
        Self { named: vec![(String::new(), adapter)] }
    }

    /// That of lists that ask for none.
    pub fn default_adapter(&self) -> Option<&Arc<dyn Adapter>> {
        self.named.first().map(|(_, adapter)| adapter)
    }

    /// That of an utterance.
    ///
    /// # Errors
    /// A name that is not among the adapters.
    pub fn of(&self, utterance: &Utterance) -> Result<Option<&Arc<dyn Adapter>>, Error> {
        // Whoever gives no adapters may have a field of this name for something else.
        let asked = utterance.extra.get(FIELD).filter(|_| !self.named.is_empty());
        match asked {
            None => Ok(self.default_adapter()),
            Some(Value::Null) => Ok(None),
            Some(asked) => {
                let found = self.named.iter().find(|(name, _)| asked.as_str() == Some(name));
                let found = found.map(|(_, adapter)| Some(adapter));
                found.ok_or_else(|| Error::UnknownAdapter {
                    id: utterance.id.clone(),
                    asked: asked.to_string(),
                    names: self.named.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    }
}
