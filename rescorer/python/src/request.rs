//! What is asked of lists besides their answer.

use std::time::Duration;

use pyo3::prelude::*;
use rescorer::{AdapterPool, Request, Utterance};

use crate::error::refused;
use crate::pool::Pool;

/// How much of an answer is wanted, when, and where adapters that lists name are.
#[derive(Clone)]
pub struct Asked {
    text_only: bool,
    deadline: Option<Duration>,
    pool: Option<AdapterPool>,
}

impl Asked {
    /// What a call asks of a rescorer; `deadline` is in seconds.
    pub fn new(
        py: Python<'_>,
        rescorer: &rescorer::Rescorer,
        text_only: bool,
        deadline: Option<f64>,
        pool: Option<&Pool>,
    ) -> PyResult<Self> {
        let limit = |seconds: f64| {
            Duration::try_from_secs_f64(seconds)
                .map_err(|_| refused(py, &format!("deadline={seconds}: give seconds, at least 0, or None")))
        };
        let pool = pool.map(Pool::adapters);
        if pool.as_ref().is_some_and(|pool| !pool.is_for(rescorer)) {
            return Err(refused(py, "pool: it is for another Rescorer; make one with AdapterPool(rescorer)"));
        }
        Ok(Self { text_only, deadline: deadline.map(limit).transpose()?, pool })
    }

    /// The request about a list. Loads the adapter of a pool that the list names, without the interpreter.
    pub fn about(&self, py: Python<'_>, list: Utterance) -> Result<Request, rescorer::Error> {
        let request = Request::from(list);
        let request = if self.text_only { request.text_only() } else { request.with_list() };
        let request = match self.deadline {
            Some(limit) => request.deadline(limit),
            None => request,
        };
        match &self.pool {
            Some(pool) => py.detach(|| pool.supply(request)),
            None => Ok(request),
        }
    }
}
