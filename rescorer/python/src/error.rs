//! Errors of the library as Python exceptions.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// The classes of `rescorer._errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    RescorerError,
    InvalidList,
    ModelError,
    AdapterError,
    PolicyError,
}

/// What may be done about one bad list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
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

    /// The exception of an error of the library.
    pub fn of(error: &rescorer::Error) -> Self {
        use rescorer::Error;
        match error {
            error if error.is_recoverable() => Self::InvalidList,
            Error::Lists(_) => Self::InvalidList,
            Error::Adapter(_) | Error::AdapterTwice { .. } => Self::AdapterError,
            Error::Policy { .. }
            | Error::OtherModel { .. }
            | Error::OtherAdapter { .. }
            | Error::OtherUnit { .. } => Self::PolicyError,
            _ => Self::ModelError,
        }
    }
}

/// The exception of an error of the library.
pub fn raised(py: Python<'_>, error: &rescorer::Error, remedy: Remedy) -> PyErr {
    Kind::of(error).with(py, &in_python(&error.to_string(), remedy))
}

/// A message of the library, which speaks of the options of the command line, in words of Python.
pub fn in_python(message: &str, remedy: Remedy) -> String {
    let skip = match remedy {
        Remedy::Mend => "",
        Remedy::ReturnExceptions => " or pass return_exceptions=True",
    };
    let message = message
        .replace(", or pass --skip-invalid", skip)
        .replace(" or pass --skip-invalid", skip)
        .replace("pass --no-eos", "pass eos=False")
        .replace("--adapter NAME=DIR", "adapters={NAME: DIR}");
    // What is left has a value: `--device cpu` is `device=cpu`.
    let mut words = message.split(' ').peekable();
    let mut told = String::with_capacity(message.len());
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(option) if option.starts_with(|first: char| first.is_ascii_lowercase()) => {
                told.push_str(&option.replace('-', "_"));
                told.push(if words.peek().is_some() { '=' } else { ' ' });
            }
            _ => {
                told.push_str(word);
                told.push(' ');
            }
        }
    }
    told.truncate(told.trim_end_matches(' ').len());
    told
}
