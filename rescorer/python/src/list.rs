//! Python objects as N-best lists.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyMapping, PyString};
use rescorer::{Remedy, Utterance};
use rescorer_nbest::ScoreKind;
use serde_json::{Map, Value};

use crate::error::{Kind, Way, unreadable};
use crate::notices::Listened;
use crate::value::{Flaw, What, text, value};

/// Field with the name of the adapter that a list asks for.
const ADAPTER: &str = "adapter";

/// Field with the name of its conversation.
const CONVERSATION: &str = "conversation";

/// Field of a list with names and terms of its own.
const VOCABULARY: &str = "vocabulary";

/// What a list can be, for messages.
const SHAPES: &str = "a list of str, a list of dicts with `text` and `score`, or a dict with `hypotheses`, `input`, `alternatives` or `segments`";

/// An N-best list: texts, hypotheses as dicts, or a row with the names of one of the JSON formats.
///
/// `name` stands for a list that states no id.
pub fn utterance(
    list: &Bound<'_, PyAny>,
    scores: Option<&Bound<'_, PyAny>>,
    name: &str,
    way: Way,
    listened: &Listened,
) -> PyResult<Utterance> {
    let py = list.py();
    let mut context = Context { id: name.to_owned(), way };
    let object = match row(list, &mut context)? {
        Some(_) if scores.is_some() => {
            return Err(context.refused(py, "is a dict, which has its scores in itself; leave `scores` out"));
        }
        Some(row) => row,
        None => hypotheses(list, scores, &context)?,
    };
    listened.read(object, name).map_err(|error| unreadable(py, &error, way))
}

/// What an error has to name.
struct Context {
    id: String,
    way: Way,
}

impl Context {
    fn refused(&self, py: Python<'_>, reason: &str) -> PyErr {
        let skip = match self.way {
            Way::Mend => "",
            Way::ReturnExceptions => ", or pass return_exceptions=True",
        };
        let message = format!("utterance {:?} {reason}{skip}", self.id);
        Kind::InvalidList.with_remedy(py, &message, Some(Remedy::SkipInvalid))
    }

    fn flawed(&self, py: Python<'_>, Flaw { at, what }: Flaw) -> PyErr {
        let at = at.strip_prefix('.').unwrap_or(&at);
        match what {
            What::TooLarge => {
                self.refused(py, &format!("holds {at} = an int beyond every float; mend the number"))
            }
            What::Type(found) => {
                self.refused(py, &format!("holds {at}: {found}; give text, numbers, lists and dicts alone"))
            }
            What::Deep => {
                self.refused(py, "is nested too deeply, or holds itself; give lists and dicts that end")
            }
            What::Raised(error) => error,
        }
    }
}

/// A row with the values of the fields that are looked at; `None` if it is no row. Of what else it has, audio perhaps, the name
/// is enough.
fn row(list: &Bound<'_, PyAny>, context: &mut Context) -> PyResult<Option<Map<String, Value>>> {
    let py = list.py();
    let pairs: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)> = if let Ok(dict) = list.cast::<PyDict>() {
        dict.iter().collect()
    } else if let Ok(mapping) = list.cast::<PyMapping>() {
        mapping.items()?.extract()?
    } else if list.hasattr(intern!(py, "iloc"))? {
        // A row of pandas; a column has numbers for keys.
        let row = list.call_method0(intern!(py, "to_dict"))?.cast_into::<PyDict>()?;
        if !row.iter().any(|(key, _)| key.is_instance_of::<PyString>()) {
            return Ok(None);
        }
        row.iter().collect()
    } else {
        return Ok(None);
    };
    let mut row = Map::new();
    let mut flaw = None;
    for (key, object) in pairs {
        let Ok(key) = key.cast_into::<PyString>() else { continue };
        let Ok(key) = text(&key) else { continue };
        let is_read = Utterance::is_read(&key) || [ADAPTER, CONVERSATION, VOCABULARY].contains(&key.as_str());
        let read = if is_read && !is_no_value(&key, &object) { value(&object) } else { Ok(Value::Null) };
        match read.map_err(|flaw| flaw.inside(&key)) {
            Ok(value) => _ = row.insert(key, transposed(value)),
            // The id may still come.
            Err(found) => _ = flaw.get_or_insert(found),
        }
    }
    match row.get("id") {
        Some(Value::String(id)) => context.id.clone_from(id),
        Some(Value::Number(id)) => context.id = id.to_string(),
        _ => {}
    }
    match flaw {
        Some(flaw) => Err(context.flawed(py, flaw)),
        None => Ok(Some(row)),
    }
}

/// Whether pandas says with NaN that there is no such field: where no score stands.
fn is_no_value(key: &str, object: &Bound<'_, PyAny>) -> bool {
    ScoreKind::of(key).is_none() && object.cast::<PyFloat>().is_ok_and(|number| number.value().is_nan())
}

/// A dict of lists as a list of dicts: so older `datasets` give out a sequence of structs.
fn transposed(value: Value) -> Value {
    let Value::Object(columns) = &value else { return value };
    let lengths: Option<Vec<usize>> =
        columns.values().map(|column| column.as_array().map(Vec::len)).collect();
    let Some(length) = lengths.and_then(|lengths| {
        let first = *lengths.first()?;
        lengths.iter().all(|length| *length == first).then_some(first)
    }) else {
        return value;
    };
    let rows = (0..length).map(|index| {
        columns.iter().map(|(key, column)| (key.clone(), column[index].clone())).collect::<Map<_, _>>()
    });
    Value::Array(rows.map(Value::Object).collect())
}

/// Hypotheses that stand alone, as the row that they would be in.
fn hypotheses(
    list: &Bound<'_, PyAny>,
    scores: Option<&Bound<'_, PyAny>>,
    context: &Context,
) -> PyResult<Map<String, Value>> {
    let py = list.py();
    let refused = |reason: &str| context.refused(py, reason);
    if list.is_instance_of::<PyString>() || list.is_instance_of::<PyBytes>() {
        return Err(refused(
            "is one text, no list; give a list of texts, and json.loads(...) of what a recogniser wrote",
        ));
    }
    let unknown = |found: &str| refused(&format!("is {found}, no list; give {SHAPES}"));
    let listed = match value(list) {
        Ok(Value::Array(listed)) => listed,
        Ok(other) => return Err(unknown(kind(&other))),
        Err(Flaw { at, what: What::Type(found) }) if at.is_empty() => return Err(unknown(&found)),
        Err(flaw) => return Err(context.flawed(py, flaw.inside("hypotheses"))),
    };
    let mut listed: Vec<Map<String, Value>> = listed
        .into_iter()
        .enumerate()
        .map(|(position, value)| match value {
            Value::String(text) => Ok(Map::from_iter([("text".to_owned(), Value::String(text))])),
            Value::Object(fields) => Ok(fields),
            other => Err(refused(&format!(
                "holds {} at position {position}; give a str, or a dict with `text` and `score`",
                kind(&other)
            ))),
        })
        .collect::<PyResult<_>>()?;
    if let Some(scores) = scores {
        attach(&mut listed, scores, context)?;
    }
    let first = |field: &str| listed.first().is_some_and(|first| first.contains_key(field));
    let field = match () {
        () if first("score") => "hypotheses",
        () if is_vosk(&listed) => "alternatives",
        () if first("ys_probs") || first("ys_log_probs") => "nbest",
        () => "hypotheses",
    };
    let listed = listed.into_iter().map(Value::Object).collect();
    Ok(Map::from_iter([(field.to_owned(), Value::Array(listed))]))
}

/// Whether hypotheses have confidences that are no probabilities: Vosk's are log-likelihoods.
fn is_vosk(listed: &[Map<String, Value>]) -> bool {
    let confidence = |one: &Map<String, Value>| one.get("confidence").and_then(Value::as_f64);
    let outside = |confidence: f64| !(0.0..=1.0).contains(&confidence);
    listed.iter().all(|one| confidence(one).is_some()) && listed.iter().filter_map(confidence).any(outside)
}

/// Gives every hypothesis its score.
fn attach(listed: &mut [Map<String, Value>], scores: &Bound<'_, PyAny>, context: &Context) -> PyResult<()> {
    let py = scores.py();
    let scores = match value(scores).map_err(|flaw| context.flawed(py, flaw.inside("scores")))? {
        Value::Array(scores) => scores,
        other => {
            return Err(
                context.refused(py, &format!("has {} as scores; give a list of numbers", kind(&other)))
            );
        }
    };
    if scores.len() != listed.len() {
        let reason = format!(
            "has {} hypotheses but {} scores; give one for each, or none",
            listed.len(),
            scores.len()
        );
        return Err(context.refused(py, &reason));
    }
    for (position, (hypothesis, score)) in listed.iter_mut().zip(scores).enumerate() {
        if score.is_null() {
            let reason =
                format!("has None in scores at position {position}; give a number for each, or no scores");
            return Err(context.refused(py, &reason));
        }
        if hypothesis.contains_key("score") {
            let reason = format!("has a score of its own at position {position}; leave `scores` out");
            return Err(context.refused(py, &reason));
        }
        hypothesis.insert("score".to_owned(), score);
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "None",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a str",
        Value::Array(_) => "a list",
        Value::Object(_) => "a dict",
    }
}
