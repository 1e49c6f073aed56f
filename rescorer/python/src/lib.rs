//! The module `rescorer._rescorer` under the Python package `rescorer`.
//!
//! Lists come in as Python objects (`list`, `value`, `request`), go through the model with the interpreter released (`engine`,
//! `many`), and come out as `result`. Every error becomes one of the exceptions of `rescorer._errors` (`error`); PyO3 turns
//! a panic, which would be a mistake of ours, into an exception as well.
// Python hands over arguments by value, one keyword each.
#![allow(clippy::too_many_arguments)]

mod engine;
mod error;
mod interrupt;
mod list;
mod many;
mod model;
mod notices;
mod pool;
mod request;
mod result;
mod threads;
mod value;

use pyo3::prelude::*;

/// Second pass for speech recognition; `import rescorer` is the way in.
#[pymodule]
mod _rescorer {
    #[pymodule_export]
    use crate::engine::{Engine, cascade};
    #[pymodule_export]
    use crate::many::Answers;
    #[pymodule_export]
    use crate::model::{fetch_notice, locate};
    #[pymodule_export]
    use crate::pool::Pool;
    #[pymodule_export]
    use crate::result::{Hypothesis, ListCompleteness, ListResult};
    #[pymodule_export]
    use crate::threads::set_threads;

    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
