//! Which adapter and which policy a list is answered with.

use std::sync::Arc;

use rescorer_nbest::Utterance;
use serde_json::Value;

use crate::answer::Origin;
use crate::error::Error;
use crate::fusion::features::Feature;
use crate::routing::router::Routing;
use crate::scoring::adapters::FIELD;
use crate::second_pass::SecondPass;

/// A way to answer lists: a scorer with its policy.
pub(crate) struct Route {
    /// Name of the adapter that asks for this way; `None` for all lists that ask for none that has a policy of its own.
    pub(crate) adapter: Option<String>,
    pub(crate) pass: SecondPass,
    /// Who answers a list that names no adapter.
    pub(crate) origin: Arc<Origin>,
}

impl Route {
    /// Who answers a list.
    pub(crate) fn origin(&self, utterance: &Utterance) -> Arc<Origin> {
        match utterance.extra.get(FIELD) {
            Some(asked) if self.pass.scorer().has_adapters() => {
                let adapter = asked.as_str().map(str::to_owned);
                Arc::new(Origin { adapter, policy: self.origin.policy.clone(), routed: None })
            }
            _ => self.origin.clone(),
        }
    }

    /// Who answers a list that was routed here.
    pub(crate) fn routed(&self, Routing { adapter, probability }: Routing) -> Arc<Origin> {
        Arc::new(Origin { adapter, policy: self.origin.policy.clone(), routed: Some(probability) })
    }
}

/// The ways of a rescorer, the one for lists that ask for no adapter first.
#[derive(Default)]
pub(crate) struct Routes(pub(crate) Vec<Arc<Route>>);

impl Routes {
    /// Number of the way of a list.
    ///
    /// # Errors
    /// [`Error::NoPolicy`].
    pub(crate) fn number(&self, utterance: &Utterance) -> Result<usize, Error> {
        let asked = utterance.extra.get(FIELD).and_then(Value::as_str);
        let own =
            asked.and_then(|name| self.0.iter().position(|route| route.adapter.as_deref() == Some(name)));
        match own {
            Some(number) => Ok(number),
            None if self.0.is_empty() => Err(Error::NoPolicy),
            None => Ok(0),
        }
    }

    /// The way with a number that [`number`](Self::number) gave.
    pub(crate) fn at(&self, number: usize) -> &Arc<Route> {
        &self.0[number]
    }

    /// A warning for each policy that gives terms of a vocabulary no weight.
    pub(crate) fn unweighed_terms(&self) -> impl Iterator<Item = String> {
        let unweighed = self.0.iter().filter(|route| {
            route.pass.weighting().features().is_some_and(|features| features.weight(Feature::Terms) == 0.0)
        });
        unweighed.map(|route| {
            let policy = route.origin.policy.as_deref().unwrap_or("the weights");
            format!(
                "{policy} gives terms of a vocabulary no weight, so few of them will be chosen; tune it again, with the vocabulary"
            )
        })
    }

    /// What answers, in the order of the numbers.
    pub(crate) fn passes(&self) -> impl Iterator<Item = &SecondPass> {
        self.0.iter().map(|route| &route.pass)
    }

    /// The way of a list.
    ///
    /// # Errors
    /// [`Error::NoPolicy`].
    pub(crate) fn of(&self, utterance: &Utterance) -> Result<&Arc<Route>, Error> {
        Ok(self.at(self.number(utterance)?))
    }

    /// The way of lists that ask for no adapter.
    ///
    /// # Errors
    /// [`Error::NoPolicy`].
    pub(crate) fn default(&self) -> Result<&Arc<Route>, Error> {
        self.0.first().ok_or(Error::NoPolicy)
    }
}
