//! Chooses adapters for lists that name none.

use std::sync::{Arc, Mutex, PoisonError};

use rescorer_models::Adapter;
use rescorer_nbest::Utterance;
use serde_json::Value;

use crate::conversations::{Conversations, conversation};
use crate::error::Error;
use crate::routing::calibration::GainCalibration;
use crate::routing::gain::{NamedText, gains};
use crate::routing::posterior::Posterior;
use crate::routing::routed_list::{FirstPassScores, log_odds_of_scores, routed_text};
use crate::scoring::adapters::FIELD;
use crate::scoring::scorer::Scorer;

/// Where a list goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Routing {
    /// Name of the adapter; `None` for the model alone.
    pub(crate) adapter: Option<String>,
    /// Its probability.
    pub(crate) probability: f64,
}

impl Routing {
    /// Has a list name its adapter.
    pub(crate) fn label(&self, list: &mut Utterance) {
        let adapter = self.adapter.clone().map_or(Value::Null, Value::String);
        list.extra.insert(FIELD.to_owned(), adapter);
    }

    /// Takes back what [`label`](Self::label) did.
    pub(crate) fn remove_label(list: &mut Utterance) {
        list.extra.remove(FIELD);
    }
}

/// An adapter that lists can be routed to.
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) calibration: GainCalibration,
    /// Scores texts as its lists are scored.
    pub(crate) scorer: Scorer,
}

/// Adapters whose lists are scored alike: they share the scores of the model alone.
struct Alike {
    scorer: Scorer,
    adapters: Vec<Arc<dyn Adapter>>,
    /// Their numbers among all.
    numbers: Vec<usize>,
}

/// Log-odds of the adapters against none, for a list.
pub(crate) type LogOdds = Vec<f64>;

/// Routes lists to adapters by what these gain on the first-pass best.
pub(crate) struct Router {
    names: Vec<String>,
    /// The adapter of lists that fit none of these; `None` for the model alone.
    otherwise: Option<String>,
    calibrations: Vec<GainCalibration>,
    alike: Vec<Alike>,
    conversations: Mutex<Conversations<Posterior>>,
}

impl Router {
    /// Routes lists to these, and those that fit none to the adapter of another name, or to the model alone.
    pub(crate) fn new(candidates: Vec<Candidate>, otherwise: Option<String>) -> Self {
        let mut alike: Vec<Alike> = Vec::new();
        let (mut names, mut calibrations) = (Vec::new(), Vec::new());
        for (number, Candidate { name, adapter, calibration, scorer }) in candidates.into_iter().enumerate() {
            names.push(name);
            calibrations.push(calibration);
            match alike.iter_mut().find(|own| own.scorer.config() == scorer.config()) {
                Some(own) => {
                    own.adapters.push(adapter);
                    own.numbers.push(number);
                }
                None => alike.push(Alike { scorer, adapters: vec![adapter], numbers: vec![number] }),
            }
        }
        Self { names, otherwise, calibrations, alike, conversations: Mutex::default() }
    }

    /// Whether a list is to be routed: it names no adapter, and has more than one text.
    pub(crate) fn is_open(list: &Utterance) -> bool {
        !list.extra.contains_key(FIELD) && routed_text(list).is_some()
    }

    /// Nodes that routing a list costs at most whose first-pass best has so many tokens.
    pub(crate) fn nodes(&self, tokens: usize) -> usize {
        (self.names.len() + self.alike.len()) * tokens
    }

    /// What speaks for the adapters, list by list, all in one forward pass; and the nodes that it took.
    ///
    /// The text alone counts, without the list's context.
    pub(crate) fn log_odds(&self, lists: &[&Utterance]) -> Result<(Vec<LogOdds>, usize), Error> {
        if lists.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let texts: Vec<NamedText<'_>> = lists
            .iter()
            .filter_map(|list| {
                let best = list.nbest.hypotheses().first()?;
                Some(NamedText { name: &list.id, text: &best.text })
            })
            .collect();
        let mut log_odds = vec![self.unknown(); lists.len()];
        let mut nodes = 0;
        for Alike { scorer, adapters, numbers } in &self.alike {
            let (found, computed) = gains(scorer, adapters, &texts)?;
            nodes += computed;
            for (log_odds, gains) in log_odds.iter_mut().zip(found) {
                for (&number, gain) in numbers.iter().zip(gains) {
                    log_odds[number] = self.calibrations[number].log_odds(gain);
                }
            }
        }
        let shares: Vec<_> = self.calibrations.iter().map(|calibration| calibration.scores).collect();
        for (log_odds, list) in log_odds.iter_mut().zip(lists) {
            let of_scores = log_odds_of_scores(&shares, FirstPassScores::of(&list.nbest));
            log_odds.iter_mut().zip(of_scores).for_each(|(sum, odds)| *sum += odds);
        }
        Ok((log_odds, nodes))
    }

    /// Log-odds of a list of which nothing is known: its conversation alone decides.
    pub(crate) fn unknown(&self) -> LogOdds {
        vec![0.0; self.names.len()]
    }

    /// Where a list goes. Its conversation goes on from there.
    pub(crate) fn route(&self, list: &Utterance, log_odds: &[f64]) -> Routing {
        let posterior = self.posterior(list, log_odds);
        let routing = self.routing(&posterior);
        if let Some(name) = conversation(list) {
            self.conversations.lock().unwrap_or_else(PoisonError::into_inner).keep(&name, posterior);
        }
        routing
    }

    /// Where a list would go.
    pub(crate) fn look(&self, list: &Utterance, log_odds: &[f64]) -> Routing {
        self.routing(&self.posterior(list, log_odds))
    }

    fn posterior(&self, list: &Utterance, log_odds: &[f64]) -> Posterior {
        let conversations = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        let last = conversation(list).and_then(|name| conversations.last(&name));
        let prior = last.map_or_else(|| Posterior::uniform(self.names.len()), Posterior::carried);
        prior.after(log_odds)
    }

    fn routing(&self, posterior: &Posterior) -> Routing {
        let (best, probability) = posterior.best();
        let adapter = best.map(|number| self.names[number].clone()).or_else(|| self.otherwise.clone());
        Routing { adapter, probability }
    }
}
