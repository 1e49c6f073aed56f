//! Python objects as JSON values: dicts, lists, text and numbers, what numpy, pandas and pyarrow make of them, dataclasses and
//! named tuples.

use pyo3::exceptions::{PyOverflowError, PyUnicodeEncodeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple, PyType};
use rescorer_nbest::Objects;
use serde_json::{Map, Number, Value};

/// Deepest nesting that is followed. A list may hold itself.
const DEEPEST: usize = 64;

/// What has no place in a list, and where in it that stands: `hypotheses[2].score`.
pub struct Flaw {
    pub at: String,
    pub what: What,
}

/// Kinds of [`Flaw`].
pub enum What {
    /// A whole number that no float comes near.
    TooLarge,
    /// A type that stands for no text, number, list or dict.
    Type(String),
    /// Nested too deeply.
    Deep,
    /// An exception of the caller's own objects.
    Raised(PyErr),
}

impl Flaw {
    fn new(what: What) -> Self {
        Self { at: String::new(), what }
    }

    /// The same inside of something.
    pub fn inside(self, outer: &str) -> Self {
        Self { at: format!("{outer}{}", self.at), what: self.what }
    }
}

impl From<PyErr> for Flaw {
    fn from(error: PyErr) -> Self {
        Self::new(What::Raised(error))
    }
}

/// The value of an object.
pub fn value(object: &Bound<'_, PyAny>) -> Result<Value, Flaw> {
    nested(object, 0)
}

fn nested(object: &Bound<'_, PyAny>, depth: usize) -> Result<Value, Flaw> {
    if depth > DEEPEST {
        return Err(Flaw::new(What::Deep));
    }
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(text) = object.cast::<PyString>() {
        return self::text(text).map(Value::String);
    }
    if let Ok(truth) = object.cast::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return Ok(float(number.value()));
    }
    if let Ok(number) = object.cast::<PyInt>() {
        return integer(number);
    }
    if let Ok(list) = object.cast::<PyList>() {
        return items(list.iter().map(Ok), depth);
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        return fields(dict.iter().map(Ok), depth).map(Value::Object);
    }
    other(object, depth)
}

/// What is less common.
fn other(object: &Bound<'_, PyAny>, depth: usize) -> Result<Value, Flaw> {
    let py = object.py();
    if object.is_instance_of::<PyType>() {
        return Err(unknown(object));
    }
    // A named tuple, as faster-whisper's segments once were; numpy's arrays and numbers; pyarrow's.
    for convert in
        [intern!(py, "_asdict"), intern!(py, "tolist"), intern!(py, "as_py"), intern!(py, "to_pylist")]
    {
        if let Some(method) = object.getattr_opt(convert)? {
            return nested(&method.call0()?, depth + 1);
        }
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return items(tuple.iter().map(Ok), depth);
    }
    if let Ok(mapping) = object.cast::<PyMapping>() {
        let pairs = mapping.items()?;
        return fields(pairs.iter().map(|pair| pair.extract()), depth).map(Value::Object);
    }
    if let Some(names) = object.getattr_opt(intern!(py, "__dataclass_fields__"))? {
        let names = names.try_iter()?;
        let pairs = names.map(|name| {
            let name = name?;
            let value = object.getattr(name.cast::<PyString>()?)?;
            Ok((name, value))
        });
        return fields(pairs, depth).map(Value::Object);
    }
    if object.hasattr(intern!(py, "__next__"))? {
        return items(object.try_iter()?, depth);
    }
    if is_missing(object)? {
        return Ok(Value::Null);
    }
    Err(unknown(object))
}

/// Whether an object is what pandas writes where nothing is.
fn is_missing(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let name = object.get_type().name()?;
    Ok(matches!(&*name.to_cow()?, "NAType" | "NaTType"))
}

fn unknown(object: &Bound<'_, PyAny>) -> Flaw {
    let name = object.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
    Flaw::new(What::Type(name))
}

/// A text; half a character of UTF-16 can't be passed on.
pub fn text(text: &Bound<'_, PyString>) -> Result<String, Flaw> {
    match text.to_cow() {
        Ok(text) => Ok(text.into_owned()),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) => {
            Err(Flaw::new(What::Type("a str with surrogates, which is no Unicode text".to_owned())))
        }
        Err(error) => Err(error.into()),
    }
}

fn float(number: f64) -> Value {
    // Formats refuse it where they read it: NaN in a field that nobody reads does no harm.
    Number::from_f64(number).map_or_else(|| Objects::not_finite(number), Value::Number)
}

fn integer(number: &Bound<'_, PyInt>) -> Result<Value, Flaw> {
    if let Ok(number) = number.extract::<i64>() {
        return Ok(number.into());
    }
    match number.extract::<f64>() {
        Ok(number) => Ok(float(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(number.py()) => Err(Flaw::new(What::TooLarge)),
        Err(error) => Err(error.into()),
    }
}

fn items<'py>(items: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>, depth: usize) -> Result<Value, Flaw> {
    let read = |(index, item): (usize, PyResult<Bound<'py, PyAny>>)| {
        nested(&item?, depth + 1).map_err(|flaw| flaw.inside(&format!("[{index}]")))
    };
    items.enumerate().map(read).collect::<Result<Vec<_>, Flaw>>().map(Value::Array)
}

fn fields<'py>(
    pairs: impl Iterator<Item = PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)>>,
    depth: usize,
) -> Result<Map<String, Value>, Flaw> {
    let mut map = Map::new();
    for pair in pairs {
        let (key, value) = pair?;
        let Ok(key) = key.cast::<PyString>() else {
            let Flaw { what, .. } = unknown(&key);
            let name = if let What::Type(name) = what { name } else { String::new() };
            return Err(Flaw::new(What::Type(format!("a key of type {name}, where only str can be"))));
        };
        let key = text(key)?;
        let value = nested(&value, depth + 1).map_err(|flaw| flaw.inside(&format!(".{key}")))?;
        map.insert(key, value);
    }
    Ok(map)
}
