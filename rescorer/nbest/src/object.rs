//! One object as an utterance, of whichever JSON format it is.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fields::{self, Fields, Unread};
use crate::path::{self, Step, steps};
use crate::reading::Reading;
use crate::scores::names::known;
use crate::shape::{Json, Mapping, Read, Text};
use crate::{Error, Format, Place, Utterance, formats, json, mapped};

/// What the JSON formats look at beside their marks.
const FIELDS: [&str; 13] = [
    "id",
    "scores",
    "reference",
    "output",
    "ref",
    "context",
    "am_score",
    "score",
    "avg_logprob",
    "text",
    "tokens",
    "lm_probs",
    "extra",
];

impl Utterance {
    /// The utterance that an object holds, whose keys say which of the JSON formats it is: `hypotheses` the native one,
    /// `input` HyPoradise, `alternatives` Vosk, `segments` Whisper, and so on. `id` is for an object that states none.
    ///
    /// ```
    /// use rescorer_nbest::Utterance;
    /// use serde_json::json;
    ///
    /// let object = json!({"alternatives": [{"text": "a cat", "confidence": 270.4}]});
    /// let utterance = Utterance::from_object(object.as_object().unwrap().clone(), "u1")?;
    /// assert_eq!((utterance.id.as_str(), utterance.nbest.first().score), ("u1", Some(270.4)));
    /// # Ok::<(), rescorer_nbest::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownFields`] without a key that tells, and those of the formats; all are of one utterance.
    pub fn from_object(object: Map<String, Value>, id: &str) -> Result<Self, Error> {
        any(object, id, &Arc::default())
    }

    /// Whether a JSON format looks at this field of an utterance; all others it carries along.
    pub fn is_read(field: &str) -> bool {
        let singular = field.strip_suffix('s').unwrap_or(field);
        FIELDS.contains(&field)
            || known(field).or_else(|| known(singular)).is_some()
            || formats::shapes().any(|(_, json)| looks_at(json, field))
    }
}

/// The utterance that an object holds, of whichever format it is.
pub(crate) fn any(object: Map<String, Value>, id: &str, reading: &Arc<Reading>) -> Result<Utterance, Error> {
    let id = object.get("id").and_then(fields::id).unwrap_or_else(|| id.to_owned());
    let place = Place { utterance: Some(id.clone()), ..Place::default() };
    let as_list = |json: &Json| json.has_marks(&|mark| path::has(&object, mark));
    let as_document = |json: &Json| json.has_marks(&|mark| path::has(&object, &json.path_of(mark)));
    let found = |certain: bool| {
        formats::shapes().find(|(_, json)| json.certain == certain && (as_list(json) || as_document(json)))
    };
    let Some((format, json)) = found(true).or_else(|| found(false)) else {
        let seen: Vec<_> = object.keys().map(|key| format!("`{key}`")).collect();
        let seen = if seen.is_empty() { "no field at all".to_owned() } else { seen.join(", ") };
        return Err(Error::UnknownFields { place, seen });
    };
    if as_list(json) {
        return one_of((format, json), Value::Object(object), place, id, reading);
    }
    let mut lists = vec![Value::Object(object)];
    for step in steps(json.layout.path) {
        lists = lists.into_iter().flat_map(|value| inside(value, step)).collect();
    }
    match <[Value; 1]>::try_from(lists) {
        Ok([list]) => one_of((format, json), list, place, id, reading),
        Err(lists) => Err(several(lists.len(), place)),
    }
}

/// What a step leads to.
fn inside(value: Value, step: Step) -> Vec<Value> {
    match (step, value) {
        (Step::Key(key), Value::Object(mut object)) => object.shift_remove(key).into_iter().collect(),
        (Step::Each, Value::Array(list)) => list,
        (Step::Values, Value::Object(object)) => object.into_iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    }
}

/// The utterance of an object that holds one list.
fn one_of(
    (format, json): (Format, &'static Json),
    value: Value,
    place: Place,
    id: String,
    reading: &Arc<Reading>,
) -> Result<Utterance, Error> {
    let lists = mapped::lists(json, value, &place)?;
    match <[Value; 1]>::try_from(lists) {
        Ok([Value::Object(list)]) => utterance((format, json), list, place, id, reading),
        Ok([other]) => read(json, format, Fields::new(other, place, id, reading.clone())?),
        Err(lists) => Err(several(lists.len(), place)),
    }
}

fn several(count: usize, place: Place) -> Error {
    let reason = match count {
        0 => "holds no list at all; leave it out".to_owned(),
        count => format!("holds {count} lists, but one is to be given at a time; give each of them"),
    };
    Error::Part { place, reason }
}

/// Whether a shape looks at a field of the object that holds a list, or of the document around it.
fn looks_at(json: &Json, field: &str) -> bool {
    let first = |path: &str| {
        path.split('.').next().unwrap_or_default().trim_end_matches("[]").trim_end_matches("{}").to_owned()
    };
    let of_marks = json.marks.iter().flat_map(|mark| mark.split('&'));
    if of_marks.clone().any(|mark| path::is_at(field, &first(mark)) && first(mark) != "*") {
        return true;
    }
    if !json.layout.path.is_empty() && first(json.layout.path) == field {
        return true;
    }
    let Read::Mapped(Mapping { lists, hypotheses, text, .. }) = &json.read else { return false };
    let of_text = |text: &Text| match text {
        Text::Field(names) => names.contains(&field),
        Text::Without(name, _) | Text::Joined(name, _) => *name == field,
    };
    first(lists) == field || (hypotheses.is_empty() && of_text(text)) || first(hypotheses) == field
}

/// The utterance of an object of a shape.
///
/// # Errors
/// [`Error::OtherFormat`] where it has no hypotheses, but the marks of another format.
pub(crate) fn read(json: &Json, format: Format, fields: Fields) -> Result<Utterance, Error> {
    let read = match &json.read {
        Read::Own(parse) => parse(fields),
        Read::Mapped(mapping) => mapped::utterance(mapping, fields),
    };
    read.map_err(|unread| match unread {
        Unread::Error(error) => error,
        Unread::Empty(empty) => {
            let (fields, error) = *empty;
            match formats::of_marks(|mark| fields.has_path(mark)) {
                Some((found, _)) if found != format => {
                    Error::OtherFormat { place: fields.place().clone(), expected: format, found }
                }
                _ => error,
            }
        }
    })
}

/// Reads an object as one of the formats. Where that has the id as key of the object, the field `id` is the key.
pub(crate) fn utterance(
    (format, json): (Format, &Json),
    mut object: Map<String, Value>,
    place: Place,
    mut id: String,
    reading: &Arc<Reading>,
) -> Result<Utterance, Error> {
    let is_keyed = steps(json.layout.path).last() == Some(&Step::Values);
    if is_keyed && let Some(key) = object.shift_remove("id").as_ref().and_then(fields::id) {
        id = key;
    }
    let mut utterance = read(json, format, Fields::new(Value::Object(object), place, id, reading.clone())?)?;
    utterance.extra.values_mut().for_each(json::nulled);
    utterance.nbest = utterance.nbest.mapped(|one| one.extra.values_mut().for_each(json::nulled));
    Ok(utterance)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(object: Value) -> Result<Utterance, String> {
        let Value::Object(object) = object else { panic!("no object") };
        Utterance::from_object(object, "list:7").map_err(|error| error.to_string())
    }

    #[test]
    fn the_keys_tell_the_format() {
        let objects = [
            json!({"hypotheses": [{"text": "a cat", "score": -1}], "segments": null}),
            json!({"segments": [], "hypotheses": [{"text": "a cat", "score": -1}]}),
            json!({"input": ["a cat"], "am_score": [-1], "output": "a cat"}),
            json!({"alternatives": [{"text": "a cat", "confidence": -1}]}),
            json!({"segments": [{"text": " a cat", "avg_logprob": -1}]}),
            json!({"text": "a cat", "tokens": ["a", "cat"], "ys_probs": [-0.5, -0.5]}),
            json!({"hyp_1": {"text": "a cat", "score": -1}, "ref": "a cat"}),
        ];
        for object in objects {
            let named = match &object {
                Value::Object(map) => {
                    Value::Object(map.clone().into_iter().chain([("id".into(), "u1".into())]).collect())
                }
                _ => unreachable!(),
            };
            assert!(object.as_object().unwrap().keys().all(|key| Utterance::is_read(key)), "{object}");
            for (object, id) in [(object, "list:7"), (named, "u1")] {
                let utterance = read(object).unwrap();
                let first = utterance.nbest.first();
                assert_eq!(
                    (first.text.as_str(), first.score, utterance.id.as_str()),
                    ("a cat", Some(-1.0), id)
                );
            }
        }
        assert!(!Utterance::is_read("audio"));
    }

    #[test]
    fn errors_name_the_utterance() {
        let cases = [
            (
                json!({"id": "u1", "audio": 1}),
                "utterance \"u1\" has no field that holds hypotheses, but `id`, `audio`; name one",
            ),
            (json!({"hypotheses": []}), "utterance \"list:7\" has no hypotheses"),
            (json!({"id": "u1", "input": [1]}), "utterance \"u1\": `input[0]` is a number"),
            (json!({"id": true, "input": ["a"]}), "utterance \"list:7\": `id` is true or false"),
        ];
        for (object, start) in cases {
            let message = read(object).unwrap_err();
            assert!(message.starts_with(start), "{message}");
        }
    }
}
