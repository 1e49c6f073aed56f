//! Errors of the library as Python exceptions.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use rescorer::{ErrorKind, Remedy};

/// The classes of `rescorer._errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    RescorerError,
    InvalidList,
    ModelError,
    AdapterError,
    PolicyError,
}

/// How a list was given, and so what may be done about a bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It was given alone: mend it.
    Mend,
    /// It was one of many: the others can be had without it.
    ReturnExceptions,
}

/// A class of `rescorer._errors`.
fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static CLASSES: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let classes =
        CLASSES.get_or_try_init(py, || PyModule::import(py, "rescorer._errors").map(Bound::unbind))?;
    classes.bind(py).getattr(name)
}

/// The class of the package's warnings.
pub fn warning_class(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    class(py, "ListWarning")
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::RescorerError => "RescorerError",
            Self::InvalidList => "InvalidList",
            Self::ModelError => "ModelError",
            Self::AdapterError => "AdapterError",
            Self::PolicyError => "PolicyError",
        }
    }

    /// The exception with this message.
    pub fn with(self, py: Python<'_>, message: &str) -> PyErr {
        match class(py, self.name()).and_then(|class| class.cast_into::<PyType>().map_err(PyErr::from)) {
            Ok(class) => PyErr::from_type(class, (message.to_owned(),)),
            Err(error) => error,
        }
    }

    /// The class of an error of the library.
    pub fn of(error: &rescorer::Error) -> Self {
        match error.kind() {
            ErrorKind::List => Self::InvalidList,
            ErrorKind::Adapter if !error.is_recoverable() => Self::AdapterError,
            ErrorKind::Adapter => Self::InvalidList,
            ErrorKind::Policy => Self::PolicyError,
            _ => Self::ModelError,
        }
    }
}

/// The exception of an error of the library.
pub fn raised(py: Python<'_>, error: &rescorer::Error, way: Way) -> PyErr {
    Kind::of(error).with(py, &in_python(error, error.remedy(), way))
}

/// The exception of a list that can't be read.
pub fn unreadable(py: Python<'_>, error: &rescorer_nbest::Error, way: Way) -> PyErr {
    Kind::InvalidList.with(py, &in_python(error, Remedy::of_lists(error), way))
}

/// A message of the library with the parameter that helps, where there is one.
pub fn in_python(error: &dyn std::error::Error, remedy: Option<Remedy>, way: Way) -> String {
    let parameter = match remedy {
        Some(Remedy::SkipInvalid) if way == Way::ReturnExceptions => {
            return format!("{error}, or pass return_exceptions=True");
        }
        Some(Remedy::Cpu) => " (device=\"cpu\")",
        Some(Remedy::Precision) => " (precision)",
        Some(Remedy::Bos) => " (bos)",
        Some(Remedy::NoEos) => " (eos=False)",
        Some(Remedy::Eos) => " (eos=True)",
        Some(Remedy::EncoderScore) => " (encoder_score)",
        Some(Remedy::Sum) => " (mean=False)",
        Some(Remedy::Adapter) => " (adapters={NAME: DIR})",
        Some(Remedy::FirstStage | Remedy::FirstStageAdapter) => " (earlier)",
        Some(Remedy::Policy) => " (policy)",
        Some(Remedy::Maximum) => " (decision=\"maximum\")",
        Some(Remedy::Unit) => " (unit)",
        _ => "",
    };
    format!("{error}{parameter}")
}
