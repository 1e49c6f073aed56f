use std::sync::Arc;

use rescorer_models::Adapter;
use rescorer_nbest::Utterance;
use serde_json::Value;

use crate::error::Error;

/// Field of an utterance that names its adapter.
pub(crate) const FIELD: &str = "adapter";

/// Adapters by name. The first is for every list that asks for none.
///
/// An utterance asks with the field `adapter`, `{"id": "u1", "adapter": "medical", "hypotheses": [...]}`; `null` asks for
/// the model alone. Lists with different adapters are computed side by side.
#[derive(Debug, Clone, Default)]
pub struct AdapterSet {
    named: Vec<(String, Arc<dyn Adapter>)>,
    /// Whether lists that ask for no adapter get the model alone.
    bare: bool,
    /// Whether what lists ask for counts.
    takes_names: bool,
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
        Ok(Self { named, bare: false, takes_names: true })
    }

    /// With one more.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn and(self, adapter: (String, Arc<dyn Adapter>)) -> Result<Self, Error> {
        let Self { mut named, bare, takes_names } = self;
        named.push(adapter);
        Ok(Self { bare, takes_names, ..Self::new(named)? })
    }

    /// One for all lists.
    pub fn one(adapter: Arc<dyn Adapter>) -> Self {
        Self { named: vec![(String::new(), adapter)], bare: false, takes_names: true }
    }

    /// Answers lists that ask for no adapter with the one of this name; with `None` by the model alone.
    #[must_use]
    pub(crate) fn with_default(mut self, name: Option<&str>) -> Self {
        self.bare = name.is_none();
        self.named.sort_by_key(|(own, _)| Some(own.as_str()) != name);
        self
    }

    /// Answers all lists with the first, whatever they ask for: nobody gave an adapter, so their field of this name is for something else.
    #[must_use]
    pub(crate) fn for_all_lists(self) -> Self {
        Self { takes_names: false, ..self }
    }

    /// Whether lists choose among the adapters.
    pub(crate) fn takes_names(&self) -> bool {
        self.takes_names && !self.named.is_empty()
    }

    /// One of them, for all lists.
    pub(crate) fn only(&self, name: &str) -> Result<Self, Error> {
        Self::new(self.named.iter().filter(|(other, _)| other == name).cloned().collect())
    }

    /// The adapters with their names.
    pub(crate) fn named(&self) -> &[(String, Arc<dyn Adapter>)] {
        &self.named
    }

    /// That of lists that ask for none.
    pub fn default_adapter(&self) -> Option<&Arc<dyn Adapter>> {
        self.named.first().filter(|_| !self.bare).map(|(_, adapter)| adapter)
    }

    /// That of an utterance.
    ///
    /// # Errors
    /// A name that is not among the adapters.
    pub fn of(&self, utterance: &Utterance) -> Result<Option<&Arc<dyn Adapter>>, Error> {
        // Whoever gives no adapters may have a field of this name for something else.
        let asked = utterance.extra.get(FIELD).filter(|_| self.takes_names());
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
