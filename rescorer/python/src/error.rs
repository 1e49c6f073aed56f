//! Errors of the library as Python exceptions.

use pyo3::intern;
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
    SettingsError,
    JobError,
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
            Self::SettingsError => "SettingsError",
            Self::JobError => "JobError",
        }
    }

    /// The exception with this message.
    pub fn with(self, py: Python<'_>, message: &str) -> PyErr {
        match class(py, self.name()).and_then(|class| class.cast_into::<PyType>().map_err(PyErr::from)) {
            Ok(class) => PyErr::from_type(class, (message.to_owned(),)),
            Err(error) => error,
        }
    }

    /// The exception with this message and what helps.
    pub fn with_remedy(self, py: Python<'_>, message: &str, remedy: Option<Remedy>) -> PyErr {
        let error = self.with(py, message);
        match remedy.and_then(|remedy| in_words(remedy).0) {
            // What fails here is an exception in its place.
            Some(name) => error.value(py).setattr(intern!(py, "remedy"), name).err().unwrap_or(error),
            None => error,
        }
    }

    /// The class of an error of the library. Each kind has its own, which no other kind has.
    pub fn of(error: &rescorer::Error) -> Self {
        match error.kind() {
            ErrorKind::List => Self::InvalidList,
            ErrorKind::Model => Self::ModelError,
            ErrorKind::Adapter => Self::AdapterError,
            ErrorKind::Policy => Self::PolicyError,
            ErrorKind::Settings => Self::SettingsError,
            ErrorKind::Job => Self::JobError,
            _ => Self::RescorerError,
        }
    }
}

/// The exception of an error of the library.
pub fn raised(py: Python<'_>, error: &rescorer::Error, way: Way) -> PyErr {
    let remedy = error.remedy();
    Kind::of(error).with_remedy(py, &in_python(error, remedy, way), remedy)
}

/// The exception of a list that can't be read.
pub fn unreadable(py: Python<'_>, error: &rescorer_nbest::Error, way: Way) -> PyErr {
    let remedy = Remedy::of_lists(error);
    Kind::InvalidList.with_remedy(py, &in_python(error, remedy, way), remedy)
}

/// The exception of an argument that can't be taken.
pub fn refused(py: Python<'_>, message: &str) -> PyErr {
    Kind::SettingsError.with(py, message)
}

/// A message of the library with the parameter that helps, where there is one.
fn in_python(error: &dyn std::error::Error, remedy: Option<Remedy>, way: Way) -> String {
    match remedy {
        Some(Remedy::SkipInvalid) if way == Way::ReturnExceptions => {
            format!("{error}, or pass return_exceptions=True")
        }
        Some(remedy) => format!("{error}{}", in_words(remedy).1),
        None => error.to_string(),
    }
}

/// What helps: its name for programs, and the parameter for those who read the message.
fn in_words(remedy: Remedy) -> (Option<&'static str>, &'static str) {
    let (name, parameter) = match remedy {
        Remedy::SkipInvalid => ("skip_invalid", ""),
        Remedy::Cpu => ("cpu", " (device=\"cpu\")"),
        Remedy::Precision => ("precision", " (precision)"),
        Remedy::Bos => ("bos", " (bos)"),
        Remedy::NoEos => ("no_eos", " (eos=False)"),
        Remedy::Eos => ("eos", " (eos=True)"),
        Remedy::EncoderScore => ("encoder_score", " (encoder_score)"),
        Remedy::Sum => ("sum", " (mean=False)"),
        Remedy::Adapter => ("adapter", " (adapters={NAME: DIR})"),
        Remedy::FirstStage => ("cascade_model", " (cascade_model)"),
        Remedy::FirstStageAdapter => ("cascade_adapter", " (cascade_adapter)"),
        Remedy::Policy => ("policy", " (policy)"),
        Remedy::Maximum => ("maximum", " (decision=\"maximum\")"),
        Remedy::Unit => ("unit", " (unit)"),
        Remedy::Folds => ("folds", ""),
        Remedy::Format => ("format", ""),
        Remedy::Columns => ("columns", ""),
        Remedy::Restart => ("restart", ""),
        _ => return (None, ""),
    };
    (Some(name), parameter)
}
