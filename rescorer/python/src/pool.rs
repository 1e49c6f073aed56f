//! Adapters that are loaded when lists ask for them.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rescorer::{AdapterPool, AdapterStatus, PoolOptions};

use crate::engine::Engine;
use crate::error::{Kind, Way, raised, refused};
use crate::result::object;
use crate::threads;

/// The adapters of Python's `AdapterPool`.
#[pyclass(frozen, module = "rescorer._rescorer")]
pub struct Pool {
    adapters: AdapterPool,
}

#[pymethods]
impl Pool {
    #[new]
    fn new(py: Python<'_>, engine: &Engine, max_bytes: i64, loaders: i64) -> PyResult<Self> {
        let above_0 = |name: &str, value: i64| {
            u64::try_from(value)
                .ok()
                .filter(|&value| value > 0)
                .ok_or_else(|| refused(py, &format!("{name}={value}: give a number from 1")))
        };
        let (max_bytes, loaders) = (above_0("max_bytes", max_bytes)?, above_0("loaders", loaders)?);
        let loaders = usize::try_from(loaders).unwrap_or(usize::MAX);
        Ok(Self { adapters: AdapterPool::new(engine.rescorer(), PoolOptions { max_bytes, loaders }) })
    }

    fn register<'py>(&self, py: Python<'py>, name: String, folder: PathBuf) -> PyResult<Bound<'py, PyAny>> {
        let status = py.detach(|| self.adapters.register(name, folder));
        described(py, &status.map_err(|error| raised(py, &error, Way::Mend))?)
    }

    fn remove(&self, name: &str) -> bool {
        self.adapters.remove(name)
    }

    fn pin(&self, name: &str, is_pinned: bool) -> bool {
        self.adapters.pin(name, is_pinned)
    }

    fn load(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        threads::check(py)?;
        let loaded = py.detach(|| self.adapters.load(name).map(drop));
        loaded.map_err(|error| raised(py, &error, Way::Mend))
    }

    /// What is known of one adapter; None where there is none of that name.
    fn adapter<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.adapters.adapter(name).map(|status| described(py, &status)).transpose()
    }

    /// What is known of all, by name.
    fn all<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let all: Vec<Bound<'py, PyAny>> =
            self.adapters.adapters().iter().map(|status| described(py, status)).collect::<PyResult<_>>()?;
        PyList::new(py, all)
    }

    /// Counts of what was done so far.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.adapters.stats();
        let counts = PyDict::new(py);
        counts.set_item("registered", stats.registered)?;
        counts.set_item("resident", stats.resident)?;
        counts.set_item("resident_bytes", stats.resident_bytes)?;
        counts.set_item("loads", stats.loads)?;
        counts.set_item("failures", stats.failures)?;
        counts.set_item("evictions", stats.evictions)?;
        Ok(counts)
    }
}

impl Pool {
    /// The adapters.
    pub fn adapters(&self) -> AdapterPool {
        self.adapters.clone()
    }
}

/// What is known of an adapter, as a dict.
fn described<'py>(py: Python<'py>, status: &AdapterStatus) -> PyResult<Bound<'py, PyAny>> {
    let status = serde_json::to_value(status);
    object(py, &status.map_err(|error| Kind::RescorerError.with(py, &error.to_string()))?)
}
