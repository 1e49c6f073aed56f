//! What a rescorer holds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rescorer_nbest::Utterance;
use rescorer_perturb::Vocabulary;

use crate::builder::RescorerBuilder;
use crate::error::{Error, SettingsError, VocabularyError};
use crate::routes::{Route, Routes};
use crate::routing::router::{Router, Routing};
use crate::scoring::list::PreparedList;
use crate::scoring::need::Need;
use crate::scoring::scorer::Scorer;
use crate::vocabulary;

/// The parts of a rescorer, which never change.
pub(crate) struct Parts {
    pub(crate) routes: Routes,
    /// What chooses adapters for lists that name none, where that is asked for.
    pub(crate) router: Option<Router>,
    /// What scores where nothing is decided.
    pub(crate) scorer: Scorer,
    pub(crate) name: String,
    pub(crate) pool: Option<rayon::ThreadPool>,
    /// Terms that words of a list may sound like.
    pub(crate) vocabulary: Option<Arc<Vocabulary>>,
    pub(crate) warnings: Vec<String>,
    /// What all this was made by, for adapters that come later.
    pub(crate) builder: RescorerBuilder,
    /// Seconds that a node took so far, for deadlines; 0 before the first.
    pub(crate) pace: Mutex<f64>,
}

impl Parts {
    /// Runs on the threads that were asked for.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// A list with further hypotheses that have terms of the vocabulary and of its own put in.
    pub(crate) fn with_terms(&self, list: Utterance) -> Result<Utterance, Error> {
        match self.takes_terms(&list) {
            true => vocabulary::with_terms(list, self.vocabulary.as_deref()),
            false => Ok(list),
        }
    }

    /// Whether terms may be put into a list.
    pub(crate) fn takes_terms(&self, list: &Utterance) -> bool {
        self.vocabulary.is_some() || vocabulary::has_own(list)
    }

    /// Refuses terms where classic weights decide.
    pub(crate) fn check_terms(&self, route: &Route, list: &Utterance) -> Result<(), Error> {
        let weighting = route.pass.weighting();
        let is_weighed = weighting.features().is_some() || Need::of(weighting) == Need::Nothing;
        if is_weighed || list.nbest.terms(0).is_none() {
            return Ok(());
        }
        let policy = route.origin.policy.clone().unwrap_or_else(|| "what was given".to_owned());
        Err(VocabularyError::OfClassic { id: list.id.clone(), policy }.into())
    }

    /// A list as it is prepared for where it is routed to, and the way that answers it.
    pub(crate) fn prepared_for(
        &self,
        utterance: &mut Utterance,
        routing: &Routing,
    ) -> Result<(Arc<Route>, PreparedList), Error> {
        routing.label(utterance);
        let prepared = self.routes.of(utterance).and_then(|route| {
            self.check_terms(route, utterance)?;
            let list = route.pass.prepare_utterance(utterance)?;
            Ok((route.clone(), list))
        });
        Routing::remove_label(utterance);
        prepared
    }

    pub(crate) fn pace(&self) -> MutexGuard<'_, f64> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread pool.
pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| SettingsError::Threads { threads, reason: error.to_string() }.into())
}
