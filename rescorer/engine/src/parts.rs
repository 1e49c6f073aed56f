//! What a rescorer holds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::routes::Routes;
use crate::scoring::scorer::Scorer;

/// The parts of a rescorer, which never change.
pub(crate) struct Parts {
    pub(crate) routes: Routes,
    /// What scores where nothing is decided.
    pub(crate) scorer: Scorer,
    pub(crate) name: String,
    pub(crate) pool: Option<rayon::ThreadPool>,
    pub(crate) warnings: Vec<String>,
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

    pub(crate) fn pace(&self) -> MutexGuard<'_, f64> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
